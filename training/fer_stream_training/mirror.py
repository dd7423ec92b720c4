"""Layers of a network that answers alike for a face and its mirror image, by how it is built.

Its channels come in pairs, number c of the first half with number c of the second: what one says of
a picture, the other says of the mirror image, at the mirrored place. So half of the weights are to
be learned, each from both sides of every face. After Cohen and Welling, "Group equivariant
convolutional networks", arXiv:1602.07576, with the group of two. A trained one becomes an ordinary
network, of Keras's own layers, by `unfolded`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .batch_norm import batch_normalization, is_fused
from .checkpoint import Arrays

if TYPE_CHECKING:
    import keras


def mirror_convolution(channels: int, size: int, dtype: str) -> Any:
    """A convolution without stride or bias, (N, H, W, C) to (N, H, W, ``channels``), in pairs.

    Its input's channels are pairs too, unless there is only one: a grey picture.
    """
    return _layers().convolution(channels, size, dtype=dtype)


def pair_normalization(dtype: str, first_scale: str = "ones") -> Any:
    """Batch normalisation of (N, H, W, C), with one scale, offset, mean and variance for a pair."""
    return _layers().normalization(first_scale, dtype=dtype)


def pair_softmax(classes: int) -> Any:
    """From the channels' means, (N, C), to (N, ``classes``) float32 probabilities."""
    return _layers().softmax(classes, dtype="float32")


def unfolded(model: keras.Model) -> keras.Model:
    """The same network of Keras's own layers, in float32; one without pairs as it is."""
    import keras

    if not any(map(_is_paired, model.layers)):
        return model

    def plain(layer: Any) -> Any:
        return layer.plain() if _is_paired(layer) else type(layer).from_config(layer.get_config())

    twin = keras.models.clone_model(model, clone_function=plain)
    for layer, other in zip(model.layers, twin.layers, strict=True):
        values = layer.get_weights()
        other.set_weights(layer.unfold(values) if _is_paired(layer) else values)
    return twin


def folded(weights: Arrays, model: keras.Model) -> Arrays:
    """The weights of an `unfolded` network for ``model`` with its pairs; any others as they are."""
    if len(weights) != len(model.weights):
        return weights
    rest = iter(weights)
    result: Arrays = []
    for layer in model.layers:
        values = [next(rest) for _ in layer.weights]
        if _is_paired(layer):
            own = layer.fold(values)
            if not all(map(np.array_equal, layer.unfold(own), values)):
                return weights
            values = own
        result += values
    return result


def _is_paired(layer: Any) -> bool:
    return isinstance(layer, tuple(_layers()))


class _Layers(NamedTuple):
    convolution: Any
    normalization: Any
    softmax: Any


@cache
def _layers() -> _Layers:
    """The layers' classes; made on first use, for their base class is Keras's to load."""
    import keras
    from keras import ops

    class MirrorConvolution(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, channels: int, size: int, **options: Any) -> None:
            super().__init__(**options)
            self._channels = channels
            self._size = size

        def build(self, shape: tuple[int | None, ...]) -> None:
            self.kernel = self.add_weight(
                shape=(self._size, self._size, shape[-1], self._channels // 2),
                initializer="he_normal",
                name="kernel",
            )

        def call(self, x: Any) -> Any:
            return ops.conv(
                x, _both(self.kernel, ops.flip, ops.roll, ops.concatenate), padding="same"
            )

        def plain(self) -> Any:
            return keras.layers.Conv2D(
                self._channels, self._size, padding="same", use_bias=False, name=self.name
            )

        def unfold(self, own: Arrays) -> Arrays:
            return [_both(kernel, np.flip, np.roll, np.concatenate) for kernel in own]

        def fold(self, full: Arrays) -> Arrays:
            return [kernel[..., : kernel.shape[-1] // 2] for kernel in full]

    class PairNormalization(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, first_scale: str, **options: Any) -> None:
            super().__init__(**options)
            dtype = self.dtype_policy.name
            # oneDNN normalises 16 channels at once. It takes 20 times as long for a number of
            # them that is no multiple of 16, as 24 or 56, than for 48 or 112.
            self._groups = 2 if is_fused(dtype) else 1
            self._inner = batch_normalization(dtype, first_scale, groups=self._groups)

        def build(self, shape: tuple[int | None, ...]) -> None:
            assert shape[-1] is not None
            self._inner.build((None, None, None, shape[-1] // 2 * self._groups))

        def call(self, x: Any, training: bool = False) -> Any:
            if self._groups == 2:
                return self._inner(x, training=training)
            # The two of a pair side by side, as if the picture were twice as wide.
            height, width, channels = x.shape[1:]
            y = ops.reshape(x, (-1, height, 2 * width, channels // 2))
            return ops.reshape(self._inner(y, training=training), (-1, height, width, channels))

        def plain(self) -> Any:
            return batch_normalization("float32", name=self.name)

        def unfold(self, own: Arrays) -> Arrays:
            return [np.concatenate((value, value)) for value in own]

        def fold(self, full: Arrays) -> Arrays:
            return [value[: len(value) // 2] for value in full]

    class PairSoftmax(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, classes: int, **options: Any) -> None:
            super().__init__(**options)
            self._classes = classes

        def build(self, shape: tuple[int | None, ...]) -> None:
            assert shape[-1] is not None
            size = (shape[-1] // 2, self._classes)
            self.kernel = self.add_weight(shape=size, name="kernel")
            self.bias = self.add_weight(shape=(self._classes,), initializer="zeros", name="bias")

        def call(self, x: Any) -> Any:
            kernel = ops.concatenate((self.kernel, self.kernel))
            return ops.softmax(ops.matmul(x, kernel) + self.bias)

        def plain(self) -> Any:
            return keras.layers.Dense(self._classes, activation="softmax", name=self.name)

        def unfold(self, own: Arrays) -> Arrays:
            kernel, bias = own
            return [np.concatenate((kernel, kernel)), bias]

        def fold(self, full: Arrays) -> Arrays:
            kernel, bias = full
            return [kernel[: len(kernel) // 2], bias]

    return _Layers(MirrorConvolution, PairNormalization, PairSoftmax)


def _both(kernel: Any, flip: Any, roll: Any, concatenate: Any) -> Any:
    """The kernels of the first channels, (h, w, in, out), and after them those of the second."""
    # The mirror image has the pairs' channels the other way round.
    other = roll(flip(kernel, axis=1), kernel.shape[2] // 2, axis=2)
    return concatenate((kernel, other), axis=3)
