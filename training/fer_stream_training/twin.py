"""Making an int8 twin from a model file and labelled faces, and measuring both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fer_stream.classifiers.onnx import OnnxClassifier
from fer_stream.models.output import unfinished

from .calibration import UNCERTAIN_BELOW, apply_temperature, fit_temperature
from .data import Dataset, Split, load_dataset
from .evaluation import evaluate
from .export import check_out
from .measuring import Measurement, classify, labels_for, measure
from .metadata import ModelMetadata
from .quantise import quantised, require_quantisable, write_twin_metadata

if TYPE_CHECKING:
    import onnx


@dataclass(frozen=True, slots=True)
class Comparison:
    """A model and its twin on the same images."""

    original: Measurement
    twin: Measurement
    agreement: float
    """Share of the images that both give the same label, 0..1."""


def make_twin(model: str, data_path: Path, out: Path, begins: Callable[[], object]) -> Comparison:
    """Write the int8 twin of ``model`` (a file or a shipped name) to ``out`` and measure both.

    ``begins`` is called when all that can be refused was looked at, before the long work.
    Raises ConfigError or ModelError, leaving no file, for data that does not fit the model, or a
    model that cannot be quantised.
    """
    import onnx

    original = OnnxClassifier(model)
    check_out(out, original.info.path)
    data = load_dataset(data_path, original.input_size)
    labels_for(original, data.validation)  # a mismatch shows now rather than after the work
    require_quantisable(original.info)
    begins()
    proto, source = quantised(original.info, data.training.images), onnx.load(original.info.path)
    with unfinished(out) as path:
        info = original.info
        about = ModelMetadata(
            f"{info.name}-int8", info.labels, info.height, info.width, info.layout
        )
        _write(proto, source, about, path)
        about = _measured(OnnxClassifier(str(path)), about, data)
        _write(proto, source, about, path)
        return _compared(original, OnnxClassifier(str(path)), data.validation)


def _write(
    proto: onnx.ModelProto, source: onnx.ModelProto, about: ModelMetadata, path: Path
) -> None:
    write_twin_metadata(proto, source, about)
    path.write_bytes(proto.SerializeToString())


def _measured(bare: OnnxClassifier, about: ModelMetadata, data: Dataset) -> ModelMetadata:
    """``about`` with the figures of ``bare``, the twin without a temperature."""
    labels = labels_for(bare, data.validation)
    probabilities = classify(bare, data.validation.images)
    # As many digits as the file will hold.
    temperature = round(fit_temperature(probabilities, labels) or 1.0, 4)
    calibrated = apply_temperature(probabilities, temperature)
    return replace(
        about,
        accuracy_data=f"{data.name} {data.validation.name}",
        accuracy_images=len(data.validation),
        accuracy=evaluate(calibrated, labels).accuracy,
        temperature=temperature,
        uncertain_below=UNCERTAIN_BELOW,
    )


def _compared(original: OnnxClassifier, twin: OnnxClassifier, split: Split) -> Comparison:
    first, second = (classify(one, split.images).argmax(axis=1) for one in (original, twin))
    return Comparison(
        original=measure(original, split, lambda _: None),
        twin=measure(twin, split, lambda _: None),
        agreement=float((first == second).mean()),
    )
