"""Detector `onnx`: a small network that `fer-stream train-detector` made."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from fer_stream.detectors.check import FaceCheck
from fer_stream.detectors.squares import Squares, cell_centres, merged
from fer_stream.errors import ConfigError, ModelError
from fer_stream.imaging import shrink, widened
from fer_stream.models import face_model_path
from fer_stream.models.face import describe_face_model
from fer_stream.models.face_check import check_path
from fer_stream.models.info import first_run, load_session
from fer_stream.stages import Detector
from fer_stream.types import Box, Detection, Frame, GreyImage

_AT_MOST = 500  # cells, the surest ones: noise must not make the comparison of all with all long


class OnnxDetector(Detector):
    """Runs a face detector's file: `onnx:PATH`; without a path, the one that ships with fer-stream.

    Options: `detect_size`, the long side in px that the frame is shrunk to before detection (faces
    under about 12 px there are not found); `threshold`, the confidence, 0 to 1, that a face must
    have; without it, what the file advises; `check`, whether a second network looks again at each
    square that the first takes for a face, where `PATH` has one: `face-check.onnx` beside
    `face.onnx`.
    """

    name = "onnx"

    def __init__(
        self,
        target: str = "",
        *,
        detect_size: int = 640,
        threshold: float | None = None,
        check: bool = True,
    ) -> None:
        if detect_size < 32:
            raise ConfigError(f"onnx: detect_size must be at least 32, got {detect_size}")
        if threshold is not None and not 0.0 < threshold < 1.0:
            raise ConfigError(f"onnx: threshold must be between 0 and 1, got {threshold}")
        path = face_model_path(target)
        self._session = load_session(path)
        self.info = describe_face_model(path, self._session)
        self._detect_size = detect_size
        self._threshold = self.info.threshold if threshold is None else threshold
        self._input = self._session.get_inputs()[0].name
        checker = check_path(path) if check else None
        self._check = FaceCheck(checker) if checker else None
        worth_from = self._check.info.worth_from if self._check else self._threshold
        self._candidates_from = min(worth_from, self._threshold)
        with first_run(path):
            self._cells(np.zeros((self.info.multiple, self.info.multiple), np.uint8))

    def detect(self, frame: Frame) -> list[Detection]:
        """Return the faces, the surest first; boxes are squares, cut at the frame's edges."""
        squares, scores = self.candidates(frame)
        if self._check:
            scores = self._check.joint(frame, squares, scores)
        found = []
        for n in np.argsort(-scores, kind="stable"):
            if scores[n] >= self._threshold:
                x, y, side = map(float, squares[n])
                box = Box.inside(x - side / 2, y - side / 2, side, side, frame)
                found.append(Detection(box, float(scores[n])))
        return found

    def look_again(self, frame: Frame, boxes: Sequence[Box]) -> list[float] | None:
        """Return what the second network says of each box, 0..1; None without one."""
        if self._check is None:
            return None
        squares = np.array([_uncut(box, frame) for box in boxes], np.float32)
        return [float(likely) for likely in self._check.alone(frame, squares)]

    def candidates(self, frame: Frame) -> tuple[Squares, npt.NDArray[np.float32]]:
        """Return what is worth a second look, the surest first.

        Squares (N, 3): centre x, y and side, px of the frame; and their scores (N,), 0..1.
        """
        small, scale = shrink(frame.grey, self._detect_size)
        small = small if frame.full_range else widened(small)
        squares, scores = merged(*self._found(small))
        return squares * np.float32(scale), scores

    def _found(self, grey: GreyImage) -> tuple[Squares, npt.NDArray[np.float32]]:
        """Return squares (N, 3): centre x, y and side, px of `grey`; and their scores (N,)."""
        height, width = (-(-n // self.info.multiple) * self.info.multiple for n in grey.shape)
        padded = cv2.copyMakeBorder(
            grey, 0, height - grey.shape[0], 0, width - grey.shape[1], cv2.BORDER_REPLICATE
        )
        cells = self._cells(padded)  # type: ignore[arg-type]
        sure = np.flatnonzero(cells[:, 0] >= self._candidates_from)
        if sure.size > _AT_MOST:
            sure = sure[np.argsort(-cells[sure, 0])[:_AT_MOST]]
        at = cell_centres(height, width, self.info.strides)[sure]
        scores, offsets, sizes = cells[sure, 0], cells[sure, 1:3], cells[sure, 3]
        stride = at[:, 2]
        sides = stride * self.info.side_unit * np.exp(np.clip(sizes, -4, 4))
        centres = at[:, :2] + offsets * stride[:, np.newaxis]
        squares = np.column_stack([centres, sides]).astype(np.float32)
        # What was found in the padding is nobody's face.
        inside = (centres[:, 0] < grey.shape[1]) & (centres[:, 1] < grey.shape[0])
        inside &= (centres >= 0).all(axis=1)
        return squares[inside], scores[inside]

    def _cells(self, grey: GreyImage) -> npt.NDArray[np.float32]:
        """Run the network; (C, 4): each cell's score, 0..1, and its box."""
        picture = grey.astype(np.float32)[np.newaxis, :, :, np.newaxis]
        (raw,) = self._session.run(None, {self._input: picture})
        cells = np.asarray(raw)
        count = sum((grey.shape[0] // s) * (grey.shape[1] // s) for s in self.info.strides)
        if cells.shape != (1, count, 4):
            raise ModelError(
                f"model {self.info.path} gives {cells.shape} for a picture of {grey.shape[1]}x"
                f"{grey.shape[0]} px; expected (1, {count}, 4), four numbers a cell; make one with "
                "fer-stream train-detector"
            )
        return cells[0]  # type: ignore[no-any-return]


def _uncut(box: Box, frame: Frame) -> tuple[float, float, float]:
    """Return the square that was cut to `box` at the frame's edges: centre x, y and side, px."""
    side = max(box.width, box.height)
    height, width = frame.grey.shape

    def centre(start: int, length: int, end: int) -> float:
        if start == 0 and length < side:
            return length - side / 2
        if start + length == end and length < side:
            return start + side / 2
        return start + length / 2

    return centre(box.x, box.width, width), centre(box.y, box.height, height), side
