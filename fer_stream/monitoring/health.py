"""When a run is well: the rules."""

from __future__ import annotations

import time

from fer_stream.engine.stats import RunStats, SinkStats, SourceStats

LATELY_S = 10.0
"""What has not moved for so long is a fault."""


class Health:
    """Judges a run; each rule gives one line per fault, no line means that all is well.

    Args:
        stats: The run's numbers.
    """

    def __init__(self, stats: RunStats) -> None:
        self._stats = stats
        self._turned_s: float | None = None
        self._processed = [0] * len(stats.sources)
        self._moved_s = [0.0] * len(stats.sources)

    def tick(self) -> None:
        """Take note that the run's loop has turned, and which sources' frames have moved."""
        now, is_first = time.monotonic(), self._turned_s is None
        for i, source in enumerate(self._stats.sources):
            if source.frames_processed != self._processed[i] or not source.up or is_first:
                self._processed[i], self._moved_s[i] = source.frames_processed, now
        self._turned_s = now

    def starting(self) -> list[str]:
        """Return whether the run has yet to begin."""
        begun = self._turned_s is not None
        return [] if begun else ["the run has not begun: its files and sinks are being opened"]

    def dead(self) -> list[str]:
        """Return why the run should be started anew; lost sources and sinks are no reason."""
        if self._turned_s is None:
            return self.starting()
        now = time.monotonic()
        if now - self._turned_s > LATELY_S:
            return [f"the run's loop has not turned for {now - self._turned_s:.0f} s"]
        return [
            f"source {source.source_id}: its frames are read, but none came through for "
            f"{now - moved_s:.0f} s"
            for source, moved_s in zip(self._stats.sources, self._moved_s, strict=True)
            if source.live and source.up and now - moved_s > LATELY_S and not _no_frame(source)
        ] + [
            f"source {source.source_id}: {source.reason}, and nothing was tried for "
            f"{source.blocked_s:.0f} s"
            for source in self._stats.sources
            if source.blocked_s > LATELY_S
        ]

    def faults(self) -> list[str]:
        """Return what keeps results from flowing: dead threads, silent sources, stuck sinks."""
        found = self.starting() or [
            *self.dead(),
            *(_source_fault(source) for source in self._stats.sources),
            *(_sink_fault(sink) for sink in self._stats.sinks),
        ]
        return [fault for fault in found if fault]


def _source_fault(source: SourceStats) -> str:
    if source.state == "ended":
        return ""
    if source.state == "error":
        return f"source {source.source_id}: ended before its end ({source.reason})"
    silence = _no_frame(source)
    why = f" ({source.reason})" if source.reason else ""
    return f"source {source.source_id}: {source.state}, {silence}{why}" if silence else ""


def _no_frame(source: SourceStats) -> str:
    """Return for how long no frame came, if that is too long."""
    silent_s = source.seconds_since_frame
    if silent_s is None:
        return "no frame yet"
    return f"no frame for {silent_s:.0f} s" if silent_s > LATELY_S else ""


def _sink_fault(sink: SinkStats) -> str:
    busy_s = sink.stuck_s
    if busy_s > LATELY_S:
        return f"sink {sink.name}: stuck in one call for {busy_s:.0f} s"
    return "" if sink.up else f"sink {sink.name}: not open; it failed, or the run is ending"
