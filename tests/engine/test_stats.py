"""What a run counts."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest

from fer_stream.engine.stats import BOUNDS_S, STAGES, Histogram, RunStats, SinkStats, SourceStats

pytestmark = pytest.mark.timeout(20)


def test_durations_fall_into_the_bucket_that_holds_them() -> None:
    histogram = Histogram()
    for seconds in (0.0, BOUNDS_S[0], BOUNDS_S[0] * 1.01, BOUNDS_S[-1], 1e9):
        histogram.observe(seconds)
    counts, sum_s = histogram.read()
    assert len(counts) == len(BOUNDS_S) + 1
    assert (counts[0], counts[1], counts[-2], counts[-1]) == (2, 1, 1, 1)
    assert sum(counts) == histogram.count == 5
    assert sum_s == pytest.approx(1e9 + 60, rel=1e-6)


def test_a_block_is_timed_in_seconds() -> None:
    histogram = Histogram()
    start_s = time.perf_counter()
    with histogram.time():
        time.sleep(0.02)
    took_s = time.perf_counter() - start_s
    assert 0.02 <= histogram.read()[1] <= took_s


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9, 0.99])
def test_a_quantile_is_right_to_within_a_bucket(share: float) -> None:
    durations = np.random.default_rng(0).gamma(2.0, 0.02, 5000)
    histogram = Histogram()
    for seconds in durations:
        histogram.observe(float(seconds))
    exact = float(np.quantile(durations, share))
    bucket = next(i for i, bound in enumerate(BOUNDS_S) if bound >= exact)
    width = BOUNDS_S[bucket] - BOUNDS_S[bucket - 1]
    assert histogram.quantile(share) == pytest.approx(exact, abs=width)


def test_without_durations_there_is_no_quantile() -> None:
    assert Histogram().quantile(0.5) is None


def test_what_is_above_all_bounds_has_the_last_as_its_quantile() -> None:
    histogram = Histogram()
    histogram.observe(500.0)
    assert histogram.quantile(0.5) == BOUNDS_S[-1]


def test_no_duration_is_lost_between_threads() -> None:
    histogram = Histogram()
    threads = [
        threading.Thread(target=lambda: [histogram.observe(0.01) for _ in range(5000)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert histogram.count == 20_000


def test_two_sinks_of_one_name_can_be_told_apart() -> None:
    stats = RunStats()
    assert [stats.new_sink(name).name for name in ("csv", "my-csv", "csv", "csv")] == [
        *("csv", "my-csv", "csv-2", "csv-3")
    ]


def test_a_call_that_does_not_return_shows() -> None:
    sink = SinkStats("stuck")
    assert sink.stuck_s == 0.0
    sink.enter()
    time.sleep(0.02)
    assert sink.stuck_s >= 0.02
    sink.leave()
    assert sink.stuck_s == 0.0


def test_before_its_first_frame_a_source_has_no_last_one() -> None:
    source = SourceStats("camera", live=True)
    assert source.seconds_since_frame is None
    assert not source.up


def test_every_stage_is_timed(lab: Any) -> None:
    engine = lab.run(lab.Source(count=20), [lab.Sink()])
    counts = {stage: engine.stats.stages[stage].count for stage in STAGES}
    detected = len(lab.detectors[0].seen)
    assert counts == {
        **{"decode": 20, "detect": detected, "track": 20},
        **{"classify": 5, "filter": 20, "sink": 20},
    }


def test_the_numbers_can_be_seen_while_it_runs(lab: Any) -> None:
    seen = []

    def look(result: Any) -> None:
        (numbers,) = engine.stats.sources
        seen.append((numbers.state, numbers.up, numbers.frames_read >= result.frame.index))
        assert 0 <= numbers.seconds_since_frame < 5
        assert engine.stats.sinks[0].up

    # More frames than all queues hold: the source cannot have ended when the first is written.
    engine = lab.engine(lab.Source(count=200), [lab.Sink(on_write=look)])
    engine.start()
    engine.run()
    assert seen[0] == ("online", True, True)
    (numbers,) = engine.stats.sources
    assert (numbers.frames_read, numbers.frames_processed, numbers.state) == (200, 200, "ended")
    assert not engine.stats.sinks[0].up


def test_what_a_sink_loses_later_counts_as_lost(lab: Any) -> None:
    class Forgetful(lab.Sink):  # type: ignore[misc]
        @property
        def lost(self) -> int:
            return len(self.results) // 2 + self.closed

    engine = lab.run(lab.Source(count=6), [Forgetful("forgetful"), lab.Sink("other")])
    forgetful, other = engine.stats.sinks
    assert (forgetful.results["ok"], forgetful.results["lost"], forgetful.lost) == (6, 4, 4)
    assert other.lost == 0


def test_single_pictures_have_no_latency_of_their_own(lab: Any) -> None:
    engine = lab.run(lab.Source(count=5, stills=True), [lab.Sink()])
    (sink,) = engine.stats.sinks
    assert sink.latency == {}, "each picture is a source: there would be no end of them"
    assert sink.results["ok"] == 5
