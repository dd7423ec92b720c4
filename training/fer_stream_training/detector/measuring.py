"""What a detector's file finds in scenes whose faces are known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_stream.detectors.onnx import OnnxDetector
from fer_stream.frames import new_frame
from fer_stream.types import StreamInfo

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
            f"{share:.1%} of {self.faces} faces found, {self.false / self.scenes:.3f} false a scene"
        )


def measure(path: Path, scenes: list[Picture]) -> Found:
    """Run the detector's file at ``path`` over ``scenes``; unsure places count neither way."""
    detector = OnnxDetector(str(path), detect_size=max(max(s.image.shape) for s in scenes))
    faces = hits = false = 0
    for scene in scenes:
        height, width = scene.image.shape
        info = StreamInfo("scene", width, height)
        left = [tuple(map(float, square)) for square in scene.faces]
        faces += len(left)
        for detection in detector.detect(new_frame(scene.image, 0, 0.0, info)):
            box = detection.box
            found = (box.x + box.width / 2, box.y + box.height / 2, (box.width + box.height) / 2)
            best = max(left, key=lambda square: _overlap(square, found), default=None)
            if best is not None and _overlap(best, found) >= _SAME:
                left.remove(best)
                hits += 1
            elif not any(_centre_within(found, unsure) for unsure in scene.unsure):
                false += 1
    return Found(len(scenes), faces, hits, false)


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Intersection over union of two squares given by centre x, y and side."""
    sides = [
        min((one[2] + other[2]) / 2 - abs(one[axis] - other[axis]), one[2], other[2])
        for axis in (0, 1)
    ]
    common = max(sides[0], 0.0) * max(sides[1], 0.0)
    return common / (one[2] ** 2 + other[2] ** 2 - common)


def _centre_within(one: tuple[float, ...], other: np.ndarray) -> bool:
    return bool(max(abs(one[0] - other[0]), abs(one[1] - other[1])) < other[2] / 2)
