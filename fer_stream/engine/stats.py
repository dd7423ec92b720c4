"""What a run counts: plain numbers and histograms, read from any thread at any time.

Whoever shows them (a closing line, an exporter) reads `Engine.stats`. A counter never falls. Each
has one writer at a time, so that reading one needs no lock; two of them read one after the other
may be a frame apart.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from fer_stream.types import SourceState

STAGES = ("decode", "detect", "track", "classify", "filter", "sink")
"""The stages whose durations are measured, in a frame's order.

`decode` runs from asking a source for a frame to having it: on a live source it is mostly waiting.
`classify` is one batch, `sink` one result.
"""

BOUNDS_S = (
    *(0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04),
    *(0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0),
)
"""Upper bounds of all histograms' buckets in seconds; one more bucket takes what is above."""

Result = Literal["ok", "dropped", "failed", "lost"]
"""What became of a result at a sink: written; pushed out of a full queue; lost to an error; written
and then, as the sink says itself, lost by it."""


class Histogram:
    """Durations in seconds, counted in fixed buckets."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self._sum_s = 0.0
        self._lock = threading.Lock()

    def observe(self, seconds: float) -> None:
        """Count one duration; safe from any thread."""
        bucket = bisect_left(BOUNDS_S, seconds)
        with self._lock:
            self._counts[bucket] += 1
            self._sum_s += seconds

    @contextmanager
    def time(self) -> Iterator[None]:
        """Count how long a block takes."""
        start = time.perf_counter_ns()
        yield
        self.observe((time.perf_counter_ns() - start) / 1e9)

    def read(self) -> tuple[tuple[int, ...], float]:
        """Return each bucket's own count, one more than `BOUNDS_S`, and the sum in s."""
        with self._lock:
            return tuple(self._counts), self._sum_s

    @property
    def count(self) -> int:
        """How many durations were counted."""
        return sum(self.read()[0])

    def quantile(self, share: float) -> float | None:
        """Return an estimate in s of what `share` (0..1) of the durations stay under, or None.

        Inside a bucket it is interpolated; of what lies above the last bound that bound is said.
        """
        counts, _ = self.read()
        wanted, before = share * sum(counts), 0
        for bucket, count in enumerate(counts):
            if count and before + count >= wanted:
                if bucket == len(BOUNDS_S):
                    return BOUNDS_S[-1]
                low = BOUNDS_S[bucket - 1] if bucket else 0.0
                return low + (BOUNDS_S[bucket] - low) * (wanted - before) / count
            before += count
        return None


@dataclass(slots=True)
class SourceStats:
    """One source's numbers."""

    source_id: str
    live: bool
    frames_read: int = 0
    frames_processed: int = 0
    """Frames that came through, those too that `analyse_fps` leaves out."""
    frames_dropped: Counter[str] = field(default_factory=Counter)
    """By reason. `late`: replaced by a newer one before anybody took it. `stale`: came from a
    reader that had been given up."""
    reconnects: int = 0
    """Connections that gave frames after the first one."""
    abandoned: int = 0
    """Readers that gave no frame in time and were given up."""
    blocked_since_ns: int | None = None
    """`time.monotonic_ns()` when so many of those were still blocked that no more was tried; None
    while it is read or tried again."""
    state: SourceState | Literal["connecting"] = "connecting"
    reason: str = ""
    """Why it is in that state, as its status says."""
    last_frame_ns: int | None = None
    """`time.monotonic_ns()` at the newest frame."""

    @property
    def up(self) -> bool:
        """Whether frames come."""
        return self.state == "online"

    @property
    def seconds_since_frame(self) -> float | None:
        """How long ago the newest frame was read; None before the first."""
        last_ns = self.last_frame_ns
        return None if last_ns is None else (time.monotonic_ns() - last_ns) / 1e9

    @property
    def blocked_s(self) -> float:
        """For how long it has not been tried again, in s; 0 while it is."""
        since_ns = self.blocked_since_ns
        return 0.0 if since_ns is None else (time.monotonic_ns() - since_ns) / 1e9


class SinkStats:
    """One sink's numbers.

    Args:
        name: The sink's name; the second `csv` of a run is `csv-2`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.results: dict[Result, int] = {"ok": 0, "dropped": 0, "failed": 0, "lost": 0}
        self.restarts = 0
        """How often it was opened again after an error."""
        self.up = False
        """Whether it is open; a sink that failed is not, until it was opened again."""
        self.busy_since_ns: int | None = None
        """`time.monotonic_ns()` when the call that it is in began; None between calls."""
        self._latency: dict[str, Histogram] = {}

    @property
    def lost(self) -> int:
        """Results that never arrived: all but those that are `ok` and stayed so."""
        return sum(count for what, count in self.results.items() if what != "ok")

    @property
    def stuck_s(self) -> float:
        """How long the call that it is in has taken, in s; 0 between calls."""
        since_ns = self.busy_since_ns
        return 0.0 if since_ns is None else (time.monotonic_ns() - since_ns) / 1e9

    @property
    def latency(self) -> dict[str, Histogram]:
        """By source: from a frame's capture until `write` returned; none for single pictures."""
        return dict(self._latency)

    def enter(self) -> None:
        """Take note that a call to the sink begins."""
        self.busy_since_ns = time.monotonic_ns()

    def leave(self) -> None:
        """Take note that it has returned."""
        self.busy_since_ns = None

    def wrote(self, source_id: str, captured_ns: int) -> None:
        """Count a result that was written just now."""
        if source_id not in self._latency:
            # A new table, so that whoever goes through the old one is not disturbed.
            self._latency = {**self._latency, source_id: Histogram()}
        self._latency[source_id].observe((time.monotonic_ns() - captured_ns) / 1e9)


class RunStats:
    """All numbers of a run: `sources` and `sinks` in the order of the command line, `stages`."""

    def __init__(self) -> None:
        self.sources: list[SourceStats] = []
        self.sinks: list[SinkStats] = []
        self.stages: dict[str, Histogram] = {stage: Histogram() for stage in STAGES}
        self._names: Counter[str] = Counter()

    def new_source(self, source_id: str, *, live: bool) -> SourceStats:
        """Add a source."""
        self.sources.append(SourceStats(source_id, live))
        return self.sources[-1]

    def new_sink(self, name: str) -> SinkStats:
        """Add a sink; the second of a name gets a number."""
        self._names[name] += 1
        number = self._names[name]
        self.sinks.append(SinkStats(f"{name}-{number}" if number > 1 else name))
        return self.sinks[-1]
