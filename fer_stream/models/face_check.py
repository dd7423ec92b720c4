"""What the model file says of itself that looks again at what a face detector found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import onnxruntime as ort

from fer_stream.errors import ModelError
from fer_stream.models.info import PREFIX, own_metadata

_ADVICE = "make one with: fer-stream train-detector"


@dataclass(frozen=True, slots=True)
class FaceCheckInfo:
    """A network that tells faces from what was taken for some, described by itself.

    It takes grey squares, (N, side, side, 1) float32 0..255, and gives (N, 1) float32: the log-odds
    that each frames a face.
    """

    path: Path
    side: int
    """Of a square, px."""
    around: float
    """Side of what it wants to see, as a multiple of the face's."""
    worth_from: float
    """The search's score, 0..1, from which an answer is worth a look."""


def check_path(detector: Path) -> Path | None:
    """Return the file that belongs to a detector's: `face-check.onnx` beside `face.onnx`."""
    path = detector.with_name(f"{detector.stem}-check.onnx")
    return path if path.is_file() else None


def describe_check_model(path: Path, session: ort.InferenceSession) -> FaceCheckInfo:
    """Read such a file's own description; raises `ModelError` when it is none that we can run."""
    inputs = session.get_inputs()
    shape = list(inputs[0].shape) if len(inputs) == 1 else []
    try:
        own = json.loads(own_metadata(session)["check"])
        around, worth_from = float(own["around"]), float(own["worth_from"])
    except (ValueError, KeyError, TypeError):
        around = worth_from = 0.0
    fits = len(shape) == 4 and shape[1] == shape[2] and shape[3] == 1 and isinstance(shape[1], int)
    if not (fits and inputs[0].type == "tensor(float)" and 0 < worth_from < 1 and 1 <= around < 10):
        raise ModelError(
            f"model {path} looks at no squares that a detector found; expected an input "
            f"(N, side, side, 1) and metadata '{PREFIX}check' such as "
            f'{{"around": 1.25, "worth_from": 0.12}}; {_ADVICE}, or move the file away'
        )
    return FaceCheckInfo(path, shape[1], around, worth_from)
