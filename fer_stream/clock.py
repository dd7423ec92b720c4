"""Media time: when each picture of a recording is shown."""

from __future__ import annotations

import av
from av.container import InputContainer

from fer_stream.media import counts_moments

_ERROR_S = 0.5
"""As far from where it was expected, a time stamp still goes on from those before an error."""


class MediaClock:
    """Turns time stamps into seconds from the first picture that never fall.

    Args:
        container: Which the pictures come from.
        fps: Its nominal rate; None: unknown.
    """

    def __init__(self, container: InputContainer, fps: float | None) -> None:
        # What FFmpeg takes for the time to show an AVI's pictures goes to and fro where H.264
        # stores them in another order; the time to decode them is the container's own count.
        self._by_decoding = counts_moments(container)
        self._step = 1.0 / fps if fps else 0.04
        self._start: float | None = None
        self._start_before: float | None = None
        self._last = -self._step

    def time_s(self, picture: av.VideoFrame) -> float:
        """Return a picture's media time in seconds."""
        stamp = self._stamp(picture)
        expected = self._last + self._step
        # Raw streams have no time stamps, nor have the last pictures that a decoder held back: the
        # nominal rate is all there is.
        self._last = expected if stamp is None else self._since_start(stamp, expected)
        return self._last

    def _since_start(self, stamp: float, expected: float) -> float:
        if self._start is None:
            self._start = stamp
        time, before = stamp - self._start, self._start_before
        if before is not None:
            earlier = stamp - before
            if abs(earlier - expected) < min(abs(time - expected), _ERROR_S):
                # What looked like another start was an error; the next one may come a little
                # sooner than the error was taken to last.
                self._start, self._start_before = before, None
                return max(earlier, self._last)
        if time < self._last:  # a broken or joined stream starts its stamps again
            self._start_before = self._start
            self._start = stamp - expected
            return expected
        return time

    def _stamp(self, picture: av.VideoFrame) -> float | None:
        if not self._by_decoding:
            return picture.time
        if picture.dts is None or not picture.time_base:
            return None
        return float(picture.dts * picture.time_base)
