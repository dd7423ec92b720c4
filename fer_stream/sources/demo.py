"""Source `demo`: a drawn face that goes through its expressions; no camera, file or network."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from fer_stream.errors import ConfigError
from fer_stream.frames import frame_from_image
from fer_stream.sources.demo_face import expression as poses
from fer_stream.sources.demo_face.bearing import Bearing
from fer_stream.sources.demo_face.expression import Expression
from fer_stream.stages import Source
from fer_stream.types import BgrImage, Frame, StreamInfo
from fer_stream.urls import without_password

WIDTH, HEIGHT = 640, 480
"""Frame size in px."""
FPS = 25.0
"""Frames per second."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the demo in which the face holds one expression."""

    label: str
    """The emotion that it shows, one of the default model's labels."""
    pose: Expression
    start_s: float
    """When the expression is fully there, in seconds from the start of a cycle."""
    end_s: float
    """When the face begins to change to the next phase's expression."""
    nod: float = 0.0
    """How far the head bows meanwhile, in px that the nose moves down."""
    lean: float = 0.0
    """How far it leans meanwhile, in degrees clockwise."""

    @property
    def middle_s(self) -> float:
        """The middle of the hold, in seconds from the start of a cycle."""
        return (self.start_s + self.end_s) / 2


PHASES: tuple[Phase, ...] = (
    Phase("neutral", poses.NEUTRAL, 0.0, 2.1),
    Phase("happy", poses.HAPPY, 2.8, 4.9, nod=-2.0),
    Phase("surprised", poses.SURPRISED, 5.6, 7.7, nod=-4.0),
    Phase("sad", poses.SAD, 8.4, 10.5, nod=3.0, lean=-3.0),
    Phase("angry", poses.ANGRY, 11.2, 13.3, nod=7.0),
)
"""What the demo shows, in order; then it goes back to the first in the 0.7 s that remain."""

CYCLE_S = 14.0
"""Seconds from one neutral face to the next."""

_BLINKS_S = (0.5, 3.0, 7.9, 10.8, 13.6)
_BLINK_S = 0.32
# When the eyes move to another place, and where to: px right, px down.
_GLANCES = (
    (0.0, 0.0, 0.0),
    (1.5, 2.2, 0.3),
    (2.4, 0.0, 0.0),
    (4.4, -1.8, 0.3),
    (5.2, 0.0, 0.0),
    (9.0, -1.8, 0.8),
    (10.9, 0.0, 0.0),
    (12.7, 0.9, 0.0),
    (13.6, 0.0, 0.0),
)
_GLANCE_S = 0.12


class DemoSource(Source):
    """Shows a face that is neutral, then happy, surprised, sad and angry, 640x480 at 25 fps.

    It is drawn as it is needed, by code alone, and each run gives the same pixels. Option:
    `seconds`, how long it lasts; `PHASES` says what is shown when, over and over every `CYCLE_S`.
    """

    name = "demo"
    target_is_path = False

    def __init__(self, target: str = "", *, seconds: float = CYCLE_S) -> None:
        if target:
            raise ConfigError(
                f"demo takes no target, got '{without_password(target)}'; its option is ?seconds=14"
            )
        if not 0.0 < seconds < math.inf:
            raise ConfigError(f"demo: seconds must be above 0 and finite, got {seconds}")
        self._count = max(round(seconds * FPS), 1)

    def open(self) -> StreamInfo:
        """Draw everything that does not change."""
        # Loading what draws takes 5 ms, and every run knows this source.
        from fer_stream.sources.demo_face.portrait import Portrait

        self._portrait = Portrait(WIDTH, HEIGHT)
        self._info = StreamInfo("demo", WIDTH, HEIGHT, fps=FPS, frame_count=self._count)
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Draw and yield the frames."""
        for index in range(self._count):
            time_s = index / FPS
            yield frame_from_image(self.draw(time_s), index, time_s, self._info)

    def draw(self, time_s: float) -> BgrImage:
        """Return the picture at a time in seconds, (480, 640, 3) uint8 BGR; for an open source."""
        return self._portrait.draw(*_state(time_s % CYCLE_S))


def _state(at_s: float) -> tuple[Expression, Bearing, tuple[float, float]]:
    """Return expression, bearing and gaze (px right, px down) at a time in the cycle."""
    pose, nod, lean = _held(at_s)
    shut = max(_blink(at_s - start) for start in _BLINKS_S)
    pose = replace(pose, eyes_closed=max(pose.eyes_closed, shut))

    def sway(turns: int, phase: float) -> float:
        # Whole numbers of turns in a cycle, so that its end meets its beginning.
        return math.sin(2 * math.pi * (turns * at_s / CYCLE_S + phase))

    bearing = Bearing(
        right=5.0 * sway(1, 0.0) + 1.5 * sway(3, 0.2),
        down=1.6 * sway(4, 0.1),  # about the pace of breathing
        lean=lean + 1.4 * sway(2, 0.3),
        turn=4.0 * sway(2, 0.05) + 1.5 * sway(3, 0.6),
        nod=nod + 1.5 * sway(3, 0.4),
    )
    return pose, bearing, _gaze(at_s)


def _held(at_s: float) -> tuple[Expression, float, float]:
    """Return expression, nod and lean; after a hold, on the way to the next phase's."""
    number = max(i for i, phase in enumerate(PHASES) if phase.start_s <= at_s)
    now, following = PHASES[number], PHASES[(number + 1) % len(PHASES)]
    next_s = following.start_s or CYCLE_S
    share = _eased((at_s - now.end_s) / (next_s - now.end_s))
    nod = now.nod + share * (following.nod - now.nod)
    lean = now.lean + share * (following.lean - now.lean)
    return now.pose.towards(following.pose, share), nod, lean


def _blink(since_s: float) -> float:
    """Return how far the lids are shut, 0 to 1, at a time after the start of a blink."""
    share = since_s / _BLINK_S  # lids fall faster than they rise
    return min(_eased(share / 0.35), _eased((1 - share) / 0.5))


def _gaze(at_s: float) -> tuple[float, float]:
    x, y = 0.0, 0.0
    for start_s, to_x, to_y in _GLANCES:
        share = _eased((at_s - start_s) / _GLANCE_S)
        x, y = x + share * (to_x - x), y + share * (to_y - y)
    return x, y


def _eased(share: float) -> float:
    """Return 0 up to 0, 1 from 1, and a smooth rise between."""
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)
