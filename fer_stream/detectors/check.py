"""A second look at what a detector takes for faces, each by itself and in full resolution."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from fer_stream.detectors.squares import Squares
from fer_stream.errors import ModelError
from fer_stream.imaging import crop
from fer_stream.models.face_check import describe_check_model
from fer_stream.models.info import first_run, load_session
from fer_stream.types import Frame

_AT_MOST = 64  # squares, the surest: a frame that seems full of faces must not stop a run
_AT_ONCE = 16  # more are no faster, and onnxruntime keeps the memory of the largest batch
_WEIGHT = 0.5
"""Of what the look says: it learned from the same faces as the search, so half of it is known."""
_MOST = 20.0  # of log-odds that are believed


class FaceCheck:
    """Runs the network in `path`, which tells faces from what a search took for some.

    Raises ModelError for a file that is none, or that cannot be run.
    """

    def __init__(self, path: Path) -> None:
        self._session = load_session(path)
        self.info = describe_check_model(path, self._session)
        self._input = self._session.get_inputs()[0].name
        with first_run(path):
            self._look(np.zeros((1, self.info.side, self.info.side), np.uint8))

    def joint(
        self, frame: Frame, squares: Squares, scores: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Return what the search and this look say together, (N,) 0..1.

        Args:
            frame: The frame that was searched.
            squares: (N, 3), px of the frame, the surest first; 0 is said of those that there are
                too many of to look at.
            scores: (N,), what the search says of them, 0..1.
        """
        first = np.clip(scores[:_AT_MOST], 1e-6, 1 - 1e-6)
        # The log-odds of independent witnesses add up.
        odds = np.log(first / (1 - first)) + _WEIGHT * self._odds(frame, squares[:_AT_MOST])
        joint = np.zeros(len(squares), np.float32)
        joint[: len(odds)] = _likely(odds)
        return joint

    def alone(self, frame: Frame, squares: Squares) -> npt.NDArray[np.float32]:
        """Return what this look says by itself of squares (N, 3), px of the frame: (N,) 0..1."""
        return _likely(self._odds(frame, squares))

    def _odds(self, frame: Frame, squares: Squares) -> npt.NDArray[np.float32]:
        """Return the log-odds that each of the squares (N, 3), px of the frame, is a face, (N,)."""
        crops = [look_at(frame, square, self.info.around, self.info.side) for square in squares]
        parts = [
            self._look(np.stack(crops[i : i + _AT_ONCE])) for i in range(0, len(crops), _AT_ONCE)
        ]
        return np.concatenate([np.zeros(0, np.float32), *parts])

    def _look(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the log-odds that each of (N, side, side) frames a face, (N,)."""
        (raw,) = self._session.run(None, {self._input: crops.astype(np.float32)[..., np.newaxis]})
        said = np.asarray(raw, np.float32)
        if said.shape != (len(crops), 1):
            raise ModelError(
                f"model {self.info.path} gives {said.shape} for {len(crops)} squares; expected "
                f"({len(crops)}, 1), log-odds; make one with fer-stream train-detector"
            )
        return np.clip(said[:, 0], -_MOST, _MOST)


def _likely(odds: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the probabilities, 0..1, of log-odds."""
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def look_at(
    frame: Frame, square: npt.NDArray[np.floating], around: float, size: int
) -> npt.NDArray[np.uint8]:
    """Cut a square (3,), px of the frame, and what is about it, `around` sides wide in all.

    Returns (size, size) grey, 0..255 full range.
    """
    x, y, side = map(float, square)
    extent = max(round(side * around), 1)
    left, top = round(x - extent / 2), round(y - extent / 2)
    return crop(frame, left, top, (extent, extent), (size, size))
