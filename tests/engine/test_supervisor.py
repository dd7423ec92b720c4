"""A live source is opened until it is there, and again whenever it is lost."""

from __future__ import annotations

import logging
import math
import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fer_stream.errors import ConfigError, IncompleteError, SourceError, StageError
from fer_stream.types import FrameResult
from tests.programs import wait_until

pytestmark = [
    pytest.mark.timeout(90),
    pytest.mark.usefixtures("no_thread_remains", "no_waiting"),
]

Act = Callable[[Any], object]


SILENCE_S = 1.0
"""What makes a stall here: more than a busy machine keeps a frame waiting."""


def lost(_: Any) -> None:
    raise SourceError("camera was lost: somebody stumbled over the cable")


def absent(_: Any) -> None:
    raise SourceError("cannot open camera: it is not there")


def frames(sink: Any, source: str = "film") -> list[tuple[int, int]]:
    """Return (session, index) of a source's results, as they came."""
    infos = [(r.frame.info, r.frame.index) for r in sink.results]
    return [(info.session, index) for info, index in infos if info.source_id == source]


@pytest.fixture
def live(lab: Any) -> Callable[..., Any]:
    """Return a function that makes a live source whose frames all arrive."""
    return lambda *arguments, **options: lab.camera(*arguments, **options)


def test_a_lost_source_comes_back_as_a_new_session(lab: Any, live: Any) -> None:
    sessions = lab.Sessions(live(at_end=lost), live())
    sink = lab.Sink()
    engine = lab.run(lab.Origin(sessions), [sink])
    seen = frames(sink)
    assert seen == sorted(set(seen))
    assert {session for session, _ in seen} == {0, 1}
    assert sink.states() == ["online", "reconnecting", "online", "ended"]
    assert [(s.opened, s.closed) for s in sessions.made] == [(1, 1), (1, 1)]
    (numbers,) = engine.stats.sources
    assert (numbers.reconnects, numbers.abandoned, numbers.state) == (1, 0, "ended")
    assert numbers.frames_read == 20


def test_a_systems_error_of_a_live_source_is_a_loss_too(lab: Any, live: Any) -> None:
    def reset(_: Any) -> None:
        raise ConnectionResetError(104, "Connection reset by peer")

    sink = lab.Sink()
    lab.run(lab.Origin(lab.Sessions(live(on_open=reset), live(at_end=reset), live())), [sink])
    states = ["reconnecting", "online", "reconnecting", "online", "ended"]
    assert sink.states() == states
    reasons = [event.reason for event in sink.events if not isinstance(event, FrameResult)]
    assert reasons[0] == "source 'lab' cannot be opened: Connection reset by peer"
    assert reasons[2] == "source 'lab' failed after 10 frames: Connection reset by peer"


def test_statuses_stand_where_they_belong_between_the_results(lab: Any, live: Any) -> None:
    sink = lab.Sink()
    lab.run(lab.Origin(lab.Sessions(live(at_end=lost), live())), [sink])
    story = [
        f"session {event.frame.info.session}" if isinstance(event, FrameResult) else event.state
        for event in sink.events
    ]
    chapters = [this for this, before in zip(story, ["", *story], strict=False) if this != before]
    assert chapters == [
        *("online", "session 0", "reconnecting"),
        *("online", "session 1", "ended"),
    ]


def test_a_new_session_gets_a_fresh_tracker_and_fresh_filters(lab: Any, live: Any) -> None:
    sink = lab.Sink()
    lab.run(lab.Origin(lab.Sessions(live(at_end=lost), live())), [sink])
    for made in (lab.trackers, lab.filters):
        assert [{session for session, _ in stage.seen} for stage in made] == [{0}, {1}]


def test_sessions_count_over_the_sources_life(lab: Any, live: Any) -> None:
    # The first connection changes its size twice.
    sessions = lab.Sessions(live(12, session_length=4, at_end=lost), live(4))
    sink = lab.Sink()
    lab.run(lab.Origin(sessions), [sink])
    assert {session for session, _ in frames(sink)} == {0, 1, 2, 3}
    assert sink.states() == ["online"] * 3 + ["reconnecting", "online", "ended"]
    numbers = [e.session for e in sink.events if not isinstance(e, FrameResult)]
    assert numbers == [0, 1, 2, 3, 3, 3]


