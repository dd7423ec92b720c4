"""The networks that can be trained, one builder function each.

A builder takes the number of classes K, the (height, width) of the images in px and the name of a
Keras dtype policy, and returns an uncompiled model. Its input is (N, height, width, 1) float32, raw
grey 0..255; its output is (N, K) float32 probabilities. Sides from 32 px build in every network.
Scaling is a layer of the network, so that training and serving cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

Builder = Callable[[int, tuple[int, int], str], "keras.Model"]

# (channels, blocks, stride) of each stage; the first block of each takes steps of the stride: where
# each is 2, the picture's side is 48, 24, 12, 6, 3 px
Stages = tuple[tuple[int, int, int], ...]
_SMALL: Stages = ((32, 1, 2), (64, 2, 2), (128, 2, 2), (160, 1, 2))
_WIDE: Stages = ((48, 1, 2), (96, 2, 2), (192, 2, 2), (256, 1, 2))
_LARGE: Stages = ((48, 1, 2), (112, 2, 2), (224, 2, 2), (320, 1, 2))


def demo_cnn(classes: int, size: tuple[int, int], dtype: str) -> keras.Model:
    """Four convolutions and one wide dense layer: the network of a widely copied webcam demo."""
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input((*size, 1), name="grey"),
            layers.Rescaling(1 / 255, dtype="float32"),
            layers.Conv2D(32, 3, activation="relu", dtype=dtype),
            layers.Conv2D(64, 3, activation="relu", dtype=dtype),
            layers.MaxPooling2D(2, dtype=dtype),
            layers.Dropout(0.25, dtype=dtype),
            layers.Conv2D(128, 3, activation="relu", dtype=dtype),
            layers.MaxPooling2D(2, dtype=dtype),
            layers.Conv2D(128, 3, activation="relu", dtype=dtype),
            layers.MaxPooling2D(2, dtype=dtype),
            layers.Dropout(0.25, dtype=dtype),
            layers.Flatten(dtype=dtype),
            layers.Dense(1024, activation="relu", dtype=dtype),
            layers.Dropout(0.5, dtype=dtype),
            # float32 always: probabilities in bfloat16 have three digits only
            layers.Dense(classes, activation="softmax", dtype="float32"),
        ],
        name="demo_cnn",
    )


def small_resnet(classes: int, size: tuple[int, int], dtype: str) -> keras.Model:
    """Six residual blocks: 1.1 million weights, 54 million multiplications per face."""
    return _resnet("small_resnet", _SMALL, classes, size, dtype)


def wide_resnet(classes: int, size: tuple[int, int], dtype: str) -> keras.Model:
    """The same, half as wide again: 2.6 million weights, 120 million multiplications per face."""
    return _resnet("wide_resnet", _WIDE, classes, size, dtype)


def large_resnet(classes: int, size: tuple[int, int], dtype: str) -> keras.Model:
    """The same, wider after the first block: 3.7 million weights, 154 million multiplications."""
    return _resnet("large_resnet", _LARGE, classes, size, dtype)


def mirror_resnet(classes: int, size: tuple[int, int], dtype: str) -> keras.Model:
    """The large one with half of its weights: it reads a face and its mirror image alike.

    So it does where the width is a multiple of 16 px, which every stage can halve; at another it
    nearly does.
    """
    return _resnet("mirror_resnet", _LARGE, classes, size, dtype, mirrored=True)


def mirror_teacher(classes: int, size: tuple[int, int], dtype: str, width: int) -> keras.Model:
    """A large one, as `mirror_resnet` by its build, that begins at the picture's full size.

    With a ``width`` of 64: 6.1 million weights, 1.1 thousand million multiplications per face.
    """
    stages = ((width, 1, 1), (2 * width, 2, 2), (4 * width, 3, 2), (8 * width, 2, 2))
    return _resnet("mirror_teacher", stages, classes, size, dtype, mirrored=True, dropout=0.4)


def _resnet(
    name: str,
    stages: Stages,
    classes: int,
    size: tuple[int, int],
    dtype: str,
    *,
    mirrored: bool = False,
    dropout: float = 0.3,
) -> keras.Model:
    """One convolution, residual blocks, the mean over the picture and one dense layer.

    Blocks as in He et al., arXiv:1512.03385, with the shortcut of He et al., arXiv:1812.01187,
    section 4 (average pooling before the 1x1 convolution, the last scale of a block starts at 0).
    """
    import keras
    from keras import layers

    from .mirror import pair_softmax

    grey = keras.Input((*size, 1), name="grey")
    # Each face by its own mean and deviation: dim and washed-out faces look like any other. The
    # epsilon (grey levels squared) keeps a blank image blank instead of magnifying its noise.
    x = layers.LayerNormalization(
        axis=(1, 2, 3), epsilon=25.0, center=False, scale=False, dtype="float32"
    )(grey)
    x = _activated(_convolution(x, stages[0][0], 3, 1, dtype, mirrored), dtype)
    for channels, blocks, stride in stages:
        for block in range(blocks):
            x = _residual_block(x, channels, stride if block == 0 else 1, dtype, mirrored)
    x = layers.GlobalAveragePooling2D(dtype=dtype)(x)
    x = layers.Dropout(dropout, dtype=dtype)(x)
    # float32 always: probabilities in bfloat16 have three digits only
    last = (
        pair_softmax(classes)
        if mirrored
        else layers.Dense(classes, activation="softmax", dtype="float32")
    )
    return keras.Model(grey, last(x), name=name)


def _residual_block(x: Any, channels: int, stride: int, dtype: str, mirrored: bool) -> Any:
    """Two 3x3 convolutions added to their input; (N, H, W, C) to (N, H/stride, W/stride, C'),
    rounded up."""
    from keras import layers

    shortcut = x
    if stride != 1:
        # "same", as in the convolutions: a last odd row or column counts
        shortcut = layers.AveragePooling2D(stride, padding="same", dtype=dtype)(shortcut)
        if mirrored:  # steps of two would begin at the left
            x, stride = shortcut, 1
        shortcut = _convolution(shortcut, channels, 1, 1, dtype, mirrored)
    y = _activated(_convolution(x, channels, 3, stride, dtype, mirrored), dtype)
    y = _convolution(y, channels, 3, 1, dtype, mirrored, first_scale="zeros")
    return _activated(layers.Add(dtype=dtype)([y, shortcut]), dtype)


def _convolution(
    x: Any,
    channels: int,
    size: int,
    stride: int,
    dtype: str,
    mirrored: bool,
    first_scale: str = "ones",
) -> Any:
    """Convolution and batch normalisation, without the activation."""
    from keras import layers

    from .batch_norm import batch_normalization
    from .mirror import mirror_convolution, pair_normalization

    if mirrored:
        assert stride == 1
        x = mirror_convolution(channels, size, dtype)(x)
        return pair_normalization(dtype, first_scale)(x)
    x = layers.Conv2D(
        channels,
        size,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        dtype=dtype,
    )(x)
    return batch_normalization(dtype, first_scale)(x)


def _activated(x: Any, dtype: str) -> Any:
    from keras import layers

    return layers.Activation("relu", dtype=dtype)(x)


ARCHITECTURES: dict[str, Builder] = {
    "demo-cnn": demo_cnn,
    "small-resnet": small_resnet,
    "wide-resnet": wide_resnet,
    "large-resnet": large_resnet,
    "mirror-resnet": mirror_resnet,
}
