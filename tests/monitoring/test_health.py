"""When a run is well."""

from __future__ import annotations

import time

import pytest

from fer_stream.engine.stats import RunStats, SinkStats, SourceStats
from fer_stream.monitoring import health
from fer_stream.monitoring.health import Health


@pytest.fixture
def stats() -> RunStats:
    """Return the numbers of a run that is well."""
    stats = RunStats()
    door = stats.new_source("door", live=True)
    door.state, door.last_frame_ns = "online", time.monotonic_ns()
    stats.new_sink("csv").up = True
    return stats


@pytest.fixture
def door(stats: RunStats) -> SourceStats:
    return stats.sources[0]


@pytest.fixture
def csv(stats: RunStats) -> SinkStats:
    return stats.sinks[0]


@pytest.fixture
def begun(stats: RunStats) -> Health:
    judge = Health(stats)
    judge.tick()
    return judge


def ago(seconds: float) -> int:
    return time.monotonic_ns() - int(seconds * 1e9)


def test_a_run_that_opens_its_files_is_not_well_yet(stats: RunStats) -> None:
    judge = Health(stats)
    assert judge.dead() == judge.faults() == judge.starting()
    assert judge.starting() == ["the run has not begun: its files and sinks are being opened"]


def test_a_run_that_works_is_well(begun: Health) -> None:
    assert begun.starting() == begun.dead() == begun.faults() == []


@pytest.mark.parametrize("state", ["online", "stalled", "reconnecting"])
def test_a_source_without_a_frame_lately_is_a_fault(
    begun: Health, door: SourceStats, state: str
) -> None:
    door.state = state  # type: ignore[assignment]
    assert begun.faults() == [], "a short gap is none"
    door.last_frame_ns = ago(12)
    assert begun.faults() == [f"source door: {state}, no frame for 12 s"]
    assert begun.dead() == []


def test_a_source_that_never_came_is_a_fault(begun: Health, door: SourceStats) -> None:
    door.state, door.last_frame_ns = "connecting", None
    assert begun.faults() == ["source door: connecting, no frame yet"]
    door.state, door.reason = "reconnecting", "Connection refused"
    assert begun.faults() == ["source door: reconnecting, no frame yet (Connection refused)"]


def test_a_source_that_ended_whole_does_not_count(begun: Health, door: SourceStats) -> None:
    door.state, door.last_frame_ns = "ended", ago(100)
    assert begun.faults() == []
    door.state, door.reason = "error", "the file is cut off"
    assert begun.faults() == ["source door: ended before its end (the file is cut off)"]


def test_a_call_that_does_not_return_is_a_fault(begun: Health, csv: SinkStats) -> None:
    csv.busy_since_ns = ago(9)
    assert begun.faults() == []
    csv.busy_since_ns = ago(11)
    assert begun.faults() == ["sink csv: stuck in one call for 11 s"]
    assert begun.dead() == []


def test_a_sink_that_waits_to_be_opened_again_is_a_fault(begun: Health, csv: SinkStats) -> None:
    csv.up = False
    assert begun.faults() == ["sink csv: not open; it failed, or the run is ending"]


def test_each_fault_has_a_line(begun: Health, door: SourceStats, csv: SinkStats) -> None:
    door.last_frame_ns, csv.up = None, False
    assert [fault.split(":")[0] for fault in begun.faults()] == ["source door", "sink csv"]


def test_a_loop_that_stands_still_is_dead(begun: Health, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "LATELY_S", 0.02)
    time.sleep(0.04)
    assert begun.dead() == ["the run's loop has not turned for 0 s"]
    begun.tick()
    assert begun.dead() == []


def stand_still(judge: Health, door: SourceStats) -> None:
    """Read frames and turn the loop for a while, but process nothing."""
    for _ in range(6):
        door.last_frame_ns = time.monotonic_ns()
        time.sleep(0.01)
        judge.tick()


def test_frames_that_do_not_come_through_are_a_dead_run(
    begun: Health, door: SourceStats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LATELY_S", 0.03)
    stand_still(begun, door)
    assert begun.dead() == ["source door: its frames are read, but none came through for 0 s"]
    assert begun.faults() == begun.dead(), "no result flows"
    door.frames_processed += 1
    begun.tick()
    assert begun.dead() == []


def test_a_source_that_is_not_tried_any_more_is_a_dead_run(
    begun: Health, door: SourceStats
) -> None:
    door.state, door.reason = "reconnecting", "3 of its readers are blocked"
    door.last_frame_ns, door.blocked_since_ns = ago(40), ago(9)
    assert begun.dead() == [], "one may come back soon"
    door.blocked_since_ns = ago(11)
    told = "source door: 3 of its readers are blocked, and nothing was tried for 11 s"
    assert begun.dead() == [told]
    door.blocked_since_ns = None
    assert begun.dead() == []


def test_a_source_that_comes_back_is_given_time(
    begun: Health, door: SourceStats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LATELY_S", 0.03)
    door.state = "reconnecting"
    stand_still(begun, door)
    door.state = "online"
    assert begun.dead() == []


def test_a_file_that_waits_for_a_slow_sink_is_not_dead(
    begun: Health, door: SourceStats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LATELY_S", 0.03)
    door.live = False
    stand_still(begun, door)
    assert begun.dead() == []
