"""Every exception, on whatever thread, ends in front of the caller, and nothing hangs."""

from __future__ import annotations

import logging
import threading
import time
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from fer_stream.engine import ending
from fer_stream.engine.lane import GROUP
from fer_stream.errors import (
    ConfigError,
    FerStreamError,
    ModelError,
    SinkError,
    SourceError,
    StageError,
    StopStream,
)
from fer_stream.frames import new_frame
from fer_stream.testing import make_face, make_frame
from fer_stream.types import Box, Detection, EmotionScores, Face, StreamInfo, Track

pytestmark = [pytest.mark.timeout(20), pytest.mark.usefixtures("no_thread_remains")]

Act = Callable[[Any], object]


def raising(error: BaseException, after: int = 0, times: int = 10**9) -> Act:
    """Return an act that does nothing `after` times, then raises `times` times."""
    calls = 0

    def act(_: Any) -> None:
        nonlocal calls
        calls += 1
        if after < calls <= after + times:
            raise error

    return act


PLAIN_AND_OURS = pytest.mark.parametrize(
    "error", [ModelError("wrong model"), ZeroDivisionError("a bug")], ids=["ours", "bug"]
)


def raised(error: BaseException) -> type[BaseException]:
    """Return what a stage's error becomes: ours stays, anything else is said with its name."""
    return type(error) if isinstance(error, FerStreamError) else StageError


# So many frames that the reader surely waits in `put` when a later stage raises: the known trap.
LONG = 5000


@PLAIN_AND_OURS
@pytest.mark.parametrize("after", [0, 15])
@pytest.mark.parametrize("stage", ["detector", "tracker", "classifier", "filter_"])
def test_a_stage_that_raises_ends_the_run_with_its_error(
    lab: Any, stage: str, error: Exception, after: int
) -> None:
    act = raising(error, after)
    made = {
        "detector": lambda: lab.Detector(before=act),
        "tracker": lambda: lab.Tracker(before=act),
        "filter_": lambda: lab.Filter(before=act),
    }
    broken = lab.Classifier(before=act) if stage == "classifier" else made[stage]
    source, sink = lab.Source(count=LONG), lab.Sink()
    with pytest.raises(raised(error), match=str(error)) as caught:
        lab.run(source, [sink], **{stage: broken}, detect_every=1)
    if not isinstance(error, FerStreamError):
        assert str(caught.value).startswith(f"{stage.rstrip('_')} 'lab' failed ")
        assert caught.value.__cause__ is error
    assert source.closed == 1
    assert sink.closed == 1
    assert len(sink.indices()) < LONG


