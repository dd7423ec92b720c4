"""When to detect, and when to analyse at all: a search costs as much as following for a second."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fer_stream.engine.novelty import Novelty
from fer_stream.types import Frame, Track

SOON_S = 0.35
"""Where something new may be in the picture, no longer than this until the next search."""
QUIET_S = 1.0
"""Where nothing is new: a face that was missed may be found after all, and a wrong one goes."""
_ROUNDING_S = 0.001  # time stamps are rounded; a frame that is due by a hair is due


class DetectionSchedule:
    """Says which frames of one stream to give to the detector.

    By itself it searches as soon as waiting for another frame would pass 0.35 s of media time since
    the last search, if the picture has changed beside the known faces, and after 1 s in any case.
    With `every` it searches every N-th frame instead. A tracker that asks gets a search either way.
    It depends on frames and their time stamps alone: two runs over a file search the same
    frames.

    Args:
        every: N: search every N-th frame; None: whenever the picture asks for it.
    """

    def __init__(self, every: int | None = None) -> None:
        self._every = every
        self._novelty = Novelty()
        self._searched: Frame | None = None
        self._before_s = 0.0

    def due(self, frame: Frame, wanted: bool, tracks: Sequence[Track]) -> bool:
        """Return whether to detect on `frame`.

        Args:
            frame: The next frame.
            wanted: The tracker asks for a detection.
            tracks: The faces of the frame before it.
        """
        last = self._searched
        due = last is None or wanted or self._is_time(frame, last, tracks)
        self._before_s = frame.time_s
        if due:
            self.searched(frame)
        return due

    def searched(self, frame: Frame) -> None:
        """Count from a frame that was searched, whoever asked for it."""
        self._searched = frame
        if self._every is None:
            self._novelty.searched(frame)

    def _is_time(self, frame: Frame, last: Frame, tracks: Sequence[Track]) -> bool:
        if self._every is not None:
            return frame.index - last.index >= self._every
        waited_s = frame.time_s - last.time_s
        if waited_s >= QUIET_S - _ROUNDING_S:
            return True
        self._novelty.known(frame, tracks)
        step_s = frame.time_s - self._before_s
        return waited_s + step_s > SOON_S + _ROUNDING_S and self._novelty.anything_in(frame)


class AnalysisPace:
    """Says which frames of one stream to analyse: the first of each 1/`fps` s of media time.

    Args:
        fps: Frames a second; None: every frame.
    """

    def __init__(self, fps: float | None = None) -> None:
        self._fps = fps
        self._slot = -1

    def due(self, frame: Frame) -> bool:
        """Return whether to analyse `frame`."""
        if self._fps is None:
            return True
        slot = math.floor((frame.time_s + _ROUNDING_S) * self._fps)
        is_new, self._slot = slot != self._slot, slot
        return is_new
