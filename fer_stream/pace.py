"""Plays a film as fast as it was taken."""

from __future__ import annotations

import time

_LATE_S = 1.0
# A film of single pictures, or of a screen where nothing moves, really stands still for seconds.
_GAP_S = 10.0


class Pace:
    """Says how long a picture still has to wait for its moment.

    A picture that is more than ten seconds early comes after a gap in the time stamps, not in the
    pictures, and is due at once; those after it follow it at their pace.

    Args:
        hurries: Whether the pictures are to be shown as they happen: those that are late by more
            than a second hurry after those before them, and none waits for more than a second.
            Else late ones begin a new count, and the film goes on at its pace from there.
    """

    def __init__(self, *, hurries: bool) -> None:
        self._hurries = hurries
        self._gap_s = _LATE_S if hurries else _GAP_S
        self._began_s: float | None = None

    def ahead_s(self, time_s: float) -> float:
        """Return for how many seconds to wait for the picture of that media time; 0: none."""
        now_s = time.monotonic()
        if self._began_s is None:
            self._began_s = now_s - time_s
        ahead_s = self._began_s + time_s - now_s
        if ahead_s > self._gap_s or (ahead_s < -_LATE_S and not self._hurries):
            self._began_s, ahead_s = now_s - time_s, 0.0
        return max(ahead_s, 0.0)
