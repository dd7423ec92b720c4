"""How a video's stored pictures are to be shown: turned, mirrored, stretched, without HDR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, SupportsFloat

import av
import cv2
import numpy as np

from fer_stream.hdr import PQ, from_pq
from fer_stream.types import GreyImage

_SQUARE = 1.02  # less than this off, nobody sees it, and stretching is not free
_MOST = 4.0  # more has no camera: the file says it wrongly


@dataclass(frozen=True, slots=True)
class View:
    """How one picture is to be shown; what has to be done, in this order."""

    stretched: tuple[int, int]
    """(width, height) in px with square pixels."""
    transposed: bool = False
    """Rows become columns."""
    mirrored: bool = False
    """Left and right change places."""
    overturned: bool = False
    """Top and bottom change places."""
    pq: bool = False
    """Its levels are HDR's; what is to be shown is given in full range."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in px of what is shown."""
        return self.stretched[::-1] if self.transposed else self.stretched

    def of(self, image: GreyImage) -> GreyImage:
        """Return what is shown of a stored picture, (H, W) or (H, W, 3) uint8."""
        shown = image
        if image.shape[1::-1] != self.stretched:
            shown = cv2.resize(image, self.stretched)  # type: ignore[assignment]
        if self.transposed:
            shown = shown.swapaxes(0, 1)
        if self.mirrored:
            shown = shown[:, ::-1]
        if self.overturned:
            shown = shown[::-1]
        if self.pq:
            shown = from_pq(shown)
        return shown if shown is image else np.ascontiguousarray(shown)


def view_of(picture: av.VideoFrame, pixel_aspect: SupportsFloat | None, transfer: int = 0) -> View:
    """Return how a decoded picture is to be shown.

    Args:
        picture: Its display matrix says how it is turned and mirrored.
        pixel_aspect: Width to height of a pixel, as the stream says; None or 0: square.
        transfer: FFmpeg's number for how the stream's levels become light.
    """
    size = _stretched(picture.width, picture.height, float(pixel_aspect or 1))
    a, b, c, d = _matrix(picture)
    pq = transfer == PQ
    if abs(b) + abs(c) > abs(a) + abs(d):
        return View(size, transposed=True, mirrored=c < 0, overturned=b < 0, pq=pq)
    return View(size, mirrored=a < 0, overturned=d < 0, pq=pq)


def _matrix(picture: av.VideoFrame) -> tuple[int, int, int, int]:
    """Return a, b, c, d of x' = a x + c y and y' = b x + d y; quarter turns are all there is."""
    try:
        matrix: Any = picture.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV knows not all that may come beside a picture, and then gives nothing
        turns = round(picture.rotation / 90) % 4  # counter-clockwise
        return ((1, 0, 0, 1), (0, -1, 1, 0), (-1, 0, 0, -1), (0, 1, -1, 0))[turns]
    if matrix is None:
        return (1, 0, 0, 1)
    a, b, _, c, d = (int(number) for number in np.frombuffer(matrix, np.int32)[:5])
    return a, b, c, d


def _stretched(width: int, height: int, pixel_aspect: float) -> tuple[int, int]:
    """Return a size in px with square pixels; the shorter side of a pixel grows."""
    if pixel_aspect > 1 and _SQUARE < pixel_aspect < _MOST:
        return round(width * pixel_aspect), height
    if pixel_aspect < 1 and _SQUARE < 1 / pixel_aspect < _MOST:
        return width, round(height / pixel_aspect)
    return width, height
