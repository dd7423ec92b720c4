"""The detector's network: plain convolutions, and one small head for each size of face."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..batch_norm import batch_normalization
from .layout import LEVELS

if TYPE_CHECKING:
    import keras

_STEM = (12, 24)  # channels at strides 2 and 4
_BODY = (40, 56, 56)  # at each level's stride
_HEAD = 32
_PRIOR = -4.0  # a first score of 0.02: nearly all cells see no face


def box_layer(stride: int) -> str:
    """The name of the layer that gives the boxes of one level."""
    return f"box_{stride}"


def build(dtype: str = "float32") -> keras.Model:
    """(N, H, W, 1) float32 grey 0..255, H and W multiples of 32, to (N, C, 4) float32.

    A cell's numbers: the logit of its score, then its box (`layout.targets`).
    """
    import keras
    from keras import layers

    def conv(x: keras.KerasTensor, channels: int, stride: int = 1) -> keras.KerasTensor:
        # Symmetric padding, the same at any size; "same" would shift the grid with odd ones.
        x = layers.ZeroPadding2D(1, dtype=dtype)(x)
        x = layers.Conv2D(
            channels, 3, stride, use_bias=False, kernel_initializer="he_normal", dtype=dtype
        )(x)
        return layers.ReLU(dtype=dtype)(batch_normalization(dtype)(x))

    def block(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
        return layers.Add(dtype=dtype)([x, conv(conv(x, channels), channels)])

    def head(x: keras.KerasTensor, stride: int) -> keras.KerasTensor:
        x = conv(x, _HEAD)
        prior = keras.initializers.Constant(_PRIOR)
        score = layers.Conv2D(1, 1, bias_initializer=prior, dtype="float32")(x)
        box = layers.Conv2D(3, 1, dtype="float32", name=box_layer(stride))(x)
        joined = layers.Concatenate(dtype="float32")([score, box])
        return layers.Reshape((-1, 4), dtype="float32")(joined)

    grey = keras.Input((None, None, 1), name="grey")
    x = layers.Rescaling(1 / 128, -1, dtype=dtype)(grey)
    x = conv(conv(conv(x, _STEM[0], 2), _STEM[1], 2), _STEM[1])
    heads = []
    for channels, level in zip(_BODY, LEVELS, strict=True):
        x = block(conv(x, channels, 2), channels)
        heads.append(head(x, level.stride))
    return keras.Model(grey, layers.Concatenate(axis=1, dtype="float32")(heads))