INFO = StreamInfo("film", 64, 48)
EAST = timezone(timedelta(hours=2))
ODD = EmotionScores(("dark", "bright"), np.array([-0.5, 1.5], np.float32))
BOX, OUTSIDE = Box(4, 4, 16, 16), Box(60, 4, 16, 16)
RENAMED = make_face("good", box=BOX, labels=("good", "bad"))
# What a method answers, of each kind that a contract does not allow; those that nothing else would
# have stumbled upon too, such as a generator, which was read once and then was empty.
WRONG: dict[str, tuple[str, str, Any, str]] = {
    "none": ("detector", "detect", None, "must return a list, .* got NoneType"),
    "boxes": ("detector", "detect", [BOX], "must return a list of Detection, got Box"),
    "generator": ("detector", "detect", iter([Detection(BOX)]), "got list_iterator"),
    "outside": ("detector", "detect", [Detection(OUTSIDE)], "reaches out of the 64x48 frame"),
    "numpy": ("detector", "detect", [Detection(Box(*np.array([4, 4, 9, 9])))], "whole pixels"),
    "sure": ("detector", "detect", [Detection(BOX, 7)], "confidence must be"),
    "tracker": ("tracker", "update", None, "must return a list, .* got NoneType"),
    "number": ("tracker", "update", [Track(BOX, 0)], "a track id must be None or an int"),
    "twins": ("tracker", "update", [Track(BOX, 1), Track(BOX, 1)], "share a track id"),
    "filter": ("filter_", "apply", iter([]), "must return a list, .* got list_iterator"),
    "tracks": ("filter_", "apply", [Track(BOX, 1)], "must return a list of Face, got Track"),
    "renamed": ("filter_", "apply", [RENAMED], r"keep the run's labels \('dark', 'bright'\), got"),
    "scores": ("filter_", "apply", [Face(BOX, 0.5)], "scores must be EmotionScores, got 0.5"),  # type: ignore[arg-type]
    "negative": ("filter_", "apply", [Face(BOX, ODD)], r"must be 0 to 1, got \[-0.5  1.5\]"),
    "odds": ("classifier", "classify", [ODD], r"must be 0 to 1, got \[-0.5  1.5\]"),
    "floats": ("classifier", "classify", [0.5], "must return a list of EmotionScores, got 0.5"),
    "array": ("classifier", "classify", np.ones((1, 2)), "must return a list, got ndarray"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_stage_with_a_wrong_answer_is_told_what_was_expected(
    lab: Any, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage, method, answer, says = WRONG[case]
    cls = getattr(lab, stage.rstrip("_").capitalize())
    wrong = type("Wrong", (cls,), {method: lambda *_: answer})
    one_face = {"detect_every": 1, stage: wrong() if stage == "classifier" else wrong}
    with pytest.raises(StageError, match=says) as caught:
        lab.run(lab.Source(count=1), [lab.Sink()], **one_face)
    assert str(caught.value).startswith(f"{stage.rstrip('_')} 'lab' broke its contract ")
    assert not [record for record in caplog.records if record.exc_info], "a line says it all"


@pytest.mark.parametrize("said", [0.5, [], [2.0]])
def test_a_detector_with_a_wrong_second_look_is_blamed_not_the_tracker(lab: Any, said: Any) -> None:
    class Curious(lab.Tracker):  # type: ignore[misc, name-defined]
        def update(self, frame: Any, detections: Any) -> Any:
            self.look_again(frame, [BOX])
            return super().update(frame, detections)

    class Careless(lab.Detector):  # type: ignore[misc, name-defined]
        def look_again(self, frame: Any, boxes: Any) -> Any:
            return said

    with pytest.raises(StageError, match=r"^detector 'lab' broke its contract .*look_again must"):
        lab.run(lab.Source(), [lab.Sink()], detector=Careless, tracker=Curious)


def test_results_that_were_ready_before_a_stage_raised_still_reach_the_sinks(lab: Any) -> None:
    sink = lab.Sink(on_write=lambda _: time.sleep(0.01))
    # The third group raises.
    classifier = lab.Classifier(before=raising(ModelError("wrong"), after=2))
    with pytest.raises(ModelError):
        lab.run(lab.Source(count=LONG), [sink], classifier=classifier)
    assert sink.indices() == list(range(2 * GROUP))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(0)])
def test_who_breaks_off_the_opening_of_a_window_is_not_told_of_an_error(
    lab: Any, error: BaseException
) -> None:
    def break_off(_: Any) -> None:
        raise error

    film = lab.Source(count=1)
    with pytest.raises(type(error)) as caught:
        lab.run(film, [lab.Sink("window", on_open=break_off, main_thread=True)])
    assert caught.value is error
    assert film.closed == 1


def test_a_stage_that_raises_ends_the_run_of_the_other_sources_too(lab: Any) -> None:
    def before(frame: Any) -> None:
        if frame.info.source_id == "film":
            raise ZeroDivisionError("a bug")

    camera = lab.Source("camera", 400, live=True, pause_s=0.005)
    with pytest.raises(StageError, match="ZeroDivisionError: a bug"):
        lab.run([lab.Source(), camera], detector=lambda: lab.Detector(before=before))
    assert lab.made[-1].stats.sources[1].frames_read < camera.count


@pytest.mark.parametrize("live", [False, True])
def test_a_stage_that_raises_while_the_reader_waits_wakes_it(lab: Any, live: bool) -> None:
    # Nothing is taken before the reader has surely filled every queue.
    def wait_and_raise(_: Any) -> None:
        time.sleep(0.3)
        raise ZeroDivisionError("a bug")

    source = lab.Source(count=LONG, live=live)
    with pytest.raises(StageError, match="ZeroDivisionError: a bug"):
        lab.run(source, [lab.Sink()], detector=lambda: lab.Detector(before=wait_and_raise))
    assert source.closed == 1


def test_a_stage_with_a_sources_error_wakes_the_reader_too(lab: Any) -> None:
    # Such an error lets the frames before it go on, so nothing is thrown away for it.
    def wait_and_raise(_: Any) -> None:
        time.sleep(0.3)
        raise SourceError("lost")

    source = lab.Source(count=LONG)
    with pytest.raises(SourceError, match="lost"):
        lab.run(source, [lab.Sink()], detector=lambda: lab.Detector(before=wait_and_raise))
    assert source.closed == 1


@PLAIN_AND_OURS
def test_an_error_while_reading_reaches_the_caller(lab: Any, error: Exception) -> None:
    source = lab.Source(count=LONG, before=raising(error, after=20))
    sink = lab.Sink()
    with pytest.raises(raised(error), match=str(error)):
        lab.run(source, [sink])
    assert source.closed == 1
    assert sink.closed == 1
    assert sink.indices() == list(range(20)), "what was read before is lost"


def test_a_late_source_error_comes_after_every_frame_before_it(lab: Any) -> None:
    source = lab.Source(count=37, at_end=raising(SourceError("film is incomplete")))
    sink = lab.Sink(on_write=lambda _: time.sleep(0.005))
    with pytest.raises(SourceError, match="incomplete"):
        lab.run(source, [sink])
    assert sink.indices() == list(range(37))
    assert source.closed == sink.closed == 1


def test_a_source_that_is_lost_does_not_end_the_others(lab: Any) -> None:
    lost = lab.Source("lost", 5, at_end=raising(SourceError("lost after 5 frames")))
    sink = lab.Sink()
    with pytest.raises(SourceError, match="lost after 5"):
        lab.run([lost, lab.Source("film", 80, pause_s=0.002)], [sink])
    assert sink.indices("lost") == list(range(5))
    assert sink.indices("film") == list(range(80))


def test_a_source_that_fails_to_close_is_reported(lab: Any) -> None:
    sink = lab.Sink(on_write=lambda _: time.sleep(0.005))
    with pytest.raises(StageError, match="source 'lab' failed to close: OSError: stuck"):
        lab.run(lab.Source(count=37, on_close=raising(OSError("stuck"))), [sink])
    assert sink.closed == 1
    assert sink.indices() == list(range(37)), "what was read before is lost"


def test_a_source_whose_colours_do_not_fit_is_named_and_no_sink(lab: Any) -> None:
    class Odd(lab.Source):  # type: ignore[misc, name-defined]
        def frames(self) -> Iterator[Any]:
            colours = np.zeros((48, 64, 4), np.uint8)
            yield new_frame(np.zeros((48, 64), np.uint8), 0, 0.0, self.info, colours)

    says = r"^source 'lab' failed .*image must be \(48, 64, 3\) uint8, got \(48, 64, 4\) uint8"
    with pytest.raises(StageError, match=says):
        lab.run(Odd(), [lab.Sink(on_write=lambda result: result.frame.image)])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (np.zeros((48, 64), np.uint8), "frames must yield Frame, got a ndarray"),
        (replace(make_frame(), time_s=None), "time_s must be 0 or more, got None"),
        (
            make_frame(image=np.zeros((24, 64), np.uint8), info=INFO),
            r"grey is \(24, 64\), its info",
        ),
        (make_frame(6, 1.0), "index must rise, got 6 after 6"),
        (make_frame(7, 0.2), "frame 7: time_s must never fall, got 0.2 after 0.24"),
        (
            make_frame(7, 1.0, info=replace(INFO, width=96)),
            "frame 7: a new size needs a new session, got 96x48 after 64x48 in session 0",
        ),
        (
            replace(make_frame(7, 1.0), captured_at=datetime(2026, 1, 1, tzinfo=EAST)),
            "frame 7: captured_at must be UTC, got 2026-01-01",
        ),
    ],
)
def test_a_source_that_gives_something_else_is_told_what_was_expected(
    lab: Any, given: Any, says: str
) -> None:
    class Odd(lab.Source):  # type: ignore[misc, name-defined]
        def frames(self) -> Iterator[Any]:
            yield from super().frames()
            yield given

    sink = lab.Sink()
    with pytest.raises(
        StageError, match=f"source 'lab' broke its contract after 7 frames: .*{says}"
    ):
        lab.run(Odd(count=7), [sink])
    assert sink.indices() == list(range(7))


