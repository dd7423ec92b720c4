"""A run's numbers as Prometheus metrics, read when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import TypeVar

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.registry import Collector

from fer_stream import __version__
from fer_stream.engine.stats import BOUNDS_S, Histogram, RunStats

_BOUNDS = (*map(str, BOUNDS_S), "+Inf")
_DROPS = ("late", "stale")  # shown from the start, so that their first one is seen to come

_Family = TypeVar("_Family", CounterMetricFamily, GaugeMetricFamily)


def make_registry(stats: RunStats) -> CollectorRegistry:
    """Return a registry of its own with a run's metrics and the process's (memory, CPU, files)."""
    registry = CollectorRegistry()
    registry.register(RunCollector(stats))
    ProcessCollector(registry=registry)
    return registry


class RunCollector(Collector):
    """Reads a run's numbers; it keeps none itself.

    Args:
        stats: The run's numbers. Sources have their names once the run has begun.
    """

    def __init__(self, stats: RunStats) -> None:
        self._stats = stats

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics, as they are now."""
        yield InfoMetricFamily("fer_stream_build", "What runs.", {"version": __version__})
        yield from self._sources()
        yield from self._durations()
        yield from self._sinks()

    def _sources(self) -> Iterator[Metric]:
        sources = self._stats.sources
        by_source = ["source"]
        yield _filled(
            CounterMetricFamily("fer_stream_frames_read", "Frames read.", labels=by_source),
            (([one.source_id], one.frames_read) for one in sources),
        )
        yield _filled(
            CounterMetricFamily(
                "fer_stream_frames_processed",
                "Frames that came through, those too that analyse_fps leaves out.",
                labels=by_source,
            ),
            (([one.source_id], one.frames_processed) for one in sources),
        )
        yield _filled(
            CounterMetricFamily(
                "fer_stream_frames_dropped",
                "Frames lost: late, replaced by a newer one; stale, out of an old connection.",
                labels=["source", "reason"],
            ),
            (
                ([one.source_id, reason], count)
                for one in sources
                for reason, count in {**dict.fromkeys(_DROPS, 0), **one.frames_dropped}.items()
            ),
        )
        yield _filled(
            GaugeMetricFamily("fer_stream_source_up", "1 while frames come.", labels=by_source),
            (([one.source_id], one.up) for one in sources),
        )
        yield _filled(
            CounterMetricFamily(
                "fer_stream_source_reconnects",
                "Connections that gave frames, after the first one.",
                labels=by_source,
            ),
            (([one.source_id], one.reconnects) for one in sources),
        )
        yield _filled(
            CounterMetricFamily(
                "fer_stream_source_readers_abandoned",
                "Readers that gave no frame in time and were given up.",
                labels=by_source,
            ),
            (([one.source_id], one.abandoned) for one in sources),
        )

    def _durations(self) -> Iterator[Metric]:
        stages = HistogramMetricFamily(
            "fer_stream_stage_duration_seconds",
            "How long one call takes; decode includes waiting for the source.",
            labels=["stage"],
        )
        for stage, histogram in self._stats.stages.items():
            _add(stages, [stage], histogram)
        yield stages
        latency = HistogramMetricFamily(
            "fer_stream_end_to_end_latency_seconds",
            "From a frame's capture until a sink has written its result.",
            labels=["source", "sink"],
        )
        for sink in self._stats.sinks:
            for source_id, histogram in sink.latency.items():
                _add(latency, [source_id, sink.name], histogram)
        yield latency

    def _sinks(self) -> Iterator[Metric]:
        sinks = self._stats.sinks
        by_sink = ["sink"]
        yield _filled(
            CounterMetricFamily(
                "fer_stream_sink_events",
                "Results by what became of them: ok, dropped from a full queue, failed; lost, of "
                "those that were ok, by the sink itself.",
                labels=["sink", "result"],
            ),
            (([one.name, what], count) for one in sinks for what, count in one.results.items()),
        )
        yield _filled(
            GaugeMetricFamily("fer_stream_sink_up", "1 while it is open.", labels=by_sink),
            (([one.name], one.up) for one in sinks),
        )
        yield _filled(
            GaugeMetricFamily(
                "fer_stream_sink_busy_seconds",
                "How long the call that it is in has taken so far; 0 between calls.",
                labels=by_sink,
            ),
            (([one.name], one.stuck_s) for one in sinks),
        )
        yield _filled(
            CounterMetricFamily(
                "fer_stream_sink_restarts",
                "How often it was opened again after an error.",
                labels=by_sink,
            ),
            (([one.name], one.restarts) for one in sinks),
        )


def _filled(family: _Family, values: Iterable[tuple[list[str], float]]) -> _Family:
    for labels, value in values:
        family.add_metric(_encodable(labels), value)
    return family


def _add(family: HistogramMetricFamily, labels: list[str], histogram: Histogram) -> None:
    """Add a histogram; Prometheus' buckets hold all that is below their bound."""
    counts, sum_s = histogram.read()
    buckets = list(zip(_BOUNDS, map(float, accumulate(counts)), strict=True))
    family.add_metric(_encodable(labels), buckets, sum_s)


def _encodable(labels: list[str]) -> list[str]:
    """Return labels that are Unicode: a file's name need not be."""
    return [label.encode(errors="backslashreplace").decode() for label in labels]
