"""When to detect: a full search costs a hundred times as much as following a face."""

from __future__ import annotations

from fer_stream.types import Frame

# A face may be lost unnoticed for this long at most, whatever the frame rate.
_MAX_WAIT_S = 0.4
_ROUNDING_S = 0.001  # time stamps are rounded; a frame that is due by a hair is due


class DetectionSchedule:
    """Says which frames of one stream to give to the detector.

    Every `every`-th frame, and at least each 0.4 s of media time; twice as often while nobody is
    there, so that somebody who appears is not kept waiting. It depends on frames and their time
    stamps alone: two runs over a file detect on the same frames.
    """

    def __init__(self, every: int) -> None:
        self._every = every
        self._last: Frame | None = None

    def due(self, frame: Frame, wanted: bool, anybody: bool) -> bool:
        """Return whether to detect on `frame`.

        Args:
            frame: The next frame.
            wanted: The tracker asks for a detection.
            anybody: The frame before it had a face.
        """
        last = self._last
        share = 1.0 if anybody else 0.5
        due = (
            wanted
            or last is None
            or frame.index - last.index >= self._every * share
            or frame.time_s - last.time_s >= _MAX_WAIT_S * share - _ROUNDING_S
        )
        if due:
            self._last = frame
        return due