def test_a_source_that_opens_without_a_word_is_told_what_was_expected(lab: Any) -> None:
    class Silent(lab.Source):  # type: ignore[misc, name-defined]
        def open(self) -> Any:
            super().open()

    with pytest.raises(
        StageError, match=r"source 'lab' broke .*must return a StreamInfo, got None"
    ):
        lab.run(Silent(), [lab.Sink()])


def test_a_systems_error_shows_no_password(lab: Any) -> None:
    refused = ConnectionError("cannot reach http://me:secret@camera/1")
    with pytest.raises(SourceError, match=r"cannot reach http://me:\*\*\*@camera/1$"):
        lab.run(lab.Source(on_open=raising(refused)), [lab.Sink()])


def test_a_systems_error_is_a_sources_error(lab: Any) -> None:
    gone = FileNotFoundError(2, "No such file or directory", "talk.bin")
    says = r"source 'lab' {} No such file or directory \(talk\.bin\)$"
    with pytest.raises(SourceError, match=says.format("cannot be opened:")):
        lab.run(lab.Source(on_open=raising(gone)), [lab.Sink()])
    with pytest.raises(SourceError, match=says.format("failed after 9 frames:")):
        lab.run(lab.Source(count=9, at_end=raising(gone)), [lab.Sink()])