def test_a_source_that_is_not_there_yet_is_waited_for(
    lab: Any, live: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sessions = lab.Sessions(live(on_open=absent), live(on_open=absent), live())
    sink = lab.Sink()
    engine = lab.run(lab.Origin(sessions), [sink])
    assert {session for session, _ in frames(sink)} == {0}
    assert sink.states() == ["reconnecting", "online", "ended"]
    first = sink.events[0]
    assert first.reason == "cannot open camera: it is not there"
    assert first.session == 0
    assert engine.stats.sources[0].reconnects == 0
    told = [r.getMessage() for r in caplog.records if "not there" in r.getMessage()]
    assert told == [
        "film: cannot open camera: it is not there; trying again until the run is stopped (Ctrl-C)"
    ], "the same trouble is told of once"


def test_the_run_starts_without_it_and_the_others_are_not_kept_waiting(lab: Any, live: Any) -> None:
    go = threading.Event()
    slow = live(name="slow", on_open=lambda _: go.wait(20))
    sink = lab.Sink(on_write=lambda r: r.frame.index == 9 and go.set())
    engine = lab.engine([slow, live(name="quick")], [sink])
    engine.start()
    assert sink.opened == 1
    assert sink.run.sources == ("slow", "quick")
    engine.run()
    assert len(frames(sink, "quick")) == 10
    first_slow = next(i for i, r in enumerate(sink.results) if r.frame.info.source_id == "slow")
    assert first_slow >= 9, "the quick one was shown first"


def test_a_flapping_source_does_not_touch_a_file(lab: Any, live: Any) -> None:
    flapping = [lab.Source("flapping", 2, live=True, at_end=lost) for _ in range(5)]
    sessions = lab.Sessions(*flapping, lab.Source("flapping", 2, live=True))
    sink = lab.Sink()
    film = lab.Source("film", 100, pause_s=0.003)
    lab.run([lab.Origin(sessions), film], [sink])
    assert sink.indices("film") == list(range(100))
    assert sink.states("film") == ["online", "ended"]
    assert sink.states("flapping")[-1] == "ended"


def test_a_source_without_a_frame_for_a_while_has_stalled(lab: Any, live: Any) -> None:
    go = threading.Event()
    source = live(before=lambda i: i == 5 and go.wait(20))
    source.frame_timeout_s = SILENCE_S
    sink = lab.Sink(on_status=lambda status: status.state == "stalled" and go.set())
    lab.run(source, [sink])
    # What comes so late may be an old picture, so that the connection is made anew.
    assert sink.states()[:3] == ["online", "stalled", "reconnecting"]
    stalled = sink.events[5 + 1]
    assert stalled.reason.startswith("no frame for ")
    assert stalled.session == 0


@pytest.mark.parametrize("option", ["open_timeout_s", "frame_timeout_s"])
def test_a_source_may_have_a_time_out_without_end(lab: Any, live: Any, option: str) -> None:
    source = live(6)
    setattr(source, option, math.inf)
    sink = lab.Sink()
    lab.run(source, [sink])
    assert sink.states() == ["online", "ended"]


def test_what_comes_out_of_a_stall_is_not_reported_as_new(lab: Any, live: Any) -> None:
    # Like FFmpeg, which gives a picture that it had kept when its read times out.
    late = live(6, before=lambda i: i == 5 and time.sleep(1.2 * SILENCE_S), at_end=lost)
    late.frame_timeout_s = SILENCE_S
    sink = lab.Sink()
    engine = lab.run(lab.Origin(lab.Sessions(late, live(3))), [sink])
    assert [index for session, index in frames(sink) if session == 0] == [0, 1, 2, 3, 4]
    assert sink.states() == ["online", "stalled", "reconnecting", "online", "ended"]
    assert engine.stats.sources[0].frames_dropped["stale"] == 1


@pytest.mark.parametrize("option", ["", "timeout"])
def test_a_stall_is_warned_of_with_the_option_that_bears_it(
    lab: Any, live: Any, option: str, caplog: pytest.LogCaptureFixture
) -> None:
    go = threading.Event()
    source = live(3, before=lambda i: i == 1 and go.wait(20))
    source.frame_timeout_s, source.frame_timeout_option = 0.1, option
    sink = lab.Sink(on_status=lambda status: status.state == "stalled" and go.set())
    lab.run(lab.Origin(lab.Sessions(source, live(1))), [sink])
    (record,) = [one for one in caplog.records if "stalled" in one.getMessage()]
    assert record.levelno == logging.WARNING
    advice = "; if it is only slow, set a longer timeout in a --config file"
    assert record.getMessage().endswith(advice if option else " s")


def test_a_first_frame_may_take_longer_than_those_after_it(lab: Any, live: Any) -> None:
    source = live(1, before=lambda _: time.sleep(0.3))
    source.frame_timeout_s = 0.2
    sink = lab.Sink()
    engine = lab.run(lab.Origin(lab.Sessions(source, live(1))), [sink])
    assert frames(sink) == [(0, 0)]
    assert engine.stats.sources[0].frames_dropped["stale"] == 0


def blocked(live: Any, go: threading.Event, count: int) -> list[Any]:
    """Return live sources that block in their sixth frame until `go`."""
    sources = [live(8, before=lambda i: i == 5 and go.wait(20)) for _ in range(count)]
    for source in sources:
        source.frame_timeout_s = SILENCE_S
    return sources


def test_a_reader_that_is_blocked_is_given_up_and_its_frames_with_it(
    lab: Any, live: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_stream.engine.supervisor.GRACE_S", 0.2)
    go = threading.Event()
    (stuck,) = blocked(live, go, 1)
    # It comes back while its successor gives frames.
    after = live(20, before=lambda i: i == 10 and (go.set(), wait_until(lambda: stuck.closed)))
    sink = lab.Sink()
    engine = lab.run(lab.Origin(lab.Sessions(stuck, after)), [sink])
    seen = frames(sink)
    assert [index for session, index in seen if session == 0] == [0, 1, 2, 3, 4]
    assert [index for session, index in seen if session == 1] == list(range(20))
    assert sink.states() == ["online", "stalled", "reconnecting", "online", "ended"]
    assert re.search(r"gave no frame for \d s and was given up", sink.events[7].reason)
    assert stuck.closed == 1, "it closes its source itself once it is back"
    (numbers,) = engine.stats.sources
    assert (numbers.abandoned, numbers.reconnects) == (1, 1)
    assert numbers.frames_dropped["stale"] == 1


def test_a_source_that_blocks_in_open_is_given_up_too(lab: Any, live: Any) -> None:
    go = threading.Event()
    stuck = live(on_open=lambda _: go.wait(20))
    stuck.open_timeout_s = 0.2
    sink = lab.Sink(on_write=lambda _: go.set())
    engine = lab.run(lab.Origin(lab.Sessions(stuck, live())), [sink])
    assert sink.states() == ["reconnecting", "online", "ended"]
    assert engine.stats.sources[0].abandoned == 1


def test_no_more_than_three_blocked_readers_are_left_behind(
    lab: Any, live: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_stream.engine.supervisor.GRACE_S", 0.1)
    go = threading.Event()
    sessions = lab.Sessions(*blocked(live, go, 3), live())
    sink = lab.Sink()
    engine = lab.engine(lab.Origin(sessions), [sink])
    engine.start()
    wait_until(lambda: engine.stats.sources[0].abandoned == 3)
    time.sleep(0.5)  # time for many more
    (numbers,) = engine.stats.sources
    blocked_s = numbers.blocked_s
    opened = sum(source.opened for source in sessions.made)
    threads = sum(thread.name == "read film" for thread in threading.enumerate())
    go.set()
    engine.run()
    assert (opened, threads) == (3, 3)
    assert blocked_s > 0
    assert numbers.blocked_s == 0, "it is tried again"
    assert sink.states()[-2:] == ["online", "ended"], "one came back: it goes on"
    waiting = [e for e in sink.events if not isinstance(e, FrameResult)]
    assert waiting[-3].reason == "3 of its readers are blocked"


def test_a_stop_does_not_wait_for_a_source_whose_readers_are_all_blocked(
    lab: Any, live: Any
) -> None:
    go = threading.Event()
    sources = [live(on_open=lambda _: go.wait(20)) for _ in range(3)]
    for source in sources:
        source.open_timeout_s = 0.05
    sink = lab.Sink()
    engine = lab.engine(lab.Origin(lab.Sessions(*sources, live())), [sink])
    engine.start()
    wait_until(lambda: engine.stats.sources[0].blocked_s > 0)
    engine.request_stop()
    engine.run()
    assert engine.left_behind == [], "those that were given up are waited for no more"
    assert sink.states()[-1] == "ended"
    go.set()
    wait_until(lambda: not [one for one in threading.enumerate() if one.name == "read film"])
    assert [source.closed for source in sources] == [1, 1, 1]


def test_a_reader_that_ends_when_it_is_told_to_is_not_left_behind(
    lab: Any, live: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_stream.engine.supervisor.GRACE_S", 0.1)
    go = threading.Event()
    busy = blocked(live, go, 5)
    for source in busy:
        told = threading.Event()
        source.stop, source.before = told.set, lambda i, told=told: i == 5 and told.wait(60)
    sessions = lab.Sessions(*busy, live())
    sink = lab.Sink()
    engine = lab.run(lab.Origin(sessions), [sink])
    assert [(source.opened, source.closed) for source in sessions.made] == [(1, 1)] * 6
    assert engine.stats.sources[0].abandoned == 5
    assert sink.states()[-2:] == ["online", "ended"]


def test_a_reader_is_told_when_the_run_stops(lab: Any, live: Any) -> None:
    told = threading.Event()
    source = live(20, before=lambda i: i == 5 and (engine.request_stop(), told.wait(60)))
    source.stop = told.set
    engine = lab.engine(source)
    engine.start()
    engine.run()
    assert source.closed == 1
    assert engine.left_behind == []


def test_a_source_whose_stop_fails_is_given_up_nevertheless(
    lab: Any, live: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_stream.engine.supervisor.GRACE_S", 0.1)
    go = threading.Event()

    def fails() -> None:
        raise OSError("no such device")

    (stuck,) = blocked(live, go, 1)
    stuck.stop = fails
    sink = lab.Sink(on_write=lambda r: r.frame.info.session == 1 and go.set())
    lab.run(lab.Origin(lab.Sessions(stuck, live())), [sink])
    assert sink.states() == ["online", "stalled", "reconnecting", "online", "ended"]


def test_a_stop_does_not_wait_for_a_source_that_is_not_there(lab: Any, live: Any) -> None:
    source, sink = live(on_open=absent), lab.Sink()
    engine = lab.engine(source, [sink])
    engine.start()
    threading.Timer(0.2, engine.request_stop).start()
    engine.run()
    assert sink.states() == ["reconnecting", "ended"]
    assert sink.closed == 1


def test_a_requested_stop_is_told_to_the_sinks_before_they_are_closed(lab: Any, live: Any) -> None:
    sink = lab.Sink(on_write=lambda r: r.frame.index == 5 and engine.request_stop())
    engine = lab.engine(live(1000), [sink])
    engine.start()
    engine.run()
    assert sink.states() == ["online", "ended"]
    assert not isinstance(sink.events[-1], FrameResult)
    assert sink.closed == 1


def test_a_bug_in_a_source_ends_the_run(lab: Any, live: Any) -> None:
    def bug(_: Any) -> None:
        raise ZeroDivisionError("a bug")

    source = live(at_end=bug)
    with pytest.raises(StageError, match=r"source 'lab' failed .*ZeroDivisionError: a bug"):
        lab.run(source, [lab.Sink()])
    assert source.closed == 1


@pytest.mark.timeout(20)  # where it is not told of, the run waits for ever
def test_a_source_that_cannot_be_made_anew_ends_the_run_with_its_error(lab: Any, live: Any) -> None:
    made: list[Any] = []

    def new_source() -> Any:
        if made:
            raise ConfigError("the file with its address is gone")
        made.append(live(3, at_end=lost))
        return made[0]

    sink = lab.Sink()
    with pytest.raises(ConfigError, match="the file with its address is gone"):
        lab.run(lab.Origin(new_source), [sink])
    assert sink.indices() == [0, 1, 2]
    assert sink.states() == ["online", "reconnecting", "error"]
    assert sink.events[-1].reason == "the file with its address is gone"
    assert sink.closed == 1


def test_a_recording_may_pause_longer_than_a_live_source_has_time(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_stream.engine.supervisor.GRACE_S", 0.01)
    film, sink = lab.Source(count=4, pause_s=0.05), lab.Sink()
    film.open_timeout_s = film.frame_timeout_s = 0.01
    lab.run(film, [sink])
    assert sink.indices() == [0, 1, 2, 3]
    assert sink.states() == ["online", "ended"]


def test_a_file_that_is_incomplete_ends_in_the_state_error(lab: Any) -> None:
    sink = lab.Sink()
    with pytest.raises(SourceError):
        lab.run(lab.Source(count=10, at_end=lost), [sink])
    assert sink.states() == ["online", "error"]
    assert sink.events[-1].reason == "camera was lost: somebody stumbled over the cable"


def test_what_turns_out_to_be_a_recording_is_read_whole_and_once(lab: Any) -> None:
    source = lab.Source(count=120)
    source.live = True  # as far as one can say before it is open
    sink = lab.Sink(on_write=lambda _: time.sleep(0.002))
    engine = lab.run(source, [sink])
    assert sink.indices() == list(range(120))
    assert source.opened == 1
    assert not engine.stats.sources[0].live
    broken = lab.Source(count=3, at_end=lost)
    broken.live = True
    with pytest.raises(SourceError):
        lab.run(broken, [])


def test_the_run_may_treat_a_film_as_live(lab: Any) -> None:
    film, sink = lab.Source(count=100), lab.Sink()
    slow = lab.Classifier(before=lambda _: time.sleep(0.01))
    lab.run(lab.Origin(lambda: film, live=True), [sink], classifier=slow)
    assert all(result.frame.info.live for result in sink.results)
    assert len(sink.results) < 100
    assert sink.indices()[-1] == 99


def test_the_run_may_treat_a_stream_as_a_recording(lab: Any) -> None:
    stream, sink = lab.Source(count=50, live=True, at_end=lost), lab.Sink()
    slow = lab.Classifier(before=lambda _: time.sleep(0.005))
    with pytest.raises(SourceError):
        lab.run(lab.Origin(lambda: stream, live=False), [sink], classifier=slow)
    assert sink.indices() == list(range(50))
    assert not any(result.frame.info.live for result in sink.results)


def test_a_name_goes_before_what_the_source_calls_itself(lab: Any, live: Any) -> None:
    origins = [
        lab.Origin(lambda: live(3, name="rtsp://one"), "door"),
        lab.Origin(lambda: lab.Source("talk.mp4", 3), "talk"),
    ]
    sink = lab.Sink()
    engine = lab.run(origins, [sink])
    assert sink.run.sources == ("door", "talk")
    assert {r.frame.info.source_id for r in sink.results} == {"door", "talk"}
    assert sink.states("door") == sink.states("talk") == ["online", "ended"]
    assert [numbers.source_id for numbers in engine.stats.sources] == ["door", "talk"]


def test_a_line_of_the_log_has_the_name_also_where_it_stands_in_the_reason_by_chance(
    lab: Any, live: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="fer_stream"):
        lab.run(lab.Origin(lab.Sessions(live(on_open=absent), live()), source_id="cam"), [])
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0].startswith("cam: cannot open camera: it is not there; trying again")
    assert lines[1].startswith("cam: online, ")


def test_two_sources_of_one_name_are_refused_before_a_sink_opens(lab: Any, live: Any) -> None:
    sink, film = lab.Sink(), lab.Source("same", 3)
    with pytest.raises(ConfigError, match="two sources are called 'same'"):
        lab.run([film, live(3, name="same")], [sink])
    assert sink.opened == 0
    assert film.closed == 1


def test_ids_are_another_runs_only_if_something_is_live(lab: Any, live: Any) -> None:
    ids = []
    for sources in ([live(1)], [live(1)], [lab.Source(count=1)], [lab.Source(count=1)]):
        sink = lab.Sink()
        lab.run(sources, [sink])
        ids.append(sink.run.run_id)
    assert ids[0]
    assert ids[1]
    assert ids[0] != ids[1]
    assert ids[2:] == ["", ""]


def test_a_recording_that_is_taken_for_live_comes_at_its_own_pace(lab: Any) -> None:
    film = lab.Source(count=20, fps=50.0)
    film.info = replace(film.info, frame_count=20)
    sink = lab.Sink()
    lab.run(lab.Origin(lambda: film, live=True), [sink])
    shown = [result.frame for result in sink.results]
    first = shown[0]
    for frame in shown:
        since_s = (frame.captured_ns - first.captured_ns) / 1e9
        assert since_s > frame.time_s - first.time_s - 0.01, "never before its moment"
    assert sink.states() == ["online", "ended"]


@pytest.mark.timeout(20)  # at its own pace it takes two minutes
def test_what_turns_out_to_be_a_recording_is_read_as_fast_as_it_can_be(lab: Any) -> None:
    film, sink = lab.Source(count=240, fps=2.0), lab.Sink()
    film.info = replace(film.info, frame_count=240)
    film.live = True  # as far as one can say before it is open
    lab.run(film, [sink])
    assert sink.indices() == list(range(240))


def test_a_recording_that_is_not_whole_is_not_read_again(lab: Any) -> None:
    def torn(_: Any) -> None:
        raise IncompleteError("film is incomplete: one picture cannot be read")

    sessions = lab.Sessions(lab.Source(count=3, at_end=torn))
    sink = lab.Sink()
    with pytest.raises(IncompleteError, match="one picture"):
        lab.run(lab.Origin(sessions, live=True), [sink])
    assert len(sessions.made) == 1
    assert sink.states() == ["online", "error"]
