"""What a trained detector takes for faces in scenes, for its check to learn from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fer_stream.detectors.check import look_at
from fer_stream.detectors.onnx import OnnxDetector
from fer_stream.detectors.squares import overlaps
from fer_stream.frames import new_frame
from fer_stream.types import StreamInfo

from .pictures import Picture

SIDE = 40
"""px, of what the check sees."""
AROUND = 1.25
"""Side of what the check sees, as a multiple of the face's."""
WORTH_FROM = 0.12
"""The detector's score from which its answers are looked at."""
_FACE_FROM = 0.45  # intersection over union with a face; what frames one worse is none
_NONE_BELOW = 0.25
_UNSURE_WITHIN = 0.6  # of both sides: so near to an unsure place nobody knows
_WHOLE = 100_000  # px: scenes are searched as they are
_MISPLACED = 0.05  # of a side: about what the detector errs by
_MISSIZED = 0.08  # the same, of the side's logarithm


@dataclass(frozen=True, slots=True)
class Candidates:
    """Squares, some of which show a face."""

    images: npt.NDArray[np.uint8]
    """(N, SIDE, SIDE) grey."""
    faces: npt.NDArray[np.bool_]
    """(N,): whether each frames one."""


def gather(detector: Path, scenes: Iterable[Picture], seed: int) -> Candidates:
    """What the detector's file finds in scenes, and all faces in them, found or not."""
    random = np.random.default_rng((seed, 2))
    finder = OnnxDetector(str(detector), detect_size=_WHOLE, threshold=WORTH_FROM, check=False)
    images: list[npt.NDArray[np.uint8]] = []
    faces: list[bool] = []
    for scene in scenes:
        height, width = scene.image.shape
        frame = new_frame(scene.image, 0, 0.0, StreamInfo("scene", width, height))
        squares = [*finder.candidates(frame)[0], *(_misplaced(f, random) for f in scene.faces)]
        for square in squares:
            face = _frames_a_face(square, scene)
            if face is not None:
                images.append(look_at(frame, square, AROUND, SIDE))
                faces.append(face)
    return Candidates(np.stack(images), np.array(faces))


def _misplaced(square: np.ndarray, random: np.random.Generator) -> np.ndarray:
    x, y, side = square
    dx, dy = random.normal(0, _MISPLACED, 2) * side
    return np.array((x + dx, y + dy, side * np.exp(random.normal(0, _MISSIZED))), np.float32)


def _frames_a_face(square: np.ndarray, scene: Picture) -> bool | None:
    """Whether a square shows a face in its right place; None where nobody can say."""
    best = overlaps(square, scene.faces)[0].max(initial=0.0)
    if best >= _FACE_FROM:
        return True
    away = np.abs(scene.unsure[:, :2] - square[:2]).max(axis=1)
    if (away < _UNSURE_WITHIN * (scene.unsure[:, 2] + square[2])).any():
        return None
    return False if best < _NONE_BELOW else None