@PLAIN_AND_OURS
def test_a_source_that_does_not_open_closes_those_that_did(lab: Any, error: Exception) -> None:
    good = lab.Source("good", 5)
    bad = lab.Source("bad", 5, on_open=raising(error))
    sink = lab.Sink()
    with pytest.raises(raised(error), match=str(error)):
        lab.run([good, bad], [sink])
    assert (good.opened, good.closed) == (1, 1)
    assert (bad.opened, bad.closed) == (0, 0)
    assert sink.opened == 0, "a sink was opened although there is nothing to read"


@pytest.mark.parametrize("main_thread", [False, True])
@pytest.mark.parametrize(
    ("error", "says"),
    [
        (SinkError("no room"), "no room"),
        (
            PermissionError(13, "Permission denied", "out.csv"),
            r"sink 'bad' cannot be opened: Permission denied \(out\.csv\)",
        ),
        (ZeroDivisionError("a bug"), "sink 'bad' cannot be opened: ZeroDivisionError: a bug"),
    ],
    ids=["ours", "system", "bug"],
)
def test_a_sink_that_does_not_open_closes_what_did(
    lab: Any, error: Exception, says: str, main_thread: bool
) -> None:
    source = lab.Source(count=5)
    window, first = lab.Sink("window", main_thread=True), lab.Sink("first")
    bad = lab.Sink("bad", on_open=raising(error), main_thread=main_thread)
    last = lab.Sink("last")
    with pytest.raises(SinkError, match=f"^{says}$"):
        lab.run(source, [window, first, bad, last])
    assert source.closed == 1
    for sink in (window, first, last):
        assert sink.opened == sink.closed, sink.name
        assert sink.results == []
    assert window.opened == 1
    assert (bad.opened, bad.closed) == (0, 0)


