"""What a finished run leaves behind: the model in two forms, its figures, pictures, a report."""

from __future__ import annotations

import importlib
import platform
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fer_stream.words import counted

from .calibration import (
    UNCERTAIN_BELOW,
    Certainty,
    apply_temperature,
    calibration_error,
    certainty,
    fit_temperature,
)
from .checkpoint import EpochRecord, RunState, write_history
from .data import Dataset
from .evaluation import Evaluation, class_table, confusion_table, evaluate
from .export import Parity, compare, float32_model, onnx_predictor, require_parity, to_onnx
from .files import replacing, write_text, write_whole
from .metadata import ModelMetadata, write_metadata
from .plots import write_confusion, write_curves
from .settings import TrainingSettings
from .trainer import predict

MODEL_NAME = "model.onnx"
_KERAS_NAME = "model.keras"
_PACKAGES = (
    "fer_stream_training",
    "fer_stream",
    "tensorflow",
    "keras",
    "tf2onnx",
    "onnx",
    "onnxruntime",
    "numpy",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The figures of a finished run, all of the exported ONNX model on the validation images."""

    evaluation: Evaluation  # with the temperature applied, as a run of fer-stream does
    parity: Parity
    temperature: float
    fitted: bool  # False: no temperature fits the images, so it is 1
    calibration_before: float  # expected calibration error, 0..1
    calibration_after: float  # the same with the temperature applied
    certainty: Certainty  # with the temperature applied
    parameters: int
    epochs: int  # trained
    best: EpochRecord

    def temperature_words(self, digits: int) -> str:
        """The temperature, and that none was found where that is so."""
        words = f"temperature {self.temperature:.{digits}f}"
        return words if self.fitted else f"{words} (none fits these images)"


def finish(
    folder: Path, data: Dataset, settings: TrainingSettings, state: RunState, command: str
) -> Outcome:
    """Export the best weights and write every artifact into ``folder``; the model files last.

    Raises ModelError, leaving no model file, when the ONNX model is not the Keras model.
    """
    model = float32_model(settings.arch, len(data.class_names), data.size, state.best)
    proto = to_onnx(model)
    probabilities = onnx_predictor(proto.SerializeToString())(data.validation.images)
    parity = compare(predict(model, data.validation.images), probabilities)
    require_parity(parity)
    outcome = _measure(probabilities, data.validation.labels, parity, model.count_params(), state)
    write_metadata(proto, _metadata(settings, data, outcome))
    # Once more, for a kill between checkpoint and history loses the last row of the latter.
    write_history(folder, state.history)
    title = f"{settings.arch} on {data.name}"
    write_curves(folder / "accuracy.png", state.history, title)
    write_confusion(
        folder / "confusion.png",
        outcome.evaluation,
        data.class_names,
        f"{title}, {data.validation.name}",
    )
    write_text(folder / "report.md", _report(data, settings, outcome, command))
    with replacing(folder / _KERAS_NAME) as path:
        model.save(path)
    write_whole(folder / MODEL_NAME, proto.SerializeToString())
    return outcome


def _measure(
    probabilities: npt.NDArray[np.float32],
    labels: npt.NDArray[np.uint8],
    parity: Parity,
    parameters: int,
    state: RunState,
) -> Outcome:
    best = state.best_record
    assert best is not None
    fitted = fit_temperature(probabilities, labels)
    temperature = round(fitted or 1.0, 4)  # as many digits as the file will hold
    calibrated = apply_temperature(probabilities, temperature)
    return Outcome(
        evaluation=evaluate(calibrated, labels),
        parity=parity,
        temperature=temperature,
        fitted=fitted is not None,
        calibration_before=calibration_error(probabilities, labels),
        calibration_after=calibration_error(calibrated, labels),
        certainty=certainty(calibrated, labels, UNCERTAIN_BELOW),
        parameters=parameters,
        epochs=len(state.history),
        best=best,
    )


def _metadata(settings: TrainingSettings, data: Dataset, outcome: Outcome) -> ModelMetadata:
    return ModelMetadata(
        name=settings.arch,
        labels=data.class_names,
        height=data.size[0],
        width=data.size[1],
        trained_on=f"{data.name} {data.training.name}, {len(data.training):,} images",
        accuracy_data=f"{data.name} {data.validation.name}",
        accuracy_images=len(data.validation),
        accuracy=outcome.evaluation.accuracy,
        temperature=outcome.temperature,
        uncertain_below=outcome.certainty.below,
    )


def _report(data: Dataset, settings: TrainingSettings, outcome: Outcome, command: str) -> str:
    evaluation, parity, names = outcome.evaluation, outcome.parity, data.class_names
    versions = ", ".join(
        f"{name} {importlib.import_module(name).__version__}" for name in _PACKAGES
    )
    chosen = ", ".join(
        f"{name} {'none' if value in ('', []) else value}"
        for name, value in settings.as_dict().items()
    )
    return f"""# {settings.arch}: training report

    {command}

* Settings: {chosen}
* Versions: Python {platform.python_version()}, {versions}
* Data: {data.name}, {data.training.name} {len(data.training):,} images, \
{data.validation.name} {len(data.validation):,} images, {data.size[1]}x{data.size[0]} px; SHA-256 \
`{data.sha256()}`
* Parameters: {outcome.parameters:,}
* Accuracy of `{MODEL_NAME}` on {data.validation.name}: **{evaluation.accuracy:.2%}**, \
macro-F1 {evaluation.macro_f1:.3f}, cross-entropy {evaluation.loss:.4f} nats. \
Of the {counted(outcome.epochs, "epoch")} the best on these same images is kept (number \
{outcome.best.epoch}), so expect a little less on unseen ones.
* Calibration on {data.validation.name}: {outcome.temperature_words(4)}; expected \
calibration error {outcome.calibration_before:.4f} without it, {outcome.calibration_after:.4f} \
with it.
* {_certainty_line(outcome.certainty)}
* Parity of ONNX with float32 Keras over {parity.images:,} images: largest difference \
{parity.max_difference:.2g}, labels that differ {parity.disagreements}.

## Labels

{class_table(evaluation, names)}

## Confusion

Images by their label (rows) and by the model's answer (columns):

{confusion_table(evaluation, names)}

![who is taken for whom](confusion.png)

## Course

![accuracy and loss](accuracy.png)
"""


def _certainty_line(certainty: Certainty) -> str:
    line = f"Uncertain: answers with a score under {certainty.below:.4f}"
    if not certainty.share:
        return f"{line}; here are none."
    line += f", {certainty.share:.1%} of all and {certainty.accuracy:.1%} of them right"
    return line + (
        f"; {certainty.accuracy_of_rest:.1%} of the others." if certainty.share < 1 else "."
    )
