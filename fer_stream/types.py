"""What flows from stage to stage: frozen values, checked once where they are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Literal

import numpy as np
import numpy.typing as npt

GreyImage = npt.NDArray[np.uint8]
"""(H, W) uint8, one grey value a pixel."""

BgrImage = npt.NDArray[np.uint8]
"""(H, W, 3) uint8, 0..255, channels blue, green, red."""

UNCERTAIN = "uncertain"
"""What a person reads in the place of an emotion that is more likely wrong than right."""


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What a source says of its stream."""

    source_id: str
    """Names the source in rows, topics and logs; never carries a password."""
    width: int
    """Frame width in pixels."""
    height: int
    """Frame height in pixels."""
    fps: float | None = None
    """Nominal frames per second, where the source knows them."""
    live: bool = False
    """Frames that nobody takes in time are lost (camera, RTSP), unlike those of a file."""
    session: int = 0
    """+1 at each reconnect or change of size, over the source's life in a run: tracks do not cross
    sessions."""
    frame_count: int | None = None
    """How many frames the source expects to deliver; only a progress bar should trust it. A source
    with a number is a recording: taken for live, it is played at its own pace."""
    stills: bool = False
    """Each frame is an unrelated picture: nothing is tracked or smoothed across frames."""

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0:
            raise ValueError(f"stream size must be positive, got {self.width}x{self.height}")


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a stream. Neither array is ever written to: stages share it."""

    grey: GreyImage
    """(H, W) uint8, straight from the decoder's luma plane where there is one."""
    index: int
    """Counts from 0 in the source, again after each reconnect; a gap is a dropped frame."""
    time_s: float
    """Media time in seconds for files, seconds since the session's start for live sources."""
    captured_at: datetime
    """Aware UTC wall-clock time at which the frame was read."""
    captured_ns: int
    """`time.monotonic_ns()` at the same moment."""
    info: StreamInfo
    make_image: Callable[[], BgrImage]
    """Converts the frame to colour: called once, or not at all if nothing draws."""
    full_range: bool = True
    """Grey is 0..255; False: video's limited range, black 16 and white 235."""
    _image: list[BgrImage] = field(default_factory=list, init=False, repr=False)
    _making: Lock = field(default_factory=Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.grey.ndim != 2 or self.grey.dtype != np.uint8:
            raise ValueError(f"grey must be (H, W) uint8, got {self.grey.shape} {self.grey.dtype}")
        if self.captured_at.tzinfo is None:
            raise ValueError("captured_at must be an aware datetime")

    @property
    def image(self) -> BgrImage:
        """(H, W, 3) uint8 BGR, made on first use and kept."""
        # Each sink asks on its own thread, and FFmpeg crashes when two convert one picture at once.
        with self._making:
            if not self._image:
                image = self.make_image()
                if problem := image_problem(image, self.grey):
                    where = f"frame {self.index} of {self.info.source_id}"
                    raise ValueError(f"{where}: {problem}")
                image.flags.writeable = False
                self._image.append(image)
        return self._image[0]


def image_problem(image: BgrImage, grey: GreyImage) -> str | None:
    """Return what is wrong with a picture's colours, in words, or None."""
    shape = (*grey.shape, 3)
    if image.shape == shape and image.dtype == np.uint8:
        return None
    return f"image must be {shape} uint8, got {image.shape} {image.dtype}"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels, origin at the frame's top left, inside the frame."""

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0 or self.x < 0 or self.y < 0:
            raise ValueError(f"not a box inside a frame: {self}")

    @classmethod
    def inside(cls, x: float, y: float, width: float, height: float, frame: Frame) -> Box:
        """Round to whole pixels and cut to the frame; at least one pixel remains."""
        frame_height, frame_width = frame.grey.shape
        left = min(max(round(x), 0), frame_width - 1)
        top = min(max(round(y), 0), frame_height - 1)
        right = min(max(round(x + width), left + 1), frame_width)
        bottom = min(max(round(y + height), top + 1), frame_height)
        return cls(left, top, right - left, bottom - top)


@dataclass(frozen=True, slots=True)
class Detection:
    """A face that a detector found in one frame."""

    box: Box
    confidence: float | None = None
    """0..1, or None for a detector that has none (Haar)."""


@dataclass(frozen=True, slots=True)
class Track:
    """A face followed over frames."""

    box: Box
    track_id: int | None
    """Counts from 1 in a session; None when nothing is tracked."""
    confidence: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class EmotionScores:
    """What the classifier says of one face."""

    labels: tuple[str, ...]
    """Names in the model's output order, K of them."""
    probabilities: npt.NDArray[np.float32]
    """(K,) float32, 0..1, sum 1."""
    shown: int | None = None
    """Index of the emotion to show when it is not the highest (a filter's hysteresis)."""
    uncertain_below: float = 0.0
    """Probability of the emotion to show under which it is more likely wrong than right: the
    model's, moved by a filter's hysteresis; 0 for a model that does not say."""

    def __post_init__(self) -> None:
        if self.probabilities.shape != (len(self.labels),):
            raise ValueError(
                f"{len(self.labels)} labels but probabilities of shape {self.probabilities.shape}"
            )
        if not abs(float(self.probabilities.sum()) - 1.0) < 1e-3:  # also refuses NaN
            raise ValueError(f"probabilities must sum to 1, got {self.probabilities.sum()}")
        if self.shown is not None and not 0 <= self.shown < len(self.labels):
            raise ValueError(f"shown must be the index of a label, got {self.shown}")

    def __eq__(self, other: object) -> bool:
        """Whether all values are the same, as in a copy."""
        if not isinstance(other, EmotionScores):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        """Return the same for equal scores."""
        return hash(self._values())

    def _values(self) -> tuple[object, ...]:
        # An array can neither be hashed nor compared to a truth.
        probabilities = tuple(self.probabilities.tolist())
        return self.labels, probabilities, self.shown, self.uncertain_below

    @property
    def top_index(self) -> int:
        """Index of the emotion to show."""
        return int(self.probabilities.argmax()) if self.shown is None else self.shown

    @property
    def top(self) -> str:
        """The emotion to show."""
        return self.labels[self.top_index]

    @property
    def top_score(self) -> float:
        """Its probability, 0..1."""
        return float(self.probabilities[self.top_index])

    @property
    def uncertain(self) -> bool:
        """Whether the emotion to show is more likely wrong than right."""
        return self.top_score < self.uncertain_below

    @property
    def word(self) -> str:
        """What a person should read: the emotion to show, or `uncertain`."""
        return UNCERTAIN if self.uncertain else self.top

    def as_dict(self) -> dict[str, float]:
        """Label to probability, in the model's order."""
        return dict(zip(self.labels, map(float, self.probabilities), strict=True))


@dataclass(frozen=True, slots=True)
class Face:
    """A face with its emotion."""

    box: Box
    scores: EmotionScores
    confidence: float | None = None
    track_id: int | None = None


@dataclass(frozen=True, slots=True)
class FrameResult:
    """What sinks take: a frame and its faces, possibly none."""

    frame: Frame
    faces: tuple[Face, ...]
    latency_ms: float
    """Milliseconds from capture to the moment this result was made."""
    dropped: int = 0
    """Frames of this source lost so far because the run could not keep up (live sources)."""
    analysed: bool = True
    """False for a frame that `analyse_fps` leaves out: its faces are where they are now, with the
    scores of the last frame that was analysed. Only a sink that `draws` is given such a result."""


SourceState = Literal["online", "stalled", "reconnecting", "ended", "error"]


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How a source is, told to sinks whenever it changes."""

    source_id: str
    state: SourceState
    """`online`: frames come. `stalled`: none came for a while, the connection still stands.
    `reconnecting`: lost or not to be opened, and tried again. `ended`: over, whole or stopped.
    `error`: over, and not whole."""
    session: int
    """The session that it speaks of, or that comes next if `reconnecting`."""
    at: datetime
    """Aware UTC wall-clock time of the change."""
    reason: str = ""
    """Why, in plain words, without a password; empty if `online` or `ended`."""
    stills: bool = False
    """Whether the source gives unrelated pictures, as far as is known."""

    @property
    def away(self) -> bool:
        """Whether pictures should come and do not: what was seen last is no longer so."""
        return self.state in ("stalled", "reconnecting", "error")


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What a sink learns when it is opened."""

    instance: str
    """Names this process's run in events."""
    sources: tuple[str, ...]
    """The sources' ids, in the order in which they were asked for."""
    labels: tuple[str, ...]
    """The model's labels, in order."""
    model_name: str
    model_sha256: str
    run_id: str = ""
    """Tells this run from the same run started again, in ids; empty for a run over files alone,
    where the same frames come again."""
    stills: frozenset[str] = frozenset()
    """Those of the sources that give unrelated pictures, as far as is known."""