@pytest.mark.parametrize("main_thread", [False, True])
@pytest.mark.parametrize(
    "error",
    [
        SinkError("lab is full at frame 3"),
        OSError(28, "No space left on device"),
        ZeroDivisionError("a bug"),
        ConfigError("not a sink's error"),
        SystemExit(3),
        CancelledError(),
    ],
    ids=["ours", "system", "bug", "other", "exit", "cancelled"],
)
def test_a_sink_that_cannot_write_ends_a_run_over_files_naming_sink_and_frame(
    lab: Any, error: BaseException, main_thread: bool, caplog: pytest.LogCaptureFixture
) -> None:
    source = lab.Source(count=LONG)
    bad = lab.Sink("bad", on_write=raising(error, after=3), main_thread=main_thread)
    good = lab.Sink("good", on_write=lambda _: time.sleep(0.001))
    with caplog.at_level(logging.CRITICAL), pytest.raises(SinkError) as caught:
        lab.run(source, [bad, good])
    assert "frame 3" in str(caught.value)
    if not isinstance(error, SinkError):
        assert "'bad'" in str(caught.value)
    assert bad.indices() == [0, 1, 2]
    assert bad.closed == good.closed == source.closed == 1
    assert good.indices() == list(range(len(good.results))), "the other sink has a hole"
    assert 4 <= len(good.results) < LONG


def test_ctrl_c_while_a_window_draws_is_no_error_of_the_windows(lab: Any) -> None:
    window = lab.Sink(on_write=raising(KeyboardInterrupt(), after=3), main_thread=True)
    with pytest.raises(KeyboardInterrupt):
        lab.run(lab.Source(count=LONG), [window])
    assert window.closed == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(0)])
@pytest.mark.parametrize("call", ["on_open", "on_write", "on_close"])
def test_a_sink_cannot_interrupt_its_thread_in_silence(
    lab: Any, error: BaseException, call: str, caplog: pytest.LogCaptureFixture
) -> None:
    bad = lab.Sink("bad", **{call: raising(error)})
    with caplog.at_level(logging.CRITICAL), pytest.raises(SinkError, match="sink 'bad'"):
        lab.run(lab.Source(count=20), [bad])
    assert bad.opened == bad.closed


def test_a_sinks_bug_shows_where_it_is(lab: Any, caplog: pytest.LogCaptureFixture) -> None:
    bad = lab.Sink("bad", on_write=raising(ZeroDivisionError("a bug")))
    with pytest.raises(SinkError):
        lab.run(lab.Source(), [bad])
    (record,) = [r for r in caplog.records if r.exc_info]
    assert "'bad' has a bug" in record.getMessage()
    assert "raise error" in (record.exc_text or "")


@pytest.mark.parametrize("main_thread", [False, True])
@pytest.mark.parametrize(
    "error",
    [
        SinkError("lab cannot finish"),
        OSError(28, "full"),
        ZeroDivisionError("bug"),
        CancelledError(),
    ],
)
def test_a_sink_that_cannot_close_is_reported(
    lab: Any, error: BaseException, main_thread: bool, caplog: pytest.LogCaptureFixture
) -> None:
    sink = lab.Sink(on_close=raising(error), main_thread=main_thread)
    with caplog.at_level(logging.CRITICAL), pytest.raises(SinkError) as caught:
        lab.run(lab.Source(count=20), [sink])
    assert error in (caught.value, caught.value.__cause__)
    assert sink.indices() == list(range(20))
    assert sink.closed == 1


def test_a_classifier_with_too_few_scores_is_told_so(lab: Any) -> None:
    class Forgetful(type(lab.Classifier())):  # type: ignore[misc]
        def classify(self, crops: Any) -> Any:
            return super().classify(crops)[:-1]

    says = f"classifier 'lab' broke its contract .* expected {GROUP}, got {GROUP - 1}"
    with pytest.raises(StageError, match=says):
        lab.run(lab.Source(count=20), [], classifier=Forgetful())


def test_of_several_errors_the_first_is_raised_and_the_others_are_logged(
    lab: Any, caplog: pytest.LogCaptureFixture
) -> None:
    source = lab.Source(count=10, at_end=raising(SourceError("first: incomplete")))
    sink = lab.Sink(on_close=raising(SinkError("second: cannot finish")))
    with pytest.raises(SourceError, match="first"):
        lab.run(source, [sink])
    assert "second: cannot finish" in caplog.text


