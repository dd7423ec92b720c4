"""A person's own Keras model as a model file of fer-stream, proven equal to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from fer_stream.errors import ConfigError, ModelError
from fer_stream.words import counted

from .export import Parity, compare, onnx_predictor, require_parity, to_onnx
from .keras_files import KerasFile, layers_of
from .metadata import ModelMetadata, write_metadata
from .scaling import INPUT_RANGES

if TYPE_CHECKING:
    import keras
    import onnx

_PARITY_IMAGES = 64  # of each kind
_NO_ACTIVATION = ("GlobalAveragePooling2D", "AveragePooling2D", "Flatten", "Reshape", "Dropout")


def input_range_of(path: Path, file: KerasFile, asked: str | None) -> str:
    """The key of INPUT_RANGES to use.

    Raises ConfigError when nobody says what it is, or when the file says something else.
    """
    if asked and file.own_ranges and asked not in file.own_ranges:
        raise ConfigError(
            f"{path} begins with a layer that scales pictures of {file.own_ranges[0]} by itself; "
            f"--input-range {asked} would scale them twice; leave it out"
        )
    if asked:
        return asked
    if file.own_ranges:
        return file.own_ranges[0]
    raise ConfigError(
        f"{path} does not say how its pictures were scaled, for it does not begin with a Rescaling "
        f"or Normalization layer that shows it; give the range of its pixels in training with "
        f"--input-range, one of {', '.join(INPUT_RANGES)}"
    )


def check_shapes(path: Path, model: keras.Model, labels: tuple[str, ...]) -> None:
    """Raise ModelError unless the model takes pictures and scores each of ``labels``."""
    match model.input_shape:
        case (None, int(), int(), 1 | 3):
            pass
        case shape:
            raise ModelError(
                f"{path} takes {shape}; expected pictures of one size, (None, height, width, 1) "
                "grey or (None, height, width, 3) colour; save it with such an Input"
            )
    match model.output_shape:
        case (None, int(count)) if count == len(labels):
            pass
        case (None, int(count)):
            raise ConfigError(
                f"{path} gives {counted(count, 'score')} and --labels names {len(labels)}; "
                "expected a name for each score, in their order"
            )
        case shape:
            raise ModelError(
                f"{path} gives {shape}; expected one score for each label, (None, {len(labels)})"
            )


def convert(
    path: Path, model: keras.Model, input_range: str, labels: tuple[str, ...], name: str
) -> tuple[onnx.ModelProto, Parity, bool]:
    """Convert ``model``, which was read from ``path``.

    Returns the ONNX model with metadata, how well it agrees with Keras, and whether a softmax was
    added. Raises ModelError when it cannot be converted, or does not agree.
    """
    height, width, _ = model.input_shape[1:]
    images = parity_images(height, width)
    scores = _own_scores(model, images, input_range)
    needs_softmax = _needs_softmax(path, model, scores)
    try:
        proto = to_onnx(_with_raw_input(model, input_range, needs_softmax))
        actual = onnx_predictor(proto.SerializeToString())(images)
    except Exception as error:  # those of tf2onnx and onnxruntime share no base class
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"cannot convert {path} to ONNX: {reason}; expected layers that tf2onnx knows; replace "
            "the others"
        ) from None
    parity = compare(_softmax(scores) if needs_softmax else scores, actual)
    require_parity(parity)
    write_metadata(proto, ModelMetadata(name=name, labels=labels, height=height, width=width))
    return proto, parity, needs_softmax


def parity_images(height: int, width: int) -> npt.NDArray[np.uint8]:
    """Pictures to compare two models on, (N, height, width) uint8 grey, always the same.

    Noise, soft blotches as different as faces are, and the extremes: black, grey, white, slopes.
    """
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (_PARITY_IMAGES, height, width)).astype(np.uint8)
    blotches = [
        cv2.resize(random.uniform(0, 255, (6, 6)).astype(np.uint8), (width, height))
        for _ in range(_PARITY_IMAGES)
    ]
    plain = [np.full((height, width), level, np.uint8) for level in (0, 127, 255)]
    down = np.repeat(np.linspace(0, 255, height).astype(np.uint8)[:, None], width, axis=1)
    across = np.repeat(np.linspace(0, 255, width).astype(np.uint8)[None], height, axis=0)
    return np.stack([*noise, *blotches, *plain, down, across, 255 - down, 255 - across])


def _own_scores(
    model: keras.Model, images: npt.NDArray[np.uint8], input_range: str
) -> npt.NDArray[np.float32]:
    """What the model itself says, (N, K), with the scaling done outside of it."""
    scale, offset = INPUT_RANGES[input_range]
    inputs = images.astype(np.float32)[..., None] * np.float32(scale) + np.float32(offset)
    inputs = np.repeat(inputs, model.input_shape[-1], axis=-1)
    return np.asarray(model.predict_on_batch(inputs), np.float32)


def _needs_softmax(path: Path, model: keras.Model, scores: npt.NDArray[np.float32]) -> bool:
    """Whether the model ends in logits; raises ModelError if it ends in anything else unfit."""
    if np.all(scores >= 0) and np.allclose(scores.sum(axis=1), 1, atol=1e-3):
        return False
    if _last_activation(model) == "linear":
        return True
    raise ModelError(
        f"{path} gives scores that sum to {float(scores[0].sum()):.3g}; expected probabilities "
        "that sum to 1, as after softmax, or logits; end the model in one of the two"
    )


def _last_activation(model: keras.Model) -> str:
    """The name of the activation of the last layer that has one; what only averages has none."""
    for layer in reversed(list(layers_of(model))):
        if type(layer).__name__ not in _NO_ACTIVATION:
            return getattr(getattr(layer, "activation", None), "__name__", "")
    return ""


def _with_raw_input(model: keras.Model, input_range: str, softmax: bool) -> keras.Model:
    """The model with (N, H, W, 1) grey 0..255 going in and probabilities coming out."""
    import keras
    from keras import layers

    height, width, channels = model.input_shape[1:]
    grey = keras.Input((height, width, 1), name="grey")
    scale, offset = INPUT_RANGES[input_range]
    x = grey if input_range == "0..255" else layers.Rescaling(scale, offset)(grey)
    if channels == 3:
        x = layers.Concatenate()([x, x, x])
    x = model(x)
    if softmax:
        x = layers.Softmax()(x)
    return keras.Model(grey, x)


def _softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
