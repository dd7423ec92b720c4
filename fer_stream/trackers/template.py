"""Following a small patch of a frame by template matching."""

from __future__ import annotations

import cv2
import numpy as np

from fer_stream.imaging import padded
from fer_stream.types import GreyImage

_SIDE = 24  # px of the template: enough to hold a face, small enough to match in 0.1 ms
_SEARCH = 0.25  # how far a face may move between two frames, as a share of its size
_ACCEPT = 0.6  # normalised correlation below which it is another thing


class Template:
    """A face's look, made when it was detected.

    Args:
        grey: (H, W) uint8, the shrunk frame.
        x, y, width, height: The face's box in that frame's px.
    """

    def __init__(self, grey: GreyImage, x: float, y: float, width: float, height: float) -> None:
        patch = padded(grey, round(x), round(y), max(round(width), 2), max(round(height), 2))
        self._patch = cv2.resize(patch, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        # OpenCV says that a patch of one grey matches everything perfectly.
        self._is_flat = bool(self._patch.min() == self._patch.max())

    def find(
        self, grey: GreyImage, x: float, y: float, width: float, height: float
    ) -> tuple[float, float] | None:
        """Return the (x, y) to which the box at `x, y` moved, in px, or None if it is not there."""
        if self._is_flat:
            return None
        step_x, step_y = width / _SIDE, height / _SIDE  # frame px per template px
        margin = round(_SIDE * _SEARCH)
        left, top = round(x - margin * step_x), round(y - margin * step_y)
        side = _SIDE + 2 * margin
        area = padded(grey, left, top, max(round(side * step_x), 2), max(round(side * step_y), 2))
        area = cv2.resize(area, (side, side), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        match = cv2.matchTemplate(area, self._patch, cv2.TM_CCOEFF_NORMED)
        _, best, _, (column, row) = cv2.minMaxLoc(match)
        if best < _ACCEPT:
            return None
        return (
            left + (column + _peak(match[row, :], column)) * step_x,
            top + (row + _peak(match[:, column], row)) * step_y,
        )


def _peak(line: np.ndarray, at: int) -> float:
    """Return the offset, -0.5..0.5, of the top of the parabola through a maximum's neighbours."""
    if not 0 < at < len(line) - 1:
        return 0.0
    before, here, after = (float(v) for v in line[at - 1 : at + 2])
    bend = before - 2 * here + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0
