"""What arrives: everything, in order, for files; the newest, in bounded time, for live sources."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from fer_stream.engine.lane import GROUP
from fer_stream.errors import IncompleteError
from fer_stream.types import FrameResult
from tests.programs import Stopwatch, wait_until

pytestmark = [pytest.mark.timeout(90), pytest.mark.usefixtures("no_thread_remains")]


def test_every_frame_of_every_file_arrives_in_its_sources_order(lab: Any) -> None:
    sources = [
        lab.Source("fast", 120),
        lab.Source("slow", 60, pause_s=0.002),
        lab.Source("short", 3),
    ]
    sink = lab.Sink()
    engine = lab.run(sources, [sink])
    for source in sources:
        assert sink.indices(source.info.source_id) == list(range(source.count))
    assert engine.frames_done == 183
    for numbers, source in zip(engine.stats.sources, sources, strict=True):
        assert numbers.frames_read == numbers.frames_processed == source.count
        assert not numbers.frames_dropped


def test_a_file_waits_for_a_slow_sink_and_loses_nothing(lab: Any) -> None:
    slow = lab.Sink("slow", on_write=lambda _: time.sleep(0.005))
    fast = lab.Sink("fast")
    engine = lab.run(lab.Source(count=80), [slow, fast])
    assert slow.indices() == fast.indices() == list(range(80))
    assert [numbers.lost for numbers in engine.stats.sinks] == [0, 0]
    assert all(r.dropped == 0 for r in slow.results)


@pytest.mark.parametrize(("width", "height", "most"), [(64, 48, 60), (1920, 1080, 16)])
def test_a_file_is_not_read_far_ahead_of_a_sink_that_waits(
    lab: Any, width: int, height: int, most: int
) -> None:
    go = threading.Event()
    source = lab.Source(count=500)
    source.info = replace(source.info, width=width, height=height)
    sink = lab.Sink(on_write=lambda _: go.wait(10))
    engine = lab.engine(source, [sink])
    engine.start()
    time.sleep(0.5)  # time enough to read all 500, were there no bound
    read = engine.stats.sources[0].frames_read
    go.set()
    engine.run()
    assert read < most, "pictures pile up in memory"
    assert sink.indices() == list(range(500))


class Pace:
    """Lets a stage be slow in frames, not in seconds: a busy machine makes all stages slow.

    Args:
        count: How many frames there are.
    """

    def __init__(self, count: int) -> None:
        self._last, self._newest = count - 1, -1

    def given(self, index: int) -> None:
        """Take note that a frame is there."""
        self._newest = index

    def wait_for(self, frames: int) -> None:
        """Wait until there are so many more, or no more to come."""
        wanted = min(self._newest + frames, self._last)
        wait_until(lambda: self._newest >= wanted)


def test_a_live_source_never_lags_behind_a_slow_classifier(lab: Any) -> None:
    pace, watch = Pace(150), Stopwatch()
    source = lab.Source(count=150, live=True, pause_s=0.004, before=pace.given)
    sink = lab.Sink()
    slow = lab.Classifier(before=lambda _: pace.wait_for(8))
    engine = lab.run(source, [sink], classifier=slow)
    shown = sink.indices()
    assert shown == sorted(set(shown)), "out of order or twice"
    assert shown[-1] == 149, "the newest frame is the one to show"
    assert len(shown) < 100, "it should have dropped frames"
    late = engine.stats.sources[0].frames_dropped["late"]
    assert late == 150 - len(shown) == sink.results[-1].dropped
    assert sorted(r.dropped for r in sink.results) == [r.dropped for r in sink.results]
    # In flight are at most four frames of 40 ms each: far from the 6 s of a full backlog.
    assert max(sink.ages_s) < 1.0 + watch.waited_s


def test_during_a_search_only_the_newest_live_frame_waits(lab: Any) -> None:
    searching, read = threading.Event(), threading.Event()

    def after_its_search_began(index: int) -> None:
        if index == 1:
            searching.wait(10)

    def search(_: Any) -> None:
        searching.set()
        read.wait(10)

    camera = lab.Source(
        count=10, live=True, before=after_its_search_began, at_end=lambda _: read.set()
    )
    sink = lab.Sink()
    lab.run(camera, [sink], detector=lambda: lab.Detector(before=search))
    assert sink.indices() == [0, 9]
    assert sink.results[-1].dropped == 8


@pytest.mark.parametrize("window", [False, True])
def test_a_slow_sink_on_a_live_source_drops_its_own_oldest_results_only(
    lab: Any, window: bool
) -> None:
    pace, watch = Pace(100), Stopwatch()
    slow = lab.Sink("slow", on_write=lambda _: pace.wait_for(10), main_thread=window)
    fast = lab.Sink("fast", on_write=lambda r: pace.given(r.frame.index))
    engine = lab.run(lab.camera(100, ignoring="slow"), [slow, fast])
    shown, all_shown = slow.indices(), fast.indices()
    assert shown == sorted(set(shown))
    assert shown[-1] == all_shown[-1] == 99
    assert len(all_shown) > 2 * len(shown)
    lost = {numbers.name: numbers.results["dropped"] for numbers in engine.stats.sinks}
    assert lost == {"slow": len(all_shown) - len(shown), "fast": 0}
    assert max(fast.ages_s) < 0.5 + watch.waited_s, "one slow sink delays the others"


def test_latency_is_that_of_the_way_to_the_sinks(lab: Any) -> None:
    sink, slow = lab.Sink(), lab.Classifier(before=lambda _: time.sleep(0.02))
    lab.run(lab.Source(count=5, live=True), [sink], classifier=slow)
    assert sink.results
    for result, age_s in zip(sink.results, sink.ages_s, strict=True):
        assert 20 <= result.latency_ms <= 1000 * age_s


def test_beside_a_live_source_a_file_still_loses_nothing(lab: Any) -> None:
    pace, watch = Pace(100), Stopwatch()
    camera = lab.Source("camera", 100, live=True, pause_s=0.005, before=pace.given)
    film = lab.Source("film", 40)
    sink = lab.Sink(on_write=lambda _: pace.wait_for(3))
    lab.run([camera, film], [sink])
    assert sink.indices("film") == list(range(40))
    camera_shown = sink.indices("camera")
    assert camera_shown == sorted(set(camera_shown))
    assert len(camera_shown) < 100, "the sink is too slow for all: the camera's have to give way"
    ages = [a for a, r in zip(sink.ages_s, sink.results, strict=True) if r.frame.info.live]
    assert max(ages) < 2.0 + watch.waited_s


def test_a_film_does_not_keep_a_cameras_results_from_a_slow_sink(lab: Any) -> None:
    over = threading.Event()

    def in_time(index: int) -> None:
        if over.is_set():
            raise IncompleteError("the test is over")
        time.sleep(0.002)

    def write(result: FrameResult) -> None:
        time.sleep(0.005)
        if result.frame.info.source_id == "film" and result.frame.index == 199:
            over.set()

    camera = lab.Source("camera", 10**6, live=True, before=in_time)
    sink = lab.Sink(on_write=write)
    with pytest.raises(IncompleteError):
        lab.run([camera, lab.Source("film", 200)], [sink])
    assert sink.indices("film") == list(range(200))
    names = [result.frame.info.source_id for result in sink.results]
    beside = names[: len(names) - names[::-1].index("film")].count("camera")
    # One between any two groups of the film's, unless the machine was busy with others.
    assert beside > 200 / GROUP / 3


def test_two_runs_over_files_give_the_same_results(lab: Any) -> None:
    def run(pauses: tuple[float, float]) -> list[tuple[Any, ...]]:
        sink = lab.Sink()
        sources = [
            lab.Source(name, 45, pause_s=pause) for name, pause in zip("ab", pauses, strict=True)
        ]
        lab.run(sources, [sink])
        rows = [
            (
                r.frame.info.source_id,
                r.frame.index,
                *((f.track_id, f.box, f.scores.probabilities.tobytes()) for f in r.faces),
            )
            for r in sink.results
        ]
        return sorted(rows, key=lambda row: row[:2])

    # The fake's scores depend on the batch: another timing must not make other batches.
    assert run((0.0, 0.0)) == run((0.002, 0.0)) == run((0.0, 0.002))


def test_a_files_crops_are_classified_in_full_groups(lab: Any) -> None:
    classifier = lab.Classifier()
    lab.run(
        lab.Source(count=2 * GROUP + 1), [], classifier=classifier, detector=lambda: lab.Detector(2)
    )
    assert classifier.batches == [2 * GROUP, 2 * GROUP, 2]


def test_live_frames_are_not_kept_waiting_for_a_group(lab: Any) -> None:
    shown = threading.Event()
    sink = lab.Sink(on_write=lambda _: shown.set())
    released = []

    def hold(index: int) -> None:
        if index == 1:
            released.append(shown.wait(10))

    lab.run(lab.Source(count=2, live=True, before=hold), [sink])
    assert released == [True], "the first frame waited for company"


def test_frames_without_a_face_arrive_and_never_reach_the_classifier(lab: Any) -> None:
    sink, classifier = lab.Sink(), lab.Classifier()
    engine = lab.run(
        lab.Source(count=20), [sink], classifier=classifier, detector=lambda: lab.Detector(0)
    )
    assert sink.indices() == list(range(20))
    assert all(r.faces == () for r in sink.results)
    assert classifier.batches == []
    assert engine.frames_with_faces == 0


def test_scores_stay_with_their_frame(lab: Any) -> None:
    sink = lab.Sink()
    lab.run(lab.Source(count=40), [sink])
    assert len(sink.results) == 40
    for r in sink.results:
        (face,) = r.faces
        level = (float(face.scores.probabilities[1]) - GROUP / 1024) * 512
        assert level == pytest.approx(r.frame.index, abs=0.5)


def test_a_sink_learns_the_sources_ids_in_order_and_the_model(lab: Any) -> None:
    sink = lab.Sink()
    lab.run([lab.Source("one", 1), lab.Source("two", 1)], [sink])
    assert sink.run.sources == ("one", "two")
    assert sink.run.labels == ("dark", "bright")
    assert sink.run.model_name == "lab model"