@pytest.mark.parametrize(
    ("live", "policy", "goes_on"),
    [
        (False, "auto", False),
        (False, "stop", False),
        (False, "continue", True),
        (True, "auto", True),
        (True, "stop", False),
        (True, "continue", True),
    ],
)
@pytest.mark.parametrize("main_thread", [False, True])
def test_on_sink_error(lab: Any, live: bool, policy: str, goes_on: bool, main_thread: bool) -> None:
    count = 300
    source = lab.Source(count=count, live=live, pause_s=0.002)
    breaks = raising(SinkError("bad broke"), after=2)
    bad = lab.Sink("bad", on_write=breaks, main_thread=main_thread)
    good = lab.Sink("good")
    with pytest.raises(SinkError, match="bad broke"):
        lab.run(source, [bad, good], on_sink_error=policy)
    assert len(bad.results) == 2
    assert bad.closed == bad.opened, "it may have been tried again"
    assert good.closed == 1
    if goes_on:
        assert good.indices()[-1] == count - 1
    else:
        assert good.indices()[-1] < count - 1


@pytest.mark.parametrize("main_thread", [False, True])
def test_a_sink_that_asks_to_stop_ends_the_run_cleanly(lab: Any, main_thread: bool) -> None:
    source = lab.Source(count=LONG)
    # It asks once: whether it gets more is up to the engine.
    asks = raising(StopStream(), after=5, times=1)
    asking = lab.Sink("asking", on_write=asks, main_thread=main_thread)
    other = lab.Sink("other")
    engine = lab.run(source, [asking, other])
    assert asking.indices() == list(range(5)), "a sink that is done got more"
    assert asking.closed == other.closed == source.closed == 1
    assert other.indices() == list(range(len(other.results)))
    assert len(other.results) == engine.frames_done, "what was under way is delivered"
    assert 6 <= engine.frames_done < LONG


def test_an_idle_window_can_end_the_run(lab: Any) -> None:
    go = threading.Event()
    source = lab.Source(count=10, live=True, before=lambda i: i == 5 and go.wait(10))
    window = lab.Sink("window", on_idle=raising(StopStream(), after=3), main_thread=True)
    window.on_close = lambda _: go.set()
    lab.run(source, [window])
    assert window.closed == 1


def test_a_run_waits_for_a_window_that_lingers(lab: Any) -> None:
    window = lab.Sink(main_thread=True)
    window.lingers = True
    idled: list[int] = []

    def idle(_: Any) -> None:
        idled.append(len(window.results))
        window.lingers = idled.count(20) < 3

    window.on_idle = idle
    lab.run(lab.Source(count=20), [window])
    assert idled.count(20) == 3
    assert not window.stopping


def test_a_stop_ends_a_window_that_lingers_and_tells_it(lab: Any) -> None:
    window = lab.Sink(main_thread=True)
    window.lingers = True
    engine = lab.engine(lab.Source(count=20), [window])
    engine.start()
    engine.run(lambda: engine.request_stop() if len(window.results) == 20 else None)
    assert window.stopping
    assert window.closed == 1


@pytest.mark.parametrize("main_thread", [False, True])
def test_a_sink_may_ask_to_stop_before_anything_was_written(lab: Any, main_thread: bool) -> None:
    source = lab.Source(count=LONG)
    sink = lab.Sink(on_open=raising(StopStream()), main_thread=main_thread)
    engine = lab.run(source, [sink, lab.Sink("other")])
    assert engine.frames_done < LONG
    assert source.closed == 1
    assert sink.closed == 0, "close follows only a successful open"


def test_a_requested_stop_delivers_what_was_read(lab: Any) -> None:
    source = lab.Source(count=LONG, pause_s=0.001)
    sink = lab.Sink()
    engine = lab.engine(source, [sink])
    engine.start()
    threading.Timer(0.3, engine.request_stop).start()
    engine.run()
    assert sink.indices() == list(range(len(sink.results)))
    # The reader may hold one more frame that nobody took.
    read = engine.stats.sources[0].frames_read
    assert read - 1 <= len(sink.results) <= read
    assert 0 < len(sink.results) < LONG


