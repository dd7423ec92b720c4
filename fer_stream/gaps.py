"""Where packets of a stream were lost, of which a decoder may know nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import av

_LATE = 2
"""So many packets behind the one that FFmpeg marks, its gap is at the latest."""


class Gaps:
    """Notices what is missing within a stream.

    MPEG-TS numbers its packets, and FFmpeg marks where a number is missing. Parts that were joined,
    such as those of HLS, begin their numbers anew too: with a key frame, and without a pause.

    Args:
        damaged: Called with the reason for each gap.
    """

    def __init__(self, damaged: Callable[[str], None]) -> None:
        self._damaged = damaged
        self._due: int | None = None
        self._watched = 0
        self._begins_anew = False

    def saw(self, packet: av.Packet[Any]) -> None:
        """Look at the stream's next packet."""
        if self._watched:
            self._watched -= 1
            self._judge(packet)
        if packet.is_corrupt:
            self._watched, self._begins_anew = _LATE, False
        if packet.dts is not None:
            self._due = packet.dts + (packet.duration or 0)

    def _judge(self, packet: av.Packet[Any]) -> None:
        self._begins_anew |= packet.is_keyframe
        jumps = self._jumps_to(packet)
        if jumps or not (self._watched or self._begins_anew):
            self._watched = 0
            self._damaged("packets are missing")

    def _jumps_to(self, packet: av.Packet[Any]) -> bool:
        if self._due is None or packet.dts is None or not packet.duration:
            return False
        return packet.dts - self._due >= packet.duration
