"""The contracts: what a source, detector, tracker, classifier, filter or sink must do.

A stage is a class with a `name`, built from `(target="", **options)`. Its keyword options are its
schema: `csv:out.csv?append=true` calls `CsvSink("out.csv", append=True)`, with the text converted
to the option's annotated type (str, int, float, bool, each also `| None`). A constructor checks
and stores what it was given (`ConfigError`) and loads a detector's or classifier's model
(`ModelError`); files, devices and windows are opened later.

One instance serves one run, a source's only one connection; those of a `PictureReader` are called
on whichever thread reads, one picture at a time. An exception from any method ends up in front of
the user: a `FerStreamError` as one line; a system's error (`OSError`) as one that names the stage;
anything else as a bug, with its traceback before that line. What a method returns is looked at as
the checks in `fer_stream.testing` do, and refused in one line if it is something else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from fer_stream.errors import ConfigError
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
from fer_stream.urls import without_password


class Stage(ABC):
    """What all stages share."""

    name: ClassVar[str]
    """How the stage is asked for: lower case, no `:`, `?` or `/`."""
    target_is_path: ClassVar[bool] = True
    """Whether a target names a file: a sink must not write to another stage's."""

    def __init__(self, target: str = "") -> None:
        """Refuse a target, for stages that define no constructor of their own."""
        if target:
            shown = without_password(target)
            raise ConfigError(f"{self.name} takes no target, got '{shown}'; options follow a '?'")


