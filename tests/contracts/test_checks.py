"""The checks refuse what breaks a contract: each stage here breaks one promise."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_stream.errors import SinkError, SourceError
from fer_stream.stages import Classifier, Detector, Filter, Sink, Source, Tracker
from fer_stream.testing import (
    FakeClassifier,
    FakeDetector,
    FakeSource,
    ListSink,
    check_classifier,
    check_detector,
    check_filter,
    check_sink,
    check_sink_spares,
    check_source,
    check_tracker,
    make_face,
    make_frame,
)
from fer_stream.types import (
    Box,
    Detection,
    EmotionScores,
    Face,
    Frame,
    FrameResult,
    RunInfo,
    StreamInfo,
    Track,
)

INFO = StreamInfo("fake", 64, 48, fps=25.0)


def _frames(*times: float, **info: Any) -> list[Frame]:
    return [make_frame(i, t, info=replace(INFO, **info)) for i, t in enumerate(times)]


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (_frames(0.0, 0.2, 0.1), "time_s must never fall"),
        (_frames(-1.0), "time_s must be 0 or more"),
        (_frames(float("nan")), "time_s must be 0 or more"),
        ([make_frame(1), make_frame(1)], "index must rise"),
        (_frames(0.0) + _frames(0.1, 0.2, width=32)[1:], "a new size needs a new session"),
        (_frames(0.0) + _frames(0.1, 0.2, source_id="x")[1:], "source_id must stay the same"),
        (_frames(0.0, session=1) + _frames(0.1, 0.2)[1:], "session must never fall"),
        (_frames(0.0) + _frames(0.1, 0.2, live=True)[1:], "live throughout or never"),
        ([replace(make_frame(), info=replace(INFO, width=65))], "grey is"),
        ([], "at least one frame"),
    ],
)
def test_a_source_that_breaks_its_promise_is_refused(script: list[Frame], problem: str) -> None:
    source = FakeSource(script=script)
    with pytest.raises(AssertionError, match=problem):
        check_source(source)
    assert source.closed == 1


def test_a_source_that_reuses_its_buffer_is_refused() -> None:
    class Reusing(Source):
        name = "reusing"

        def open(self) -> StreamInfo:
            return INFO

        def frames(self) -> Iterator[Frame]:
            buffer = np.zeros((48, 64), np.uint8)
            for index in range(3):
                buffer[:] = index
                yield make_frame(index, image=buffer, info=INFO)

    with pytest.raises(AssertionError, match="frame 0 changed after it was given"):
        check_source(Reusing())


def test_a_source_whose_id_carries_a_password_is_refused() -> None:
    with pytest.raises(AssertionError, match="password"):
        check_source(FakeSource("rtsp://user:secret@camera/1"))


def test_an_endless_source_is_closed_after_some_frames() -> None:
    source = FakeSource(count=10**9, live=True)
    assert len(check_source(source, finite=False, at_most=7)) == 7
    assert (source.given, source.closed) == (7, 1)


def test_a_source_that_fails_is_closed_and_says_why() -> None:
    source = FakeSource(fail_after=3)
    with pytest.raises(SourceError, match="fake was lost after 3 frames"):
        check_source(source)
    assert source.closed == 1


class _BadDetector(FakeDetector):
    def __init__(self, found: Any) -> None:
        super().__init__()
        self.found = found

    def detect(self, frame: Frame) -> list[Detection]:
        return self.found


class _BadWitness(FakeDetector):
    def __init__(self, said: Any) -> None:
        super().__init__()
        self.said = said

    def look_again(self, _frame: Frame, _boxes: Sequence[Box]) -> list[float] | None:
        return self.said


class _Scribbler(FakeDetector):
    def detect(self, frame: Frame) -> list[Detection]:
        frame.grey[0, 0] ^= 1
        return []


@pytest.mark.parametrize(
    ("detector", "problem"),
    [
        (_BadDetector(()), "must return a list"),
        (_BadDetector([Box(0, 0, 1, 1)]), "a list of Detection, got Box"),
        (_BadDetector([Detection(Box(60, 0, 5, 5))]), "reaches out"),
        (_BadDetector([Detection(Box(0, 44, 5, 5))]), "reaches out"),
        (_BadDetector([Detection(Box(np.int32(1), 0, 5, 5))]), "whole pixels"),
        (_BadDetector([Detection(Box(0, 0, 5, 5), 1.5)]), "confidence"),
        (_BadWitness([0.5, 0.5]), "a number for each box"),
        (_BadWitness([1.5]), "numbers 0..1"),
        (_BadWitness([None]), "numbers 0..1"),
        (_BadDetector([Detection(Box(0, 0, 5, 5), np.float32(0.5))]), "confidence must be None or"),
        (_Scribbler(), "must not be written to"),
    ],
)
def test_a_detector_that_breaks_its_promise_is_refused(detector: Detector, problem: str) -> None:
    with pytest.raises(AssertionError, match=problem):
        check_detector(detector, make_frame())


def test_a_detector_may_go_to_the_limits() -> None:
    class Extreme(FakeDetector):
        def detect(self, frame: Frame) -> list[Detection]:
            height, width = frame.grey.shape
            return [Detection(Box(0, 0, width, height), 0), Detection(Box(63, 47, 1, 1), 1.0)]

        def look_again(self, _frame: Frame, boxes: Sequence[Box]) -> list[float] | None:
            return [0.0, 1.0]

    assert len(check_detector(Extreme(), make_frame())) == 2


class _BadTracker(Tracker):
    name = "bad"

    def __init__(self, tracks: Any, wants: Any = False) -> None:
        self.tracks, self.wants = tracks, wants

    def update(self, frame: Frame, detections: Sequence[Detection] | None) -> list[Track]:
        return self.tracks

    @property
    def wants_detection(self) -> bool:
        return self.wants


class _OnceAFrame(Tracker):
    """Wants a detection, and when it gets one on the same frame breaks its promise."""

    name = "once"
    wants_detection = True

    def __init__(self) -> None:
        self.seen: set[int] = set()

    def update(self, frame: Frame, detections: Sequence[Detection] | None) -> list[Track]:
        if frame.index in self.seen:
            return [Track(Box(0, 0, 5, 5), 0)]
        self.seen.add(frame.index)
        return []


@pytest.mark.parametrize(
    ("tracker", "problem"),
    [
        (_OnceAFrame(), "counts from 1"),
        (_BadTracker(None), "must return a list"),
        (_BadTracker([Detection(Box(0, 0, 5, 5))]), "a list of Track, got Detection"),
        (_BadTracker([Track(Box(0, 0, 65, 5), 1)]), "reaches out"),
        (_BadTracker([Track(Box(0, 0, 5, 5), 0)]), "counts from 1"),
        (_BadTracker([Track(Box(i, 0, 5, 5), 3) for i in range(2)]), "share a track id"),
        (_BadTracker([], wants=1), "wants_detection"),
    ],
)
def test_a_tracker_that_breaks_its_promise_is_refused(tracker: Tracker, problem: str) -> None:
    with pytest.raises(AssertionError, match=problem):
        check_tracker(tracker)


class _Backwards(FakeClassifier):
    def classify(self, crops: np.ndarray) -> list[EmotionScores]:
        return super().classify(crops)[::-1]


class _Forgetful(FakeClassifier):
    def classify(self, crops: np.ndarray) -> list[EmotionScores]:
        return super().classify(crops[:1])


class _OtherLabels(FakeClassifier):
    def classify(self, crops: np.ndarray) -> list[EmotionScores]:
        return [EmotionScores(("a",), np.ones(1, np.float32)) for _ in crops]


class _Doubles(FakeClassifier):
    def classify(self, crops: np.ndarray) -> list[EmotionScores]:
        return [
            EmotionScores(s.labels, s.probabilities.astype(np.float64))
            for s in super().classify(crops)
        ]


class _Negative(FakeClassifier):
    def classify(self, crops: np.ndarray) -> list[EmotionScores]:
        scores = np.array([-1, 2, 0, 0, 0, 0, 0], np.float32)
        return [EmotionScores(self.labels, scores) for _ in crops]


class _Normaliser(FakeClassifier):
    def classify(self, crops: np.ndarray) -> list[EmotionScores]:
        scores = super().classify(crops)
        crops //= 2
        return scores


class _Unlabelled(FakeClassifier):
    labels = ()


class _LikeAColumn(FakeClassifier):
    labels = ("happy", "score")


class _NoSize(FakeClassifier):
    input_size = (0, 48)


class _Shared(FakeClassifier):
    """Keeps what it works on where a second thread overwrites it."""

    concurrent = True

    def classify(self, crops: np.ndarray) -> list[EmotionScores]:
        self.crops = crops
        time.sleep(0.02)
        return super().classify(self.crops)


@pytest.mark.parametrize(
    ("cls", "problem"),
    [
        (_Backwards, "must not depend on its batch"),
        (_Shared, "differ by .* on several threads"),
        (_Forgetful, "expected 5, got 1"),
        (_OtherLabels, "expected scores with the labels"),
        (_Doubles, "must be float32"),
        (_Negative, "0 to 1"),
        (_Normaliser, "must not write to the crops"),
        (_Unlabelled, "labels must be"),
        (_LikeAColumn, "the label 'score' is called like a column"),
        (_NoSize, "input_size"),
    ],
)
def test_a_classifier_that_breaks_its_promise_is_refused(
    cls: type[Classifier], problem: str
) -> None:
    with pytest.raises(AssertionError, match=problem):
        check_classifier(cls())


class _BadFilter(Filter):
    name = "bad"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def apply(self, frame: Frame, faces: Sequence[Face]) -> list[Face]:
        return self.answer


class _InPlace(Filter):
    name = "in-place"

    def apply(self, frame: Frame, faces: Sequence[Face]) -> list[Face]:
        for face in faces:
            face.scores.probabilities[:] = face.scores.probabilities[::-1].copy()
        return list(faces)


@pytest.mark.parametrize(
    ("stage", "problem"),
    [
        (_BadFilter(()), "must return a list"),
        (_BadFilter([Track(Box(0, 0, 5, 5), 1)]), "a list of Face, got Track"),
        (_BadFilter([make_face(), make_face()]), "share a track id"),
        (_BadFilter([make_face("good", labels=("good", "bad"))]), "must keep the run's labels"),
        (_InPlace(), "must not write to the scores"),
    ],
)
def test_a_filter_that_breaks_its_promise_is_refused(stage: Filter, problem: str) -> None:
    with pytest.raises(AssertionError, match=problem):
        check_filter(stage)


class _Painter(ListSink):
    def write(self, result: FrameResult) -> None:
        result.frame.grey[0, 0] ^= 1


class _Zeroer(ListSink):
    def write(self, result: FrameResult) -> None:
        for face in result.faces:
            face.scores.probabilities[:] = 0


class _Shouting(ListSink):
    name = "Shout it"


class _Numbered(ListSink):
    def write(self, result: FrameResult) -> None:
        assert self.run is not None
        self.run.sources.index(result.frame.info.source_id)


class _Clock(ListSink):
    def write(self, result: FrameResult) -> None:
        info, now = result.frame.info, result.frame.time_s
        for other in self.results:
            if other.frame.info.source_id == info.source_id and other.frame.time_s > now:
                raise SinkError("time goes backwards")
        super().write(result)


@pytest.mark.parametrize(
    ("cls", "problem"),
    [(_Numbered, "not in tuple"), (_Clock, "time goes backwards")],
    ids=["each source is one of the run's", "a source's time never falls"],
)
def test_a_sink_that_counts_on_what_does_not_hold_fails(cls: type[ListSink], problem: str) -> None:
    with pytest.raises((ValueError, SinkError), match=problem):
        check_sink(cls())


@pytest.mark.parametrize(
    ("cls", "problem"),
    [
        (_Painter, "must not be written to"),
        (_Zeroer, "must not change the scores"),
        (_Shouting, "name must be lower case"),
    ],
)
def test_a_sink_that_breaks_its_promise_is_refused(cls: type[ListSink], problem: str) -> None:
    with pytest.raises(AssertionError, match=problem):
        check_sink(cls())


class _WritesAtTheEnd(ListSink):
    def __init__(self, target: str) -> None:
        super().__init__()
        self.path = Path(target)

    def close(self) -> None:
        self.path.write_text(f"{len(self.results)} results")


class _EmptiesAtOnce(_WritesAtTheEnd):
    def open(self, run: RunInfo) -> None:
        self.path.write_text("")

    def close(self) -> None:
        pass


class _MovesAway(_EmptiesAtOnce):
    def open(self, run: RunInfo) -> None:
        self.path.rename(self.path.with_suffix(".old"))


@pytest.mark.parametrize("cls", [_WritesAtTheEnd, _EmptiesAtOnce, _MovesAway])
def test_a_sink_that_costs_an_old_file_is_refused(
    cls: type[_WritesAtTheEnd], tmp_path: Path
) -> None:
    old = tmp_path / "sums.txt"
    old.write_text("of an earlier run")
    with pytest.raises(AssertionError, match="may change an old file"):
        check_sink_spares(cls(str(old)), old)


def test_an_empty_file_would_show_nothing_and_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sums.txt").touch()
    with pytest.raises(AssertionError, match="put something into"):
        check_sink_spares(ListSink(), tmp_path / "sums.txt")


def test_a_sink_that_fails_is_closed() -> None:
    sink = ListSink(fail_after=2)
    with pytest.raises(Exception, match="list failed after 2 results"):
        check_sink(sink)
    assert sink.closed == 1


def test_a_sink_cannot_write_to_a_frames_picture() -> None:
    class Drawing(Sink):
        name = "drawing"

        def write(self, result: FrameResult) -> None:
            result.frame.image[0, 0] = 0

    with pytest.raises(ValueError, match="read-only"):
        check_sink(Drawing())
