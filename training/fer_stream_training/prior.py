"""What a run takes over from earlier ones: what they say of the faces, and their weights."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_stream.errors import ConfigError

from .architectures import ARCHITECTURES
from .checkpoint import Arrays
from .data import Dataset
from .growth import grown
from .keras_files import load_keras
from .mirror import folded

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True)
class Prior:
    """The files of earlier runs that a run builds on."""

    teachers: tuple[Path, ...] = ()
    """Their `model.onnx`: see `distillation`."""
    start_from: Path | None = None
    """Its `model.keras`, whose weights are the run's first ones; a narrower network's are grown."""

    def as_settings(self) -> dict[str, Any]:
        """The files' SHA-256; raises ConfigError for one that cannot be read."""
        start = _sha256(self.start_from, "--start-from") if self.start_from else ""
        teachers = tuple(_sha256(path, "--teacher") for path in self.teachers)
        return {"teachers": teachers, "start_from": start}

    def first_weights(self, arch: str, data: Dataset) -> Arrays | None:
        """The weights to begin with, None for random ones.

        Raises ModelError for a file that is no Keras model, ConfigError for another network's.
        """
        if self.start_from is None:
            return None
        classes = len(data.class_names)
        model = load_keras(self.start_from, classes).model
        own = ARCHITECTURES[arch](classes, data.size, "float32")
        weights = None
        if model.output_shape[-1] == classes and _takes_faces_of(model, arch, own):
            weights = grown(folded(model.get_weights(), own), own.get_weights())
        if weights is None:
            raise ConfigError(
                f"the weights of {self.start_from} do not fit {arch} for {classes} classes; "
                "expected the model.keras of a run with the same --arch, or a narrower one of its "
                "kind, and the same kind of data; leave out --start-from"
            )
        return weights


def _takes_faces_of(model: keras.Model, arch: str, own: keras.Model) -> bool:
    """Whether ``own`` can use the model's weights of each place in the face, if it has such.

    A network that averages over all places takes pictures of any size alike. One that ends in a
    layer over all places has other weights for another size.
    """
    size, classes = model.input_shape[1:3], own.output_shape[-1]
    if size == own.input_shape[1:3]:
        return True
    if not all(isinstance(side, int) for side in size):
        return False
    other = ARCHITECTURES[arch](classes, size, "float32")
    return [w.shape for w in other.weights] == [w.shape for w in own.weights]


def _sha256(path: Path, flag: str) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigError(
            f"cannot read {path} ({error.strerror}); expected a model of an earlier run; "
            f"check {flag}"
        ) from error