class Source(Stage):
    """Gives frames.

    `open` is called once: on the thread that starts the run, or, if `live`, on the reader thread.
    There `frames` is iterated and `close` called, which always follows a successful `open`.

    Raises `SourceError` from `open` when there is nothing to read, and from `frames`, after every
    frame that could be had, when the stream was lost or is incomplete; an `OSError` is taken for
    one. For a stream that is live, by `live` or by the info that `open` returned, both mean "not
    now": the engine waits, 1 to 30 s, and opens a new instance, which counts index, time and
    session from 0 again. A live stream whose `frames` just ends, or ends with an `IncompleteError`,
    is over.

    Example:
        class Noise(Source):
            name = "noise"

            def __init__(self, target: str = "", *, frames: int = 10) -> None:
                self.count = frames

            def open(self) -> StreamInfo:
                self.info = StreamInfo("noise", 64, 48, fps=25.0, frame_count=self.count)
                return self.info

            def frames(self) -> Iterator[Frame]:
                rng = np.random.default_rng(0)
                for index in range(self.count):
                    grey = rng.integers(0, 256, (48, 64), dtype=np.uint8)
                    yield new_frame(grey, index, index / 25, self.info)
    """

    schemes: ClassVar[tuple[str, ...]] = ()
    """URL schemes that this source answers to, e.g. `("rtsp", "http")`."""
    source_id: str = ""
    """Names the stream before it is open, without a password; the stage's name if empty."""
    live: bool = False
    """Whether it may be absent at first; else it must be there when the run starts."""
    open_timeout_s: float = 20.0
    """A live source whose `open` gives no first frame within so many seconds is given up."""
    frame_timeout_s: float = 3.0
    """A live source without a frame for so many seconds has stalled: a frame that comes after that
    may be an old one, is not shown, and ends the connection. 4.5 s later it is given up: `stop` is
    called, and a new instance opened on a new thread. Of threads that stay blocked nevertheless
    three are left behind; then nothing is tried until one of them ends."""
    frame_timeout_option: ClassVar[str] = ""
    """The option that sets `frame_timeout_s`, to be named where the stream may only be slow."""

    @abstractmethod
    def open(self) -> StreamInfo:
        """Open the stream and say what it is."""

    @abstractmethod
    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order, with rising `index` and never falling `time_s`."""

    def stop(self) -> None:
        """Called on another thread, once nobody waits for it: `open` or `frames` should end soon.

        For a source that may work for long between two frames; the others learn of it with the
        next one. It must not wait, nor close what is being read: `close` follows.
        """

    def close(self) -> None:
        """Release what `open` took."""


class Detector(Stage):
    """Finds faces in one frame; following them is the tracker's work.

    Each source has its own instance, called on that source's analysis thread, not for every frame
    (see `Tracker`).

    Example:
        class Centre(Detector):
            name = "centre"

            def detect(self, frame: Frame) -> list[Detection]:
                height, width = frame.grey.shape
                return [Detection(Box(width // 4, height // 4, width // 2, height // 2))]
    """

    @abstractmethod
    def detect(self, frame: Frame) -> list[Detection]:
        """Return the faces of `frame`, in any order, boxes in the frame's pixels."""

    def look_again(
        self,
        frame: Frame,  # noqa: ARG002 - for those who can tell
        boxes: Sequence[Box],  # noqa: ARG002
    ) -> list[float] | None:
        """Say of each box how likely a face is there, 0..1; None if it cannot be told.

        Trackers ask where they follow a face that `detect` did not find in the same frame.
        """
        return None


class Tracker(Stage):
    """Follows faces from frame to frame.

    Each session of each source has its own instance, called for every frame in order on that
    source's analysis thread.

    Example:
        class Latest(Tracker):  # shows the last detection until the next one
            name = "latest"

            def __init__(self, target: str = "") -> None:
                self.tracks: list[Track] = []

            def update(self, frame: Frame, detections: Sequence[Detection] | None) -> list[Track]:
                if detections is not None:
                    self.tracks = [Track(d.box, None, d.confidence) for d in detections]
                return self.tracks
    """

    look_again: Callable[[Frame, Sequence[Box]], list[float] | None] | None = None
    """The detector's method, which the engine puts here; None outside a run."""
    follows: ClassVar[bool] = True
    """Whether a detection is good for later frames too: then those that `analyse_fps` leaves out
    are searched as well."""

    @abstractmethod
    def update(self, frame: Frame, detections: Sequence[Detection] | None) -> list[Track]:
        """Return the faces to report for `frame`.

        Args:
            frame: The next frame; the same once more, now with detections, if `wants_detection` was
                true after it had come without.
            detections: What the detector found; None: follow the faces without it.
        """

    @property
    def wants_detection(self) -> bool:
        """Whether to detect at once, whatever the schedule says.

        On the frame of the last `update` if that came without detections, else on the next one.
        """
        return False


class Classifier(Stage):
    """Gives each face its scores.

    One instance serves all sources, on the run's classifier thread; if it is `concurrent`, on
    several of them at once where the machine has the cores.

    Example:
        class Bright(Classifier):
            name = "bright"
            labels = ("dark", "bright")
            input_size = (8, 8)

            def classify(self, crops: npt.NDArray[np.uint8]) -> list[EmotionScores]:
                bright = crops.mean(axis=(1, 2), dtype=np.float32) / 255
                pairs = np.stack([1 - bright, bright], axis=1)  # (N, 2) float32
                return [EmotionScores(self.labels, pair) for pair in pairs]
    """

    labels: tuple[str, ...]
    """Emotions in output order, K of them; each one line, and none called like a CSV's column."""
    input_size: tuple[int, int]
    """(height, width) in pixels of the crops it wants."""
    model_name: str = ""
    """Names the model in events."""
    model_sha256: str = ""
    """Hash of the model's file, where there is one."""
    concurrent: ClassVar[bool] = False
    """Whether `classify` may be called while another thread is in it."""

    @abstractmethod
    def classify(self, crops: npt.NDArray[np.uint8]) -> list[EmotionScores]:
        """Score faces: `crops` (N, height, width) uint8 grey 0..255, N >= 1; N scores, in order."""


class Filter(Stage):
    """Changes what is reported of a frame's faces: smooths, hides, chooses what is shown.

    Each session of each source has its own instance, called for every frame in order on a
    classifier thread.

    Example:
        class OnlyHappy(Filter):
            name = "only-happy"

            def apply(self, frame: Frame, faces: Sequence[Face]) -> list[Face]:
                return [face for face in faces if face.scores.top == "happy"]
    """

    @abstractmethod
    def apply(self, frame: Frame, faces: Sequence[Face]) -> list[Face]:
        """Return the faces to report; their scores keep the classifier's labels."""


class Sink(Stage):
    """Takes results.

    `open` is called once every file is open; then `write` for each frame, in each source's order,
    and `status` whenever a source's state changes, on the sink's own thread; then `close`, always,
    if `open` succeeded. A sink whose `main_thread` is true is opened, written and closed on the
    thread that runs the engine.

    `write` may raise `StopStream` to finish the run and `SinkError` when it cannot go on. It may
    block: on files the run waits for it, on live sources its oldest results are dropped.

    In a live run a sink that raised is closed, and opened again after 1 to 30 s, the same instance:
    it goes on with what it has written and does not start anew. `open` must change nothing that
    was there before the run, such as an old file, nor may a `close` without a `write`: the run may
    still fail to start.

    Example:
        class Shout(Sink):
            name = "shout"

            def write(self, result: FrameResult) -> None:
                for face in result.faces:
                    print(face.scores.top.upper())
    """

    schemes: ClassVar[tuple[str, ...]] = ()
    """URL schemes that this sink answers to, e.g. `("mqtt", "mqtts")`."""
    main_thread: ClassVar[bool] = False
    """For windows, which most systems allow on the main thread only."""
    lingers: bool = False
    """Whether the run is to wait after the last result, if `main_thread`: until this is false,
    `idle` raises `StopStream`, or somebody stops the run."""
    stopping: bool = False
    """Set by the engine, if `main_thread`, when somebody stops the run: what still comes is to be
    taken at once, whatever a window's pace."""
    draws: ClassVar[bool] = False
    """Whether it shows the pictures: it is then also given the frames that `analyse_fps` leaves
    out, with `result.analysed` false. Others are given what was analysed, and nothing else."""

    @classmethod
    def files(cls, target: str, sources: int) -> list[str]:  # noqa: ARG003
        """Return the files that a run over so many sources may write, given a target.

        Asked for before anything is opened: none may be a source, or another sink's.
        """
        return [target] if cls.target_is_path and "://" not in target else []

    def open(self, run: RunInfo) -> None:
        """Get ready; raise `SinkError` when that cannot be done."""

    @abstractmethod
    def write(self, result: FrameResult) -> None:
        """Take one frame's result; read its arrays, never write to them."""

    def status(self, status: SourceStatus) -> None:
        """Take a source's change of state; on the same thread as `write`, in order with it."""

    @property
    def lost(self) -> int:
        """How many results it has lost so far of those that it took; never fewer than before.

        For a sink that hands results on later. The engine looks after each call.
        """
        return 0

    def idle(self) -> None:
        """Called about every 20 ms while no result comes, if `main_thread`."""

    def close(self) -> None:
        """Flush and release."""


STAGE_KINDS: dict[str, type[Stage]] = {
    "source": Source,
    "detector": Detector,
    "tracker": Tracker,
    "classifier": Classifier,
    "filter": Filter,
    "sink": Sink,
}
"""Every kind of stage and its contract, in a frame's order."""
