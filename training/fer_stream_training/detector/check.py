"""The check: a small network that looks again at each square that a detector takes for a face.

A detector must see every place of a picture at once, and is small for that; what it finds are few
places, at which a closer look costs little. The network learns from the detector's own answers
about scenes: its mistakes, and the faces that it is unsure of.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..batch_norm import batch_normalization
from ..metadata import own_properties
from ..processor import compute_dtype
from .candidates import AROUND, SIDE, WORTH_FROM, Candidates
from .export import proven
from .schedule import rise_and_fall

if TYPE_CHECKING:
    import keras
    import onnx

_CHANNELS = (16, 32, 48, 64)  # at strides 2, 4, 8 and 16
_BATCH = 256
_LR = 3e-3  # the highest of the run
_WEIGHT_DECAY = 1e-3
_SMOOTHING = 0.05  # of the answers: among the squares are some that nobody could tell
_PROOFS = 64  # squares that the exported file is compared on


def build(dtype: str = "float32") -> keras.Model:
    """(N, SIDE, SIDE, 1) float32 grey 0..255 to (N, 1) float32, the log-odds of a face."""
    import keras
    from keras import layers

    def conv(x: keras.KerasTensor, channels: int, stride: int = 1) -> keras.KerasTensor:
        x = layers.Conv2D(channels, 3, stride, padding="same", use_bias=False, dtype=dtype)(x)
        return layers.ReLU(dtype=dtype)(batch_normalization(dtype)(x))

    grey = keras.Input((SIDE, SIDE, 1), name="grey")
    x = layers.Rescaling(1 / 128, -1, dtype=dtype)(grey)
    x = conv(conv(x, _CHANNELS[0], 2), _CHANNELS[1])
    for channels in _CHANNELS[1:3]:
        x = conv(x, channels, 2)
        x = layers.Add(dtype=dtype)([x, conv(conv(x, channels), channels)])
    x = conv(x, _CHANNELS[3], 2)
    x = layers.Dropout(0.3, dtype=dtype)(layers.Flatten(dtype=dtype)(x))
    return keras.Model(grey, layers.Dense(1, dtype="float32")(x))


def train_check(
    found: Candidates, epochs: int, seed: int, report: Callable[[int, float], None]
) -> keras.Model:
    """Train on a detector's answers; `report` is told the finished epochs and their mean loss."""
    import keras

    keras.utils.set_random_seed(seed)
    random = np.random.default_rng((seed, 3))
    model = build(compute_dtype())
    steps = max(len(found.images) // _BATCH, 1)
    model.compile(
        keras.optimizers.AdamW(rise_and_fall(_LR, epochs * steps), weight_decay=_WEIGHT_DECAY),
        keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=2 * _SMOOTHING),
    )
    for epoch in range(epochs):
        order = random.permutation(len(found.images))
        losses = []
        for step in range(steps):
            batch = order[step * _BATCH : (step + 1) * _BATCH]
            faces = found.faces[batch, None].astype(np.float32)
            losses.append(model.train_on_batch(_varied(found.images[batch], random), faces))
            model.reset_metrics()
        report(epoch + 1, float(np.mean(losses)))
    return model


def _varied(images: npt.NDArray[np.uint8], random: np.random.Generator) -> npt.NDArray[np.float32]:
    """Mirrored and relit, (B, SIDE, SIDE, 1) float32 0..255."""
    count = (len(images), 1, 1)
    images = np.where(random.random(count) < 0.5, images[:, :, ::-1], images)
    contrast = random.uniform(0.6, 1.3, count).astype(np.float32)
    lighter = random.uniform(-40, 40, count).astype(np.float32)
    varied = np.clip((images - np.float32(128)) * contrast + 128 + lighter, 0, 255)
    return np.asarray(varied[..., None], np.float32)


def exported_check(model: keras.Model, found: Candidates, trained_on: str) -> onnx.ModelProto:
    """The ONNX file of a trained check; raises ModelError when the two differ."""
    import onnx

    float32 = build("float32")
    float32.set_weights(model.get_weights())

    def answer(grey: Any) -> Any:
        return float32(grey, training=False)

    images = found.images[:_PROOFS, ..., None].astype(np.float32)
    proto = proven(answer, (None, SIDE, SIDE, 1), images, "odds")
    properties = {
        "name": "face-check",
        "check": json.dumps({"around": AROUND, "worth_from": WORTH_FROM}),
        "input": json.dumps({"layout": "NHWC", "range": [0, 255], "colour": "grey"}),
        "trained_on": trained_on,
    }
    onnx.helper.set_model_props(proto, own_properties(properties))
    return proto
