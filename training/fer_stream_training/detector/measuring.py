"""What a detector's file finds in scenes whose faces are known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_stream.detectors.onnx import OnnxDetector
from fer_stream.detectors.squares import overlaps
from fer_stream.words import counted

from .finding import hits
from .pictures import Picture

_SAME = 0.4
"""Intersection over union from which a square is the face."""


@dataclass(frozen=True, slots=True)
class Found:
    """Counts over scenes."""

    scenes: int
    faces: int
    hits: int
    false: int

    def __str__(self) -> str:
        share = self.hits / max(self.faces, 1)
        return (
            f"{share:.1%} of {counted(self.faces, 'face')} found, "
            f"{self.false / self.scenes:.3f} false a scene"
        )


def measure(path: Path, scenes: list[Picture]) -> Found:
    """Run the detector's file at ``path`` over ``scenes``; unsure places count neither way."""
    detector = OnnxDetector(str(path), detect_size=max(max(s.image.shape) for s in scenes))
    faces = found = false = 0
    for scene in scenes:
        left = scene.faces
        faces += len(left)
        for square in hits(detector, scene.image)[0]:
            shared, _ = overlaps(square, left)
            if shared.size and shared.max() >= _SAME:
                left = np.delete(left, shared.argmax(), axis=0)
                found += 1
            elif not any(_centre_within(square, unsure) for unsure in scene.unsure):
                false += 1
    return Found(len(scenes), faces, found, false)


def _centre_within(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.abs(one[:2] - other[:2]).max() < other[2] / 2)
