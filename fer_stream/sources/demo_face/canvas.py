"""The sheet that the head is drawn on, and soft brushes.

Coordinates are px of the sheet, which is as large as the head in the frame: x to the right, y
down. Colours are BGR, 0..255, floats until a frame is finished. Pictures are planar while they are
drawn, (3, height, width): brushes work on whole rows then, three times as fast.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]
Curve = npt.NDArray[np.float64]
"""One coordinate of the points along a line, in px."""

WIDTH, HEIGHT = 400, 440
"""The sheet's size in px."""
MIDDLE = 200.0
"""x of the face's axis of symmetry."""
EYE_X, EYE_Y = 50.0, 236.0
"""An eye's centre: distance from the axis, and y."""
MOUTH_Y = 336.0
"""y of the line between closed lips."""
CHIN_Y = 398.0

_SHIFT = 4  # OpenCV's drawing takes sixteenths of a px: motion by less than a px stays smooth


class Patch:
    """A window on the sheet in which brushes are as cheap as the window is small."""

    def __init__(self, sheet: Float, left: int, top: int, width: int, height: int) -> None:
        """Look at (3, height, width) px of `sheet`, which the brushes write to."""
        self.pixels = sheet[:, top : top + height, left : left + width]
        self._origin = np.array([left, top], np.float64)

    def area(self, points: npt.ArrayLike, blur: float = 0.8) -> Float:
        """Return a polygon, (N, 2) px of the sheet, as (height, width) weights 0..1.

        `blur` is the softness of its edge in px (standard deviation).
        """
        mask = np.zeros(self.pixels.shape[1:], np.uint8)
        cv2.fillPoly(mask, [self._fixed(points)], 255, cv2.LINE_AA, _SHIFT)
        return _soft(mask, blur)

    def line(self, points: npt.ArrayLike, thickness: int, blur: float = 0.8) -> Float:
        """Return a line through points, (N, 2) px of the sheet, as (height, width) weights 0..1."""
        mask = np.zeros(self.pixels.shape[1:], np.uint8)
        cv2.polylines(mask, [self._fixed(points)], False, 255, thickness, cv2.LINE_AA, _SHIFT)
        return _soft(mask, blur)

    def lines(self, lines: npt.ArrayLike, thickness: int, blur: float = 0.8) -> Float:
        """Return many lines of equally many points, (L, N, 2), as (height, width) weights 0..1."""
        mask = np.zeros(self.pixels.shape[1:], np.uint8)
        cv2.polylines(mask, list(self._fixed(lines)), False, 255, thickness, cv2.LINE_AA, _SHIFT)
        return _soft(mask, blur)

    def disc(self, x: float, y: float, radius: float, blur: float = 0.8) -> Float:
        """Return a disc as (height, width) weights 0..1."""
        turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
        ring = np.column_stack([x + radius * np.cos(turn), y + radius * np.sin(turn)])
        return self.area(ring, blur)

    def paint(self, weights: Float, colour: npt.ArrayLike) -> None:
        """Cover with a BGR colour, or with (3, height, width) BGR pixels."""
        new = np.asarray(colour, np.float32)
        new = new if new.ndim == 3 else planes(new)
        self.pixels += (new - self.pixels) * weights

    def shade(self, weights: Float, amount: float) -> None:
        """Darken by the share `amount`, or brighten where it is below 0."""
        self.pixels *= 1 - np.float32(amount) * weights

    def _fixed(self, points: npt.ArrayLike) -> npt.NDArray[np.int32]:
        moved = np.asarray(points, np.float64) - self._origin
        return np.round(moved * (1 << _SHIFT)).astype(np.int32)


def _soft(mask: npt.NDArray[np.uint8], blur: float) -> Float:
    if blur > 0:
        mask = cv2.GaussianBlur(mask, (0, 0), blur)  # type: ignore[assignment]
    return mask.astype(np.float32) / np.float32(255)


def between(x: Curve, first: Curve, second: Curve) -> Curve:
    """Return the outline, (N, 2) px, of what lies between two lines over the same `x`."""
    return np.column_stack([np.append(x, x[::-1]), np.append(first, second[::-1])])


def planes(colour: npt.ArrayLike) -> Float:
    """Return a BGR colour as (3, 1, 1) float32."""
    return np.asarray(colour, np.float32).reshape(3, 1, 1)


def smoothstep(value: npt.ArrayLike, start: float, end: float) -> Float:
    """Return 0 up to `start`, 1 from `end`, and a smooth rise between."""
    share = np.clip((np.asarray(value, np.float32) - start) / (end - start), 0.0, 1.0)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def grid() -> tuple[Float, Float]:
    """Return x and y of each px of the sheet, both (HEIGHT, WIDTH) float32."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    return x, y
