"""Whether something new may be in a picture: a coarse look, a hundred times as fast as a search."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from fer_stream.types import Frame, GreyImage, Track

_TILES = 32  # on the long side: the smallest face that is looked for covers several
_SAMPLED = 160  # px of the long side that the tiles' means are taken from
_CHANGED = 16.0  # grey levels: noise moves a tile's mean by 1 to 3, a person who comes in by 20 up
_FEWEST = 3  # tiles: one or two are a reflection, a lamp, an insect
_AROUND = 0.5  # of a face's size: hair, hands and shoulders move with it
_BELOW = 1.0


class Novelty:
    """Compares a stream's pictures with the last one that was searched, beside the known faces."""

    def __init__(self) -> None:
        self._searched = np.zeros((0, 0), np.int16)
        self._known = np.zeros((0, 0), np.bool_)

    def searched(self, frame: Frame) -> None:
        """Take note that `frame` is being searched."""
        self._searched = _tiles(frame.grey)
        self._known = np.zeros(self._searched.shape, np.bool_)

    def known(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Take note of where faces are: what moves there is theirs until the next search."""
        rows, columns = self._known.shape
        height, width = frame.grey.shape
        for track in tracks:
            box = track.box
            aside, above = _AROUND * box.width, _AROUND * box.height
            below = _BELOW * box.height
            left = int((box.x - aside) / width * columns)
            right = int((box.x + box.width + aside) / width * columns) + 1
            top = int((box.y - above) / height * rows)
            bottom = int((box.y + box.height + below) / height * rows) + 1
            self._known[max(top, 0) : bottom, max(left, 0) : right] = True

    def anything_in(self, frame: Frame) -> bool:
        """Return whether `frame` differs from the one that was searched last; there must be one."""
        changed = np.abs(_tiles(frame.grey) - self._searched) > _CHANGED
        return int(np.count_nonzero(changed & ~self._known)) >= _FEWEST


def _tiles(grey: GreyImage) -> npt.NDArray[np.int16]:
    """Return a picture's mean grey in tiles, (rows, 32) or (32, columns)."""
    # Every n-th pixel will do: averaging all of them would cost ten times as much.
    step = max(max(grey.shape) // _SAMPLED, 1)
    few = np.ascontiguousarray(grey[::step, ::step])
    share = _TILES / max(grey.shape)
    size = (max(round(grey.shape[1] * share), 1), max(round(grey.shape[0] * share), 1))
    return cv2.resize(few, size, interpolation=cv2.INTER_AREA).astype(np.int16)
