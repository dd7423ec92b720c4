"""Detector `yunet`: a YuNet file of one's own, run by OpenCV."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from fer_stream.errors import ConfigError, ModelError
from fer_stream.imaging import shrink, widened
from fer_stream.models import require_file
from fer_stream.stages import Detector
from fer_stream.types import Box, Detection, Frame
from fer_stream.urls import path_target

# From the eyes' line to the mouth's is 0.575 of the way to the chin in an adult face, and the
# classifier's square has a side of 1.45 of that way, with the eyes at 0.4 of it.
_SIDE_OF_EYES_TO_MOUTH = 1.45 / 0.575
_EYES_AT = 0.4
_SIDE_OF_WIDTH = 1.15  # for bowed and raised heads, whose eyes and mouth are seen close together
_SAME = 0.3  # intersection over union: two boxes of one face


class YunetDetector(Detector):
    """Runs a YuNet file of yours, `yunet:PATH` (face_detection_yunet_2023mar.onnx or later).

    Options: `detect_size`, the long side in px that the frame is shrunk to before detection;
    `threshold`, the confidence, 0 to 1, that a face must have.
    """

    name = "yunet"

    def __init__(self, target: str = "", *, detect_size: int = 480, threshold: float = 0.6) -> None:
        path_target(self.name, target, "the path of a YuNet file: --detector yunet:PATH")
        if detect_size < 32 or not 0.0 < threshold < 1.0:
            raise ConfigError("yunet: detect_size must be at least 32, threshold between 0 and 1")
        require_file(Path(target), "a YuNet ONNX file")
        self._detect_size = detect_size
        try:
            self._yunet = cv2.FaceDetectorYN.create(target, "", (32, 32), threshold, _SAME, 100)
            self._yunet.detect(np.zeros((32, 32, 3), np.uint8))  # shows now whether it can run
        except cv2.error as error:
            reason = " ".join(error.err.split())[:200]  # without OpenCV's own file and line
            raise ModelError(
                f"model {target} cannot be run as YuNet: {reason}; expected a file such as "
                "face_detection_yunet_2023mar.onnx"
            ) from None

    def detect(self, frame: Frame) -> list[Detection]:
        """Return the faces, framed as FER-2013 frames them."""
        small, scale = shrink(frame.grey, self._detect_size)
        small = small if frame.full_range else widened(small)
        self._yunet.setInputSize(small.shape[::-1])
        _, rows = self._yunet.detect(cv2.cvtColor(small, cv2.COLOR_GRAY2BGR))
        found = []
        for row in rows if rows is not None else ():
            x, y, side = _square(row)
            if np.isfinite((x, y, side)).all() and side >= 1:
                box = Box.inside(x * scale, y * scale, side * scale, side * scale, frame)
                found.append(Detection(box, float(np.clip(row[14], 0, 1))))
        return found


def _square(row: np.ndarray) -> tuple[float, float, float]:
    """Return left, top and side of FER-2013's square from YuNet's box and landmarks, all px.

    (15,): the box's left, top, width, height; x, y of both eyes, the nose, both mouth's corners;
    a score.
    """
    left, _, width = row[:3]
    eyes, mouth = (row[5] + row[7]) / 2, (row[11] + row[13]) / 2
    side = max((mouth - eyes) * _SIDE_OF_EYES_TO_MOUTH, width * _SIDE_OF_WIDTH)
    return float(left + width / 2 - side / 2), float(eyes - _EYES_AT * side), float(side)
