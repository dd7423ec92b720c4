"""Finding turned and tilted heads with cascades that only know upright ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from fer_stream.imaging import shrink
from fer_stream.types import Box, Frame, GreyImage

_SIZE = 240  # long side in px: finer finds no more heads of these sizes and costs more
_MIN_SIZE = 0.15  # share of the short side; smaller heads are mostly false hits
_SCALE_FACTOR = 1.15
_MIN_NEIGHBORS = 4
_FACE_OF_HEAD = 0.8  # the profile cascade frames a whole head that looks left: face, ear and hair
_TILT = 20.0  # degrees; a cascade bears about 15 either way


class Look(NamedTuple):
    """A way to turn the frame before a cascade sees it."""

    profile: bool
    mirrored: bool
    tilt: float
    """Degrees, counter-clockwise."""


# A head turned aside mostly bows as well; heads turned aside and up were never found by these.
_LOOKS = (
    Look(profile=True, mirrored=False, tilt=-_TILT),
    Look(profile=True, mirrored=True, tilt=-_TILT),
    Look(profile=True, mirrored=False, tilt=0.0),
    Look(profile=True, mirrored=True, tilt=0.0),
    Look(profile=False, mirrored=False, tilt=-_TILT),
    Look(profile=False, mirrored=False, tilt=_TILT),
)


class TurnedSearch:
    """Looks for heads that the upright frontal search missed, a little at each call.

    A look costs as much as the frontal search, so each call takes the next one in turn, and
    repeats the last one that found somebody: a new head is confirmed, and a known one kept, by
    the look that finds it. A still picture gets them all at once.
    """

    def __init__(self, frontal: cv2.CascadeClassifier) -> None:
        self._frontal = frontal
        self._profile = load_cascade("haarcascade_profileface.xml")
        self._next = 0
        self._lucky: Look | None = None

    def search(self, frame: Frame, known: list[Box]) -> list[Box]:
        """Return heads of `frame` whose centres lie in none of the `known` boxes."""
        small, scale = shrink(frame.grey, _SIZE)
        found: list[Box] = []
        looks = self._looks(frame)
        self._lucky = None
        for look in looks:
            for x, y, side in self._heads(small, look):
                left, top = (x - side / 2) * scale, (y - side / 2) * scale
                box = Box.inside(left, top, side * scale, side * scale, frame)
                if not any(_centre_inside(box, other) for other in (*known, *found)):
                    found.append(box)
                    self._lucky = self._lucky or look
        return found

    def _looks(self, frame: Frame) -> list[Look]:
        if frame.info.stills:  # there is no next frame to find the rest in
            return list(_LOOKS)
        looks = [self._lucky] if self._lucky else []
        if _LOOKS[self._next] not in looks:
            looks.append(_LOOKS[self._next])
        self._next = (self._next + 1) % len(_LOOKS)
        return looks

    def _heads(self, grey: GreyImage, look: Look) -> Iterator[tuple[float, float, float]]:
        """Yield the centre x, y and the side, in px of `grey`."""
        height, width = grey.shape
        seen = cv2.flip(grey, 1) if look.mirrored else grey
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), look.tilt, 1.0)
        if look.tilt:
            seen = cv2.warpAffine(seen, turn, (width, height))
        back = cv2.invertAffineTransform(turn)
        cascade = self._profile if look.profile else self._frontal
        side = round(_MIN_SIZE * min(height, width))
        for left, top, size, _ in cascade.detectMultiScale(
            seen, scaleFactor=_SCALE_FACTOR, minNeighbors=_MIN_NEIGHBORS, minSize=(side, side)
        ):
            face = size * _FACE_OF_HEAD if look.profile else float(size)
            x, y = back @ np.array([left + face / 2, top + size / 2, 1.0])
            x = width - x if look.mirrored else x
            if 0 <= x < width and 0 <= y < height:
                yield float(x), float(y), face


def load_cascade(file: str) -> cv2.CascadeClassifier:
    """Load one of the cascades that OpenCV's wheels carry."""
    return cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / file))


def _centre_inside(box: Box, other: Box) -> bool:
    x, y = box.x + box.width / 2, box.y + box.height / 2
    return other.x <= x <= other.x + other.width and other.y <= y <= other.y + other.height
