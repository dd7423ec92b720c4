"""Stages that count the CPU time they take, for `fer-stream bench`."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fer_stream.engine.lane import Plan
from fer_stream.stages import Classifier, Detector, Filter, Sink, Tracker
from fer_stream.types import Box, Detection, EmotionScores, Face, Frame, FrameResult, Track


class CpuClock:
    """CPU time of a stage; safe from any thread."""

    def __init__(self) -> None:
        self.calls = 0
        self.cpu_s = 0.0
        self._lock = threading.Lock()

    @contextmanager
    def time(self) -> Iterator[None]:
        """Count the CPU seconds that the calling thread spends in a block."""
        start_s = time.thread_time()
        yield
        took_s = time.thread_time() - start_s
        with self._lock:
            self.cpu_s += took_s
            self.calls += 1


class Clocks:
    """A clock for each stage whose work is done on the thread that calls it."""

    def __init__(self) -> None:
        self.detect, self.track, self.classify = CpuClock(), CpuClock(), CpuClock()
        self.filter, self.sink = CpuClock(), CpuClock()

    def measured(self, plan: Plan) -> Plan:
        """Return a plan whose detector, trackers and filters are measured."""
        return replace(
            plan,
            detector=MeasuredDetector(plan.detector, self.detect),
            new_tracker=lambda: MeasuredTracker(plan.new_tracker(), self.track),
            new_filters=lambda: [MeasuredFilters(plan.new_filters(), self.filter)],
        )


class MeasuredDetector(Detector):
    """A detector, measured."""

    name = "measured"

    def __init__(self, inner: Detector, clock: CpuClock) -> None:
        self._inner, self._clock = inner, clock
        self.name = inner.name  # type: ignore[misc]  # for messages

    def detect(self, frame: Frame) -> list[Detection]:
        """Find what the inner one finds."""
        with self._clock.time():
            return self._inner.detect(frame)

    def look_again(self, frame: Frame, boxes: Sequence[Box]) -> list[float] | None:
        """Answer as the inner one does; the time counts as the tracker's, who asks."""
        return self._inner.look_again(frame, boxes)


class MeasuredTracker(Tracker):
    """A tracker, measured."""

    name = "measured"

    def __init__(self, inner: Tracker, clock: CpuClock) -> None:
        self._inner, self._clock = inner, clock
        self.name = inner.name  # type: ignore[misc]
        self.follows = inner.follows  # type: ignore[misc]

    def update(self, frame: Frame, detections: Sequence[Detection] | None) -> list[Track]:
        """Follow as the inner one does."""
        self._inner.look_again = self.look_again
        with self._clock.time():
            return self._inner.update(frame, detections)

    @property
    def wants_detection(self) -> bool:
        """What the inner one wants."""
        return self._inner.wants_detection


class MeasuredClassifier(Classifier):
    """A classifier, measured."""

    name = "measured"

    def __init__(self, inner: Classifier, clock: CpuClock) -> None:
        self._inner, self._clock = inner, clock
        self.labels, self.input_size = inner.labels, inner.input_size
        self.name = inner.name  # type: ignore[misc]
        self.concurrent = inner.concurrent  # type: ignore[misc]

    def classify(self, crops: npt.NDArray[np.uint8]) -> list[EmotionScores]:
        """Score as the inner one does."""
        with self._clock.time():
            return self._inner.classify(crops)


class MeasuredFilters(Filter):
    """All filters of a session, measured as one."""

    name = "measured"

    def __init__(self, inner: Sequence[Filter], clock: CpuClock) -> None:
        self._inner, self._clock = inner, clock
        self.name = ", ".join(stage.name for stage in inner)  # type: ignore[misc]

    def apply(self, frame: Frame, faces: Sequence[Face]) -> list[Face]:
        """Apply the inner ones in order."""
        with self._clock.time():
            for stage in self._inner:
                faces = stage.apply(frame, faces)
            return list(faces)


class CountingSink(Sink):
    """Keeps nothing and counts the faces."""

    name = "nothing"

    def __init__(self, clock: CpuClock) -> None:
        self.faces = 0
        self._clock = clock

    def write(self, result: FrameResult) -> None:
        """Count a frame's faces."""
        with self._clock.time():
            self.faces += len(result.faces)
