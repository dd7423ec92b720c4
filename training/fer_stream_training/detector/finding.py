"""What a detector's file finds in pictures, as training counts faces: in squares."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from fer_stream.detectors.onnx import OnnxDetector
from fer_stream.frames import new_frame
from fer_stream.types import Box, StreamInfo

from .pictures import Grey, Picture, Squares, stacked

DOUBTFUL_FROM = 0.4
"""A detector's score from which what it alone sees may be a face."""


def square_of(box: Box) -> np.ndarray:
    """(3,) float32: centre x, centre y and mean side of a box, px."""
    side = (box.width + box.height) / 2
    return np.array((box.x + box.width / 2, box.y + box.height / 2, side), np.float32)


def hits(detector: OnnxDetector, image: Grey) -> tuple[Squares, npt.NDArray[np.float32]]:
    """What a detector finds in a picture, the surest first: squares, px, and their scores (N,)."""
    height, width = image.shape
    found = detector.detect(new_frame(image, 0, 0.0, StreamInfo("picture", width, height)))
    scores = np.array([detection.confidence or 0.0 for detection in found], np.float32)
    return stacked([square_of(detection.box) for detection in found]), scores


def mistaken_places(pictures: list[Picture], earlier: Path) -> list[Picture]:
    """The surroundings of what the detector `earlier` takes for faces in pictures without any."""
    detector = OnnxDetector(str(earlier), threshold=DOUBTFUL_FROM, check=False)
    hard = []
    for picture in pictures:
        for x, y, side in hits(detector, picture.image)[0]:
            reach = max(1.5 * side, 80)
            rows, columns = picture.image.shape
            top, bottom = max(int(y - reach), 0), min(int(y + reach), rows)
            left, right = max(int(x - reach), 0), min(int(x + reach), columns)
            hard.append(Picture(picture.image[top:bottom, left:right].copy()))
    return hard
