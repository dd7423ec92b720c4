"""Sink `console`: a live table in the terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import deque

from fer_stream.draw import caption
from fer_stream.stages import Sink
from fer_stream.types import Face, FrameResult, RunInfo, SourceStatus

_REFRESH_S = 0.125


class Seen:
    """What is shown of one source."""

    def __init__(self) -> None:
        self.latest: FrameResult | None = None
        self.moments: deque[float] = deque(maxlen=100)
        self.line_s = float("-inf")
        """Media time of the last line."""
        self.away = ""
        """How its source is, while that gives no pictures."""

    def rate(self) -> float:
        """Return frames per second over the last results."""
        if len(self.moments) < 2 or self.moments[-1] == self.moments[0]:
            return 0.0
        return (len(self.moments) - 1) / (self.moments[-1] - self.moments[0])


class ConsoleSink(Sink):
    """Shows each face with its emotion and a bar of its score, frames per second and drops.

    Where the output is not a terminal it prints a line per source and second of media instead.
    """

    name = "console"

    def __init__(self, target: str = "") -> None:
        super().__init__(target)
        self._sources: dict[str, Seen] = {}
        self._next_refresh = 0.0

    def open(self, run: RunInfo) -> None:
        """Start the table."""
        from fer_stream.sinks.console_table import Screen

        self._screen = Screen()
        self._order = {source: place for place, source in enumerate(run.sources)}

    def write(self, result: FrameResult) -> None:
        """Show a frame's faces."""
        info = result.frame.info
        source = self._sources.setdefault("" if info.stills else info.source_id, Seen())
        source.latest, source.away = result, ""
        source.moments.append(time.monotonic())
        if not self._screen.is_terminal:
            self._print_line(source, result)
        elif source.moments[-1] >= self._next_refresh:
            self._next_refresh = source.moments[-1] + _REFRESH_S
            self._screen.show(self._in_order())

    def status(self, status: SourceStatus) -> None:
        """Show in the table that a source is away: who was seen last may have left."""
        source = self._sources.get(status.source_id)
        if source is not None and status.away:
            source.away = status.state
            source.moments.clear()
            self._screen.show(self._in_order())

    def close(self) -> None:
        """Show the last state and leave it standing."""
        self._screen.show(self._in_order())
        self._screen.close()

    def _in_order(self) -> list[Seen]:
        """Return what was seen in the order of the command line; single pictures stand last."""
        last = len(self._order)
        return [
            self._sources[key]
            for key in sorted(self._sources, key=lambda key: self._order.get(key, last))
        ]

    def _print_line(self, source: Seen, result: FrameResult) -> None:
        frame = result.frame
        # A time before the last line's is a new session's, which counts from 0 again.
        just_told = source.line_s <= frame.time_s < source.line_s + 1.0
        if just_told and not frame.info.stills:
            return
        source.line_s = frame.time_s
        faces = ", ".join(_words(face) for face in result.faces) or "no face"
        self._screen.print_line(f"{frame.info.source_id} {frame.time_s:8.2f} s  {faces}")


def _words(face: Face) -> str:
    number = "" if face.track_id is None else f"#{face.track_id} "
    return number + caption(face.scores, ".2f")
