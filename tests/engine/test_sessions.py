"""Who is asked for what: sessions, pictures, and the thread that a sink lives on."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from fer_stream.trackers.none import NoTracker
from fer_stream.types import Box, Detection
from tests.programs import wait_until

pytestmark = [pytest.mark.timeout(20), pytest.mark.usefixtures("no_thread_remains")]


def test_a_new_session_gets_a_fresh_tracker_and_fresh_filters(lab: Any) -> None:
    sink = lab.Sink()
    lab.run(lab.Source(count=30, session_length=10), [sink])
    expected = [[(s, 10 * s + i) for i in range(10)] for s in range(3)]
    assert [t.seen for t in lab.trackers] == expected
    assert [f.seen for f in lab.filters] == expected
    assert sink.indices() == list(range(30))


def test_a_new_session_is_searched_for_faces_at_once(lab: Any) -> None:
    lab.run(lab.Source(count=16, session_length=7), [], detect_every=1000)
    assert lab.detectors[0].seen[:1] == [0]
    assert {7, 14} <= set(lab.detectors[0].seen)


def test_each_source_has_its_own_tracker_and_filters(lab: Any) -> None:
    lab.run([lab.Source("a", 20), lab.Source("b", 20)], [lab.Sink()])
    whole = [(0, i) for i in range(20)]
    assert [t.seen for t in lab.trackers] == [whole, whole]
    assert [f.seen for f in lab.filters] == [whole, whole]


def test_single_pictures_pass_by_the_tracker_and_have_filters_of_their_own(lab: Any) -> None:
    sink = lab.Sink()
    lab.run(lab.Source(count=12, stills=True), [sink])
    assert lab.detectors[0].seen == list(range(12)), "each picture is searched"
    assert [t.seen for t in lab.trackers] == [[]]
    assert [f.seen for f in lab.filters] == [[(0, index)] for index in range(12)]
    assert all(r.faces[0].track_id is None for r in sink.results)


def test_single_pictures_are_read_one_by_one_whatever_else_is_read(lab: Any) -> None:
    """What is computed together must not depend on who comes first."""
    first, second = (lab.Source(name, count=12, stills=True) for name in ("a", "b"))

    def wait(_: Any) -> None:
        numbers = lab.made[-1].stats.sources
        wait_until(lambda: all(one.frames_read > one.frames_processed + 2 for one in numbers))

    classifier = lab.Classifier(lambda crops: None if classifier.batches else wait(crops))
    lab.run([first, second], [lab.Sink()], classifier=classifier)
    assert classifier.batches == [1] * 24


def test_sinks_learn_at_the_beginning_which_sources_give_pictures(lab: Any) -> None:
    sink = lab.Sink()
    lab.run([lab.Source("album", count=1, stills=True), lab.Source("film", count=1)], [sink])
    assert sink.run.sources == ("album", "film")
    assert sink.run.stills == {"album"}


def test_pictures_of_several_sizes_are_no_news_of_their_source(lab: Any) -> None:
    sink = lab.Sink()
    lab.run(lab.Source(count=6, stills=True, session_length=2), [sink])
    assert sink.states() == ["online", "ended"]


@pytest.mark.parametrize("stills", [False, True])
def test_a_detectors_confidence_reaches_the_sinks(lab: Any, stills: bool) -> None:
    class Sure(lab.Detector):  # type: ignore[misc, name-defined]
        def detect(self, frame: Any) -> list[Detection]:
            return [Detection(Box(4, 4, 16, 16), 0.75)]

    sink = lab.Sink()
    lab.run(lab.Source(count=3, stills=stills), [sink], detector=Sure, tracker=NoTracker)
    assert [face.confidence for r in sink.results for face in r.faces] == [0.75] * 3


def test_between_detections_the_tracker_follows_alone(lab: Any) -> None:
    sink = lab.Sink()
    lab.run(lab.Source(count=40, fps=1000.0), [sink], detect_every=20)
    # Nobody was there before the first frame; then every 20th.
    assert lab.detectors[0].seen == [0, 20]
    assert lab.trackers[0].seen == [(0, i) for i in range(40)]
    assert all(len(r.faces) == 1 for r in sink.results)


def test_a_sink_lives_on_one_thread_of_its_own(lab: Any) -> None:
    first, second = lab.Sink("first"), lab.Sink("second")
    lab.run(lab.Source(count=20), [first, second])
    for sink in (first, second):
        assert len(set(sink.threads)) == 1
        assert sink.threads[0].name == f"sink {sink.name}"
    assert first.threads[0] is not second.threads[0]
    assert threading.main_thread() not in (first.threads[0], second.threads[0])


def test_a_main_thread_sink_is_really_called_on_the_main_thread(lab: Any) -> None:
    assert threading.current_thread() is threading.main_thread()
    window = lab.Sink("window", main_thread=True)
    # The pause makes sure that there is an idle moment.
    lab.run(lab.Source(count=4, pause_s=0.06), [window, lab.Sink("other")])
    assert window.indices() == list(range(4))
    assert set(window.threads) == {threading.main_thread()}
    assert window.opened == window.closed == 1
    assert len(window.threads) > 1 + 4 + 1, "idle was never called"


def test_as_long_as_results_may_come_a_window_waits_for_them_alone(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came while it waited for a thread would be shown up to 20 ms late."""
    idled: list[object] = []
    is_over = threading.Event()
    waited_for: list[str] = []
    join = threading.Thread.join

    def noted_join(thread: threading.Thread, timeout: float | None = None) -> None:
        if not is_over.is_set():
            waited_for.append(thread.name)
        join(thread, timeout)

    def after_idling(_: object) -> None:
        before = len(idled)
        wait_until(lambda: len(idled) >= before + 2)

    monkeypatch.setattr(threading.Thread, "join", noted_join)
    window = lab.Sink("window", on_idle=idled.append, main_thread=True)
    lab.run(lab.Source(count=3, before=after_idling, at_end=lambda _: is_over.set()), [window])
    assert window.indices() == [0, 1, 2]
    assert waited_for == []


def test_sinks_are_opened_after_every_source_and_closed_once(lab: Any) -> None:
    order: list[str] = []
    sources = [lab.Source(n, 5, on_open=lambda _, n=n: order.append(n)) for n in "ab"]
    sinks = [lab.Sink(on_open=lambda _: order.append("sink")) for _ in range(2)]
    lab.run(sources, sinks)
    assert order == ["a", "b", "sink", "sink"]
    assert [(s.opened, s.closed) for s in (*sources, *sinks)] == [(1, 1)] * 4
