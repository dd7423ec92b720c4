"""A run's numbers as Prometheus reads them."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client import generate_latest

from fer_stream.engine.stats import STAGES, RunStats
from fer_stream.monitoring.metrics import RunCollector, make_registry
from tests.monitoring.http import Labels, of, read

ROOT = Path(__file__).resolve().parents[2]

# What the design promises.
PROMISED = {
    "fer_stream_frames_read_total": {"source"},
    "fer_stream_frames_processed_total": {"source"},
    "fer_stream_frames_dropped_total": {"source", "reason"},
    "fer_stream_source_up": {"source"},
    "fer_stream_source_reconnects_total": {"source"},
    "fer_stream_stage_duration_seconds_bucket": {"stage", "le"},
    "fer_stream_end_to_end_latency_seconds_bucket": {"source", "sink", "le"},
    "fer_stream_sink_events_total": {"sink", "result"},
}


def some_stats() -> RunStats:
    stats = RunStats()
    door = stats.new_source("door", live=True)
    door.state, door.frames_read, door.frames_processed, door.reconnects = "online", 9, 6, 2
    door.frames_dropped["late"], door.frames_dropped["odd"] = 3, 1
    stats.new_source("talk.mp4", live=False)
    csv = stats.new_sink("csv")
    csv.up, csv.restarts = True, 4
    csv.results.update(ok=6, dropped=2, failed=1, lost=3)
    csv.wrote("door", 0)
    for seconds in (0.0001, 0.004, 0.004, 99.0):
        stats.stages["classify"].observe(seconds)
    return stats


def values(stats: RunStats) -> dict[str, dict[Labels, float]]:
    return read(generate_latest(make_registry(stats)).decode())


def test_every_promised_metric_has_its_labels() -> None:
    found = values(some_stats())
    for name, labels in PROMISED.items():
        assert all({label for label, _ in one} == labels for one in found[name]), name


def test_the_numbers_are_those_of_the_run() -> None:
    found = values(some_stats())
    assert found["fer_stream_frames_read_total"] == {of(source="door"): 9, of(source="talk.mp4"): 0}
    assert found["fer_stream_frames_processed_total"][of(source="door")] == 6
    assert found["fer_stream_frames_dropped_total"] == {
        of(source="door", reason="late"): 3,
        of(source="door", reason="stale"): 0,
        of(source="door", reason="odd"): 1,
        of(source="talk.mp4", reason="late"): 0,
        of(source="talk.mp4", reason="stale"): 0,
    }
    assert found["fer_stream_source_up"] == {of(source="door"): 1, of(source="talk.mp4"): 0}
    assert found["fer_stream_source_reconnects_total"][of(source="door")] == 2
    assert found["fer_stream_sink_events_total"] == {
        of(sink="csv", result="ok"): 6,
        of(sink="csv", result="dropped"): 2,
        of(sink="csv", result="failed"): 1,
        of(sink="csv", result="lost"): 3,
    }
    assert found["fer_stream_sink_restarts_total"] == {of(sink="csv"): 4}
    assert found["fer_stream_end_to_end_latency_seconds_count"] == {
        of(source="door", sink="csv"): 1
    }
    assert "process_cpu_seconds_total" in found or not Path("/proc").exists()


def test_buckets_hold_all_that_is_below_them() -> None:
    found = values(some_stats())
    buckets = found["fer_stream_stage_duration_seconds_bucket"]
    assert {dict(labels)["stage"] for labels in buckets} == set(STAGES)
    below = {
        float(dict(labels)["le"]): count
        for labels, count in buckets.items()
        if dict(labels)["stage"] == "classify"
    }
    assert [below[bound] for bound in (0.0001, 0.003, 0.005, 60.0, float("inf"))] == [1, 1, 3, 3, 4]
    assert found["fer_stream_stage_duration_seconds_count"][of(stage="classify")] == 4
    assert found["fer_stream_stage_duration_seconds_sum"][of(stage="classify")] == 99.0081


def test_a_name_that_is_not_unicode_can_be_scraped() -> None:
    stats = RunStats()
    stats.new_source("caf\udce9.mp4", live=False)
    assert of(source=r"caf\udce9.mp4") in values(stats)["fer_stream_source_up"]


def test_the_documentation_lists_every_metric_with_its_labels() -> None:
    text = (ROOT / "docs" / "monitoring.md").read_text()
    rows = re.findall(r"^\| `(fer_stream_\w+)` \| (.*?) \|", text, re.MULTILINE)
    told = {name.removesuffix("_total"): set(re.findall(r"`(\w+)`", row)) for name, row in rows}
    found = {}
    for family in RunCollector(some_stats()).collect():
        name = "fer_stream_build_info" if family.type == "info" else family.name
        found[name] = set(family.samples[0].labels) - {"le"}
    assert told == found