class Hanging:
    """An act that hangs until the test lets it go."""

    def __init__(self) -> None:
        self.reached, self.go = threading.Event(), threading.Event()

    def __call__(self, _: Any) -> None:
        self.reached.set()
        self.go.wait(15)


@pytest.fixture
def hanging(no_thread_remains: None) -> Iterator[Hanging]:
    """Return an act that hangs, and end it after the test."""
    act = Hanging()
    yield act
    act.go.set()
    for thread in threading.enumerate():
        if thread.name.startswith("sink "):
            thread.join(10)


@pytest.mark.parametrize("where", ["on_write", "on_close"])
def test_a_sink_that_hangs_cannot_stop_the_stop(
    lab: Any, hanging: Hanging, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "STOP_S", 0.5)
    stuck, good = lab.Sink("stuck", **{where: hanging}), lab.Sink("good")
    source = lab.Source(count=LONG if where == "on_write" else 10)
    engine = lab.engine(source, [stuck, good])
    engine.start()
    threading.Thread(
        target=lambda: (hanging.reached.wait(10), engine.request_stop()), daemon=True
    ).start()
    with pytest.raises(SinkError, match=r"^sink stuck did not finish in time"):
        engine.run()
    assert good.closed == source.closed == 1


def test_a_stage_that_raises_beside_a_sink_that_hangs_still_ends_the_run(
    lab: Any, hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "STOP_S", 0.5)

    def wait_and_raise(_: Any) -> None:
        assert hanging.reached.wait(10)
        raise ZeroDivisionError("a bug")

    broken = lab.Classifier()
    broken.before = lambda _: len(broken.batches) == 1 and wait_and_raise(None)
    with pytest.raises(StageError, match="ZeroDivisionError: a bug"):
        lab.run(lab.Source(count=LONG), [lab.Sink("stuck", on_write=hanging)], classifier=broken)


def test_a_run_that_ends_before_a_source_is_read_closes_it(lab: Any) -> None:
    source, sink = lab.Source(), lab.Sink()
    engine = lab.engine(source, [sink])
    # As where the first source's error ends the run while the second's threads are started.
    engine.lanes[0].source.stop()
    engine.start()
    engine.run()
    assert (source.opened, source.closed) == (1, 1)
    assert sink.closed == 1


def test_a_source_that_fails_to_close_hides_no_error_of_the_start(lab: Any) -> None:
    first, second = lab.Source("a", on_close=raising(ZeroDivisionError("a bug"))), lab.Source("b")
    third = lab.Source("c", on_open=raising(SourceError("c is not there")))
    with pytest.raises(SourceError, match="c is not there"):
        lab.run([first, second, third])
    assert first.closed == second.closed == 1


def test_the_callers_own_exception_ends_the_run(lab: Any) -> None:
    source, sink = lab.Source(count=LONG), lab.Sink()
    engine = lab.engine(source, [sink])
    engine.start()
    with pytest.raises(KeyError):
        engine.run(lambda: raising(KeyError("tick"))(None))
    assert source.closed == sink.closed == 1


def test_what_goes_wrong_once_the_caller_has_left_is_logged(
    lab: Any, caplog: pytest.LogCaptureFixture
) -> None:
    sink = lab.Sink(on_close=raising(SinkError("the disk is full")))
    engine = lab.engine(lab.Source(), [sink])
    engine.start()
    engine.close()
    assert [record.getMessage() for record in caplog.records] == ["the disk is full"]


def test_a_live_run_that_ends_waits_for_no_sink_without_end(
    lab: Any, hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "STOP_S", 0.5)
    with pytest.raises(SinkError, match=r"^sink stuck did not finish in time"):
        lab.run(lab.Source(count=3, live=True), [lab.Sink("stuck", on_write=hanging)])
