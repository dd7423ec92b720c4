"""What a face detector's model file says of itself."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import onnxruntime as ort

from fer_stream.errors import ModelError
from fer_stream.models.info import PREFIX, own_metadata

_ADVICE = "make one with: fer-stream train-detector"


@dataclass(frozen=True, slots=True)
class FaceModelInfo:
    """A face detector, described by itself.

    It takes one grey picture, (1, H, W, 1) float32 0..255, H and W multiples of the largest
    stride, and gives (1, C, 4) float32: for each cell of each stride's grid, row by row, a score
    0..1; how far right and below the cell's centre a face's centre lies, in strides; and the
    natural logarithm of the face's side over stride times `side_unit`.
    """

    path: Path
    name: str
    strides: tuple[int, ...]
    """Of the grids, px, in the output's order."""
    side_unit: float
    threshold: float
    """The score, 0..1, from which an answer is a face."""
    sha256: str
    size_bytes: int
    trained_on: str = ""
    exporter: str = ""

    @property
    def multiple(self) -> int:
        """What the picture's sides must be multiples of, px."""
        return max(self.strides)


def finds_faces(session: ort.InferenceSession) -> bool:
    """Whether a model's file says that it is a face detector."""
    return "cells" in own_metadata(session)


def describe_face_model(path: Path, session: ort.InferenceSession) -> FaceModelInfo:
    """Read a detector's own description; raises `ModelError` when it is none that we can run."""
    own = own_metadata(session)
    if "cells" not in own:
        what = "an emotion classifier" if "labels" in own else "no face detector of fer-stream"
        raise ModelError(
            f"model {path} is {what}; expected metadata '{PREFIX}cells'; {_ADVICE}, or name a "
            "YuNet file as --detector yunet:PATH"
        )
    try:
        cells = json.loads(own["cells"])
        strides = tuple(int(stride) for stride in cells["strides"])
        side_unit, threshold = float(cells["side_unit"]), float(own["threshold"])
    except (ValueError, KeyError, TypeError):
        strides, side_unit, threshold = (), 0.0, 0.0
    if not strides or any(s < 1 or max(strides) % s for s in strides):
        raise _unfit(path)
    if not (0 < side_unit < 1000 and 0 < threshold < 1):
        raise _unfit(path)
    inputs = session.get_inputs()
    shape = list(inputs[0].shape) if len(inputs) == 1 else []
    if (
        len(shape) != 4
        or shape[3] != 1
        or inputs[0].type != "tensor(float)"
        or isinstance(shape[1], int)
    ):
        raise ModelError(
            f"model {path} takes {shape}; expected one float32 grey picture of any size, "
            f"(1, H, W, 1); {_ADVICE}"
        )
    data = path.read_bytes()
    return FaceModelInfo(
        path=path,
        name=own.get("name", path.stem),
        strides=strides,
        side_unit=side_unit,
        threshold=threshold,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        trained_on=own.get("trained_on", ""),
        exporter=own.get("exporter", ""),
    )


def _unfit(path: Path) -> ModelError:
    return ModelError(
        f"model {path}: '{PREFIX}cells' and '{PREFIX}threshold' must be its grids, such as "
        f'{{"strides": [8, 16, 32], "side_unit": 4}}, and a number from 0 to 1; {_ADVICE}'
    )
