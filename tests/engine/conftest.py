"""A laboratory for the engine: stages that do, count and break exactly what a test says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from fer_stream.engine import backoff
from fer_stream.engine.engine import Engine
from fer_stream.engine.lane import Plan
from fer_stream.engine.supervisor import Origin
from fer_stream.stages import Classifier, Detector, Filter, Sink, Source, Tracker
from fer_stream.testing import make_frame
from fer_stream.types import (
    Box,
    Detection,
    EmotionScores,
    Face,
    Frame,
    FrameResult,
    RunInfo,
    SourceStatus,
    StreamInfo,
    Track,
)
from tests.programs import wait_until

Act = Callable[[Any], object]


def nothing(_: Any) -> None:
    """Stands for whatever a test does not make a stage do."""


class LabSource(Source):
    """Gives `count` frames; `before` runs before each, `at_end` after the last."""

    name = "lab"

    def __init__(
        self,
        name: str = "film",
        count: int = 50,
        *,
        fps: float = 25.0,
        live: bool = False,
        stills: bool = False,
        pause_s: float = 0.0,
        session_length: int = 10**9,
        on_open: Act = nothing,
        before: Act = nothing,
        at_end: Act = nothing,
        on_close: Act = nothing,
    ) -> None:
        self.info = StreamInfo(name, 64, 48, fps=fps, live=live, stills=stills)
        self.source_id, self.live = name, live
        self.count, self.fps, self.pause_s = count, fps, pause_s
        self.session_length = session_length
        self.on_open, self.before, self.at_end = on_open, before, at_end
        self.on_close = on_close
        self.opened = self.closed = 0

    def open(self) -> StreamInfo:
        self.on_open(self)
        self.opened += 1
        return self.info

    def frames(self) -> Iterator[Frame]:
        for index in range(self.count):
            self.before(index)
            time.sleep(self.pause_s)
            info = replace(self.info, session=index // self.session_length)
            grey = np.full((info.height, info.width), index % 256, np.uint8)
            yield make_frame(index, index / self.fps, image=grey, info=info)
        self.at_end(self)

    def close(self) -> None:
        self.closed += 1
        self.on_close(self)


class LabDetector(Detector):
    """Finds `faces` faces; `before` runs before each detection."""

    name = "lab"

    def __init__(self, faces: int = 1, before: Act = nothing) -> None:
        self.faces, self.before = faces, before
        self.seen: list[int] = []

    def detect(self, frame: Frame) -> list[Detection]:
        self.before(frame)
        self.seen.append(frame.index)
        return [Detection(Box(4 * i, 4, 16, 16)) for i in range(self.faces)]


class LabTracker(Tracker):
    """Keeps the last detection, numbered."""

    name = "lab"

    def __init__(self, before: Act = nothing) -> None:
        self.before = before
        self.tracks: list[Track] = []
        self.seen: list[tuple[int, int]] = []

    def update(self, frame: Frame, detections: Sequence[Detection] | None) -> list[Track]:
        self.before(frame)
        self.seen.append((frame.info.session, frame.index))
        if detections is not None:
            self.tracks = [Track(d.box, i + 1) for i, d in enumerate(detections)]
        return self.tracks


class LabClassifier(Classifier):
    """Two labels; the second one's score tells the crop's grey level and the batch's size."""

    name = "lab"
    labels = ("dark", "bright")
    input_size = (8, 8)
    model_name = "lab model"
    model_sha256 = "5" * 64

    def __init__(self, before: Act = nothing, *, concurrent: bool = False) -> None:
        self.before = before
        self.concurrent = concurrent  # type: ignore[misc]
        self.batches: list[int] = []

    def classify(self, crops: npt.NDArray[np.uint8]) -> list[EmotionScores]:
        self.before(crops)
        self.batches.append(len(crops))
        bright = crops.mean(axis=(1, 2), dtype=np.float32) / 512 + len(crops) / 1024
        return [EmotionScores(self.labels, np.array([1 - b, b], np.float32)) for b in bright]


class LabFilter(Filter):
    """Changes nothing, remembers what passed."""

    name = "lab"

    def __init__(self, before: Act = nothing) -> None:
        self.before = before
        self.seen: list[tuple[int, int]] = []

    def apply(self, frame: Frame, faces: Sequence[Face]) -> list[Face]:
        self.before(frame)
        self.seen.append((frame.info.session, frame.index))
        return list(faces)


