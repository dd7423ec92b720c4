"""A measurement as text for people and as values for programs."""

from __future__ import annotations

import math
from typing import Any

from .calibration import Certainty
from .evaluation import class_table, confusion_table
from .measuring import BATCH_SIZES, Measurement
from .tables import markdown_table


def as_markdown(measurement: Measurement) -> str:
    """Every figure in Markdown tables, readable as they are."""
    model, evaluation = measurement.model, measurement.evaluation
    figures = {
        "accuracy": f"{evaluation.accuracy:.2%}",
        "macro-F1": f"{evaluation.macro_f1:.3f}",
        "cross-entropy": f"{evaluation.loss:.4f} nats",
        "expected calibration error": f"{measurement.calibration_error:.4f}",
        "temperature": "(not said)" if model.temperature is None else f"{model.temperature:.4f}",
        **_certainty_figures(measurement.certainty),
        **{
            f"per face, {size} at once": f"{measurement.ms_per_face[size]:.2f} ms"
            for size in BATCH_SIZES
        },
    }
    rows = [[name, value] for name, value in figures.items()]
    return f"""\
`{model.path.name}` ({model.name}, {model.size_bytes:,} bytes, SHA-256 `{model.sha256[:16]}`) on \
{measurement.split}, {evaluation.images:,} faces:

{markdown_table(["figure", "value"], rows)}

Times are CPU time of onnxruntime with one thread on: {measurement.cpu}.

{class_table(evaluation, model.labels)}

Faces by their label (rows) and by the model's answer (columns):

{confusion_table(evaluation, model.labels)}
"""


def _certainty_figures(certainty: Certainty | None) -> dict[str, str]:
    if certainty is None:
        return {}
    figures = {
        f"uncertain (score under {certainty.below:.4f})": f"{certainty.share:.1%} of the faces",
        "accuracy of the uncertain": f"{certainty.accuracy:.1%}",
        "accuracy of the rest": f"{certainty.accuracy_of_rest:.1%}",
    }
    return {name: value for name, value in figures.items() if value != "nan%"}


def as_values(measurement: Measurement) -> dict[str, Any]:
    """Every figure as plain JSON values; shares are 0..1, null where there is nothing to share."""
    model, evaluation = measurement.model, measurement.evaluation
    certainty = measurement.certainty
    classes = zip(model.labels, evaluation.classes(), strict=True)
    return {
        "model": {
            "name": model.name,
            "file": str(model.path),
            "sha256": model.sha256,
            "bytes": model.size_bytes,
            "labels": list(model.labels),
            "temperature": model.temperature,
        },
        "split": measurement.split,
        "split_sha256": measurement.split_sha256,
        "images": evaluation.images,
        "accuracy": evaluation.accuracy,
        "macro_f1": evaluation.macro_f1,
        "cross_entropy_nats": evaluation.loss,
        "calibration_error": measurement.calibration_error,
        "uncertain": certainty
        and {
            "below": certainty.below,
            "share": certainty.share,
            "accuracy": _or_null(certainty.accuracy),
            "accuracy_of_rest": _or_null(certainty.accuracy_of_rest),
        },
        "classes": {
            name: {
                "images": figures.images,
                "recall": _or_null(figures.recall),
                "precision": _or_null(figures.precision),
                "f1": figures.f1,
            }
            for name, figures in classes
        },
        "confusion": evaluation.confusion.tolist(),
        "ms_per_face": {str(size): measurement.ms_per_face[size] for size in BATCH_SIZES},
        "threads": 1,
        "cpu": measurement.cpu,
    }


def _or_null(value: float) -> float | None:
    return None if math.isnan(value) else value
