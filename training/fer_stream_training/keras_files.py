"""Reading what people save from Keras: a whole model, or the known demo's weights alone."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_stream.errors import ModelError

from .architectures import ARCHITECTURES
from .batch_norm import float32_batch_normalization, register_fused
from .fer2013 import IMAGE_SIZE
from .scaling import INPUT_RANGES, ranges_of

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True)
class KerasFile:
    """A model that computes in float32, and what its file says of it."""

    model: keras.Model
    own_ranges: tuple[str, ...]
    """The keys of `INPUT_RANGES` that suit how it begins, the likeliest first; none: not said."""
    notes: tuple[str, ...] = ()
    """What a person should know of how the file was read, a line each."""


def load_keras(path: Path, classes: int) -> KerasFile:
    """Read a Keras 3 `.keras` file, a whole legacy `.h5`, or the demo's weights of ``classes``.

    Raises ModelError, one line that says what to do, for anything else.
    """
    if path.is_dir():
        raise ModelError(
            f"{path} is a folder; expected a file, .keras or .h5; load a SavedModel in the Keras "
            "that made it and save it with model.save('model.keras')"
        )
    if not path.is_file():
        raise ModelError(f"no such file: {path}; expected a model saved by Keras, .keras or .h5")
    if path.suffix in (".h5", ".hdf5"):
        if not _holds_a_model(path):
            return _demo_weights(path, classes)
    elif path.suffix != ".keras":
        raise ModelError(
            f"{path} is no Keras file by its name; expected .keras or .h5; save the model with "
            "model.save('model.keras')"
        )
    elif not zipfile.is_zipfile(path):
        raise ModelError(f"{path} is damaged or no Keras file; expected what model.save() writes")
    return _whole_model(path)


def _holds_a_model(path: Path) -> bool:
    """Whether an HDF5 file describes its network, and not weights alone."""
    import h5py

    try:
        with h5py.File(path) as file:
            return "model_config" in file.attrs
    except OSError as error:
        raise ModelError(
            f"{path} is damaged or no HDF5 file ({error}); expected what model.save() writes"
        ) from None


def _whole_model(path: Path) -> KerasFile:
    import keras

    register_fused()
    try:
        model = keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever a layer's constructor raised
        raise ModelError(
            f"cannot load {path}: {_reason(error)}; expected a model of Keras's own layers; save "
            "it again with model.save('model.keras') in the Keras that is installed here, its own "
            "classes replaced by layers of Keras"
        ) from None
    if not model.built:
        raise ModelError(
            f"{path} does not say how large its pictures are; expected a model that begins with "
            "keras.Input((height, width, 1)); add it and save the model again"
        )
    own_ranges = ranges_of(_first_layer(model))
    others = sorted({layer.compute_dtype for layer in layers_of(model)} - {"float32"})
    if not others:
        return KerasFile(model, own_ranges)
    note = f"{path.name} computes in {' and '.join(others)}; it is exported in float32"
    return KerasFile(_in_float32(model), own_ranges, (note,))


def _reason(error: Exception) -> str:
    """The part of Keras's message that says what is wrong, on one line of bearable length."""
    text = str(error).rpartition("Exception encountered: ")[2]
    text = " ".join(text.split()).partition("Full object config")[0]
    return text.partition(". ")[0].strip()[:200]


def _first_layer(model: keras.Model) -> Any:
    """The first layer that does something at inference, None if there is none."""
    for layer in layers_of(model):
        name = type(layer).__name__
        if name != "InputLayer" and not name.startswith("Random"):
            return layer
    return None


def layers_of(model: keras.Model) -> Iterator[Any]:
    """The layers of a model, and of the models in it."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from layers_of(layer)
        else:
            yield layer


def _in_float32(model: keras.Model) -> keras.Model:
    """The same network and weights, computing in float32: ONNX on a CPU has no other."""
    import keras

    def converted(layer: Any) -> Any:
        config = layer.get_config() | {"dtype": "float32"}
        return float32_batch_normalization(layer) or type(layer).from_config(config)

    clone = keras.models.clone_model(model, clone_function=converted, recursive=True)
    clone.set_weights(model.get_weights())
    for layer in layers_of(clone):
        if hasattr(layer, "finalize_state"):  # Normalization computes with a copy of its weights
            layer.finalize_state()
    return clone


def _demo_weights(path: Path, classes: int) -> KerasFile:
    """The known demo's network with the weights in ``path``; it was trained on 0..1."""
    import keras

    size = (IMAGE_SIZE, IMAGE_SIZE)
    # Without our Rescaling, for the demo scaled its pictures before the network.
    layers = ARCHITECTURES["demo-cnn"](classes, size, "float32").layers[1:]
    model = keras.Sequential([keras.Input((*size, 1)), *layers], name="demo_cnn")
    try:
        _load_every_weight(path, model)
    except Exception:  # Keras raises errors of several kinds when weights do not fit
        raise ModelError(
            f"{path} holds weights without their network, and they do not fit the only one that is "
            f"known without being told, the four-layer demo CNN with {classes} labels; save the "
            "whole model with model.save('model.keras')"
        ) from None
    note = (
        f"{path.name} holds weights alone; they fit the four-layer demo CNN, which was trained on "
        "0..1 and with the labels in the order of its folders: angry, disgusted, fearful, happy, "
        "neutral, sad, surprised"
    )
    own_ranges = ("0..1", *(other for other in INPUT_RANGES if other != "0..1"))
    return KerasFile(model, own_ranges, (note,))


def _load_every_weight(path: Path, model: keras.Model) -> None:
    """Load weights alone, and raise what Keras raises, or ValueError, where they do not fit."""
    # Keras says nothing of layers in the file that the network has not.
    if _shapes_in(path) != sorted(weights.shape for weights in model.get_weights()):
        raise ValueError(path)
    model.load_weights(path)


def _shapes_in(path: Path) -> list[tuple[int, ...]]:
    """The shapes of the weights in an HDF5 file, sorted."""
    import h5py

    shapes: list[tuple[int, ...]] = []

    def note(name: str, item: Any) -> None:
        # Neither what an optimizer remembers nor the seeds of dropout, which are whole numbers.
        if getattr(item, "dtype", np.dtype(int)).kind == "f" and not name.startswith("optimizer"):
            shapes.append(item.shape)

    with h5py.File(path) as file:
        file.visititems(note)
    return sorted(shapes)