class LabSink(Sink):
    """Keeps all results; the acts run before each call has its effect."""

    name = "lab"

    def __init__(
        self,
        name: str = "lab",
        *,
        on_open: Act = nothing,
        on_write: Act = nothing,
        on_status: Act = nothing,
        on_idle: Act = nothing,
        on_close: Act = nothing,
        main_thread: bool = False,
    ) -> None:
        self.name = name  # type: ignore[misc]  # each of several sinks needs its own
        self.main_thread = main_thread  # type: ignore[misc]
        self.on_open, self.on_write, self.on_status = on_open, on_write, on_status
        self.on_idle, self.on_close = on_idle, on_close
        self.results: list[FrameResult] = []
        self.events: list[FrameResult | SourceStatus] = []
        """Results and statuses, in the order in which they came."""
        self.ages_s: list[float] = []
        """How old each frame was when it was written."""
        self.threads: list[threading.Thread] = []
        self.opened = self.closed = 0

    def open(self, run: RunInfo) -> None:
        self.threads.append(threading.current_thread())
        self.on_open(run)
        self.run = run
        self.opened += 1

    def write(self, result: FrameResult) -> None:
        self.threads.append(threading.current_thread())
        self.ages_s.append((time.monotonic_ns() - result.frame.captured_ns) / 1e9)
        self.on_write(result)
        self.results.append(result)
        self.events.append(result)

    def status(self, status: SourceStatus) -> None:
        self.threads.append(threading.current_thread())
        self.on_status(status)
        self.events.append(status)

    def idle(self) -> None:
        self.threads.append(threading.current_thread())
        self.on_idle(None)

    def close(self) -> None:
        self.threads.append(threading.current_thread())
        self.closed += 1
        self.on_close(None)

    def states(self, source: str = "film") -> list[str]:
        """Return a source's states, as they came."""
        statuses = (event for event in self.events if isinstance(event, SourceStatus))
        return [status.state for status in statuses if status.source_id == source]

    def indices(self, source: str = "film") -> list[int]:
        """Return the indices of a source's frames, as they came."""
        return [r.frame.index for r in self.results if r.frame.info.source_id == source]


class Sessions:
    """Makes a source anew for each session: the first of `sources`, then the next, ..., the last
    ever after."""

    def __init__(self, *sources: LabSource) -> None:
        self.waiting = list(sources)
        self.made: list[LabSource] = []

    def __call__(self) -> LabSource:
        is_last = len(self.waiting) == 1
        self.made.append(self.waiting[0] if is_last else self.waiting.pop(0))
        return self.made[-1]


class Lab:
    """Builds engines of the stages above."""

    Source, Sink, Detector, Tracker = LabSource, LabSink, LabDetector, LabTracker
    Classifier, Filter = LabClassifier, LabFilter
    Sessions, Origin = Sessions, Origin

    def __init__(self) -> None:
        self.made: list[Engine] = []
        self.detectors: list[LabDetector] = []
        self.trackers: list[LabTracker] = []
        self.filters: list[LabFilter] = []

    def engine(
        self,
        source: LabSource | Origin | Sequence[LabSource | Origin],
        sinks: Sequence[LabSink] = (),
        *,
        detector: Callable[[], LabDetector] = LabDetector,
        tracker: Callable[[], LabTracker] = LabTracker,
        filter_: Callable[[], LabFilter] = LabFilter,
        classifier: LabClassifier | None = None,
        detect_every: int | None = 10,
        analyse_fps: float | None = None,
        **options: Any,
    ) -> Engine:
        """Build an engine; what it makes of stages is kept in this laboratory's lists."""

        def kept(made: list[Any], stage: Any) -> Any:
            made.append(stage)
            return stage

        sources = list(source) if isinstance(source, Sequence) else [source]
        plans = [
            Plan(
                origin=one if isinstance(one, Origin) else Origin(lambda one=one: one),
                detector=kept(self.detectors, detector()),
                new_tracker=lambda: kept(self.trackers, tracker()),
                new_filters=lambda: [kept(self.filters, filter_())],
                detect_every=detect_every,
                analyse_fps=analyse_fps,
            )
            for one in sources
        ]
        run = RunInfo("lab run", (), LabClassifier.labels, "lab model", "5" * 64)
        self.made.append(Engine(plans, classifier or LabClassifier(), list(sinks), run, **options))
        return self.made[-1]

    def camera(
        self, count: int = 10, *, before: Act = nothing, ignoring: str = "", **options: Any
    ) -> LabSource:
        """Make a live source whose frames all arrive, however slow the machine is.

        Each but the first waits until all sinks have the one before it; not the sink `ignoring`.
        """

        def unhurried(index: int) -> None:
            wait_until(lambda: self._is_quiet(ignoring))
            before(index)

        return LabSource(count=count, live=True, before=unhurried, **options)

    def _is_quiet(self, ignoring: str) -> bool:
        engine = self.made[-1]
        read = [s.frames_read - s.frames_dropped["late"] for s in engine.stats.sources]
        sinks = [sink for sink in engine.stats.sinks if sink.name != ignoring]
        return read == [source.frames_processed for source in engine.stats.sources] and all(
            sum(sink.results.values()) == engine.frames_done for sink in sinks
        )

    def run(self, *args: Any, **options: Any) -> Engine:
        """Build an engine and run it to its end, whatever that is."""
        engine = self.engine(*args, **options)
        engine.start()
        engine.run()
        return engine


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again what failed after hundredths of a second."""
    monkeypatch.setattr(backoff, "FIRST_S", 0.02)
    monkeypatch.setattr(backoff, "MOST_S", 0.05)


@pytest.fixture
def no_thread_remains() -> Iterator[None]:
    """Fail the test if it leaves a thread behind."""
    before = set(threading.enumerate())
    yield
    left = {thread.name for thread in set(threading.enumerate()) - before}
    assert not left, f"threads left behind: {left}"
