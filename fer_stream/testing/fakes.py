"""Stages that do what a test asks, and remember what was done to them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from fer_stream.errors import SinkError, SourceError, StopStream
from fer_stream.stages import Classifier, Detector, Sink, Source
from fer_stream.testing.values import EMOTIONS, make_frame, make_scores
from fer_stream.types import (
    Box,
    Detection,
    EmotionScores,
    Frame,
    FrameResult,
    RunInfo,
    SourceStatus,
    StreamInfo,
)
from fer_stream.words import counted


class FakeSource(Source):
    """Gives frames that are made up, or those of `script`, and remembers what was done to it.

    Args:
        target: The stream's id; `fake` if empty.
        count: How many frames of noise it gives, 64x48 px.
        live: Whether it says that it is live.
        fps: Frames per second of their time stamps.
        delay: Seconds that it waits before each frame.
        fail_after: Raises `SourceError` after this many frames.
        hang_after: Gives no more after this many frames until `released` is set.
        script: The frames to give; they keep their own stream's info.
    """

    name = "fake"

    def __init__(
        self,
        target: str = "",
        *,
        count: int = 10,
        live: bool = False,
        fps: float = 25.0,
        delay: float = 0.0,
        fail_after: int | None = None,
        hang_after: int | None = None,
        script: Sequence[Frame] | None = None,
    ) -> None:
        self.opened = 0
        self.given = 0
        self.closed = 0
        self._delay_s = delay
        self.released = threading.Event()
        self.live = live
        self._fail_after = fail_after
        self._hang_after = hang_after
        self._fps = fps
        self._script = script
        self._count = len(script) if script is not None else count
        if script:
            self._info = script[0].info
        else:
            frame_count = None if live else count
            self._info = StreamInfo(target or "fake", 64, 48, fps, live, frame_count=frame_count)
        self.source_id = self._info.source_id

    def open(self) -> StreamInfo:
        """Say what the stream is."""
        self.opened += 1
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Give the frames."""
        for index in range(self._count):
            if index == self._fail_after:
                break
            if index == self._hang_after:
                self.released.wait()
            time.sleep(self._delay_s)
            self.given += 1
            if self._script is not None:
                yield self._script[index]
            else:
                yield make_frame(index, index / self._fps, info=self._info)
        if self._fail_after is not None:
            raise SourceError(
                f"{self._info.source_id} was lost after {counted(self.given, 'frame')}"
            )

    def close(self) -> None:
        """Count the call."""
        self.closed += 1


class FakeDetector(Detector):
    """Finds a face of half the frame's size in the middle of each frame."""

    name = "fake"

    def __init__(self, target: str = "") -> None:
        super().__init__(target)
        self.calls = 0

    def detect(self, frame: Frame) -> list[Detection]:
        """Return the one face."""
        self.calls += 1
        height, width = frame.grey.shape
        box = Box.inside(width / 4, height / 4, width / 2, height / 2, frame)
        return [Detection(box, 0.9)]


class FakeClassifier(Classifier):
    """Goes by a crop's mean grey: the darkest is the first label, the lightest the last."""

    name = "fake"
    labels = EMOTIONS
    input_size = (48, 48)
    model_name = "fake"

    def __init__(self, target: str = "") -> None:
        super().__init__(target)
        self.batches: list[int] = []

    def classify(self, crops: npt.NDArray[np.uint8]) -> list[EmotionScores]:
        """Score the crops and remember how many there were."""
        self.batches.append(len(crops))
        means = crops.reshape(len(crops), -1).mean(axis=1)
        return [make_scores(self.labels[int(mean * len(self.labels) / 256)]) for mean in means]


class ListSink(Sink):
    """Keeps everything it is given.

    Args:
        target: Not used.
        stop_after: Raises `StopStream` with this many results.
        fail_after: Raises `SinkError` with this many results.
        hang_after: Does not come back with this many results until `released` is set.
    """

    name = "list"

    def __init__(
        self,
        target: str = "",
        *,
        stop_after: int | None = None,
        fail_after: int | None = None,
        hang_after: int | None = None,
    ) -> None:
        super().__init__(target)
        self.run: RunInfo | None = None
        self.results: list[FrameResult] = []
        self.statuses: list[SourceStatus] = []
        self.opened = 0
        self.closed = 0
        self.released = threading.Event()
        self._stop_after = stop_after
        self._fail_after = fail_after
        self._hang_after = hang_after

    def open(self, run: RunInfo) -> None:
        """Remember the run."""
        self.opened += 1
        self.run = run

    def write(self, result: FrameResult) -> None:
        """Keep a result."""
        self.results.append(result)
        if len(self.results) == self._stop_after:
            raise StopStream
        if len(self.results) == self._fail_after:
            raise SinkError(f"list failed after {counted(len(self.results), 'result')}")
        if len(self.results) == self._hang_after:
            self.released.wait()

    def status(self, status: SourceStatus) -> None:
        """Keep a status."""
        self.statuses.append(status)

    def close(self) -> None:
        """Count the call."""
        self.closed += 1
