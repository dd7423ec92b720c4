"""The face as a landscape, and the light on it.

Skin is lit by its slope (Lambert's law). What an expression does to the skin, such as a smile's
cheeks and folds, is a change of the landscape; the change of light that follows is computed once,
and a frame adds as much of it as the expression asks for.
"""

from __future__ import annotations

import cv2
import numpy as np

from fer_stream.sources.demo_face.canvas import (
    CHIN_Y,
    EYE_X,
    EYE_Y,
    MIDDLE,
    Float,
    grid,
    smoothstep,
)

_KEY_LIGHT = (-0.38, -0.52, 0.76)  # from above, a little from the left, as portraits are lit
_FILL_LIGHT = (0.75, -0.1, 0.65)

# Half the face's width in px at some heights, from crown to chin.
_OUTLINE_Y = (70, 84, 105, 140, 190, 240, 280, 315, 345, 370, 384, 391, 396, CHIN_Y)
_OUTLINE_X = (2, 50, 78, 97, 106, 107, 103, 95, 82, 64, 48, 34, 19, 0)


def half_width(y: Float) -> Float:
    """Return half the head's width in px at heights `y`, 0 above and below the head."""
    rows = np.arange(int(CHIN_Y) + 3, dtype=np.float32)
    width = np.interp(rows, _OUTLINE_Y, _OUTLINE_X, left=0.0, right=0.0).astype(np.float32)
    smooth = cv2.GaussianBlur(width[:, np.newaxis], (1, 0), 0.1, sigmaY=2.0)[:, 0]
    return np.interp(y, rows, smooth, right=0.0).astype(np.float32)


class Relief:
    """The resting face's landscape, with the changes that expressions make to it."""

    def __init__(self) -> None:
        self._x, self._y = grid()
        self._u = self._x - np.float32(MIDDLE)
        self._side = np.abs(self._u)
        self._height = self._skull() + self._nose() + self._soft_parts()

    def light(self, change: Float | None = None) -> Float:
        """Return how bright white skin would be, (HEIGHT, WIDTH) float32, about 0.2 to 1.2."""
        height = self._height if change is None else self._height + change
        height = np.asarray(cv2.GaussianBlur(height, (0, 0), 1.6), np.float32)
        slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
        slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
        length = np.sqrt(slope_x**2 + slope_y**2 + 1)

        def lit_by(light: tuple[float, float, float]) -> Float:
            x, y, z = np.array(light) / np.linalg.norm(light)
            return np.asarray(np.maximum((z - slope_x * x - slope_y * y) / length, 0), np.float32)

        # Hollows see less of the sky: what lies below its surroundings is darker.
        hollow = cv2.GaussianBlur(height, (0, 0), 12) - height
        key = lit_by(_KEY_LIGHT)
        lit = 0.26 + 0.70 * key + 0.20 * lit_by(_FILL_LIGHT) + 0.12 * key**12
        return np.asarray(lit - 0.022 * np.clip(hollow, -2, 8), np.float32)

    def changes(self) -> dict[str, Float]:
        """Return the landscape's changes by name of the `Expression` amount that makes them."""
        return {
            "corner_pull": self._smile(),
            # The last is the furrow that raised cheeks make under the eye.
            "cheek_raise": self._bumps(
                (68, 268, 22, 11, 4.0), (78, 246, 14, 5, -2.0), (EYE_X - 4, EYE_Y + 22, 20, 5, -4.0)
            ),
            "inner_brow_raise": self._bumps((20, 182, 14, 6, 3.0), (24, 216, 10, 9, -3.5))
            + self._forehead_folds(34),
            "outer_brow_raise": self._forehead_folds(58) - self._forehead_folds(34),
            "brow_lower": self._frown(),
            "nose_wrinkle": self._bumps((22, 268, 6, 16, 5.0), (27, 300, 9, 9, 2.0))
            + self._groove((24, 296), (50, 336), 5.0, 4.0),
            "corner_depress": self._groove((48, 340), (58, 364), 5.0, 4.5)
            + self._groove((26, 300), (50, 338), 6.0, 5.0),
            "chin_raise": self._bumps((0, 378, 22, 10, 5.0), (0, 359, 24, 5, -4.0)),
            "lip_tighten": self._bumps((0, 320, 30, 8, 2.5), (0, 354, 30, 8, 2.5)),
            "jaw_drop": self._bumps((66, 315, 16, 34, -7.0)),
        }

    def _skull(self) -> Float:
        # Wider than the face is drawn: its very edge would be black, like an inked outline.
        width = half_width(self._y - 5) + 6
        across = np.clip(self._side / np.maximum(width, 1), 0, 1)
        depth = 92 * np.sqrt(np.clip(1 - ((self._y - 235) / 178) ** 2, 0.02, 1))
        # A power above 2: the front of a face is flatter than an ellipsoid's.
        return np.asarray(depth * (1 - across**2.6) ** 0.5, np.float32)

    def _nose(self) -> Float:
        along = smoothstep(self._y, 212, 298)
        under = 1 - smoothstep(self._y, 298, 326)
        width = 7.5 + 6.5 * along
        ridge = (2 + 16 * along) * np.exp(-((self._side / width) ** 2) / 2) * under
        rising = smoothstep(self._y, 200, 225)
        wings = self._bumps((18, 304, 6.5, 7, 6.0), (0, 301, 9, 7, 4.0))
        return np.asarray(ridge * rising + wings, np.float32)

    def _soft_parts(self) -> Float:
        return self._bumps(
            (EYE_X - 6, EYE_Y - 6, 27, 14, -13.0),  # eye sockets
            (26, EYE_Y - 2, 9, 12, -5.0),
            (EYE_X, EYE_Y + 1, 19, 12, 8.0),  # eyeballs under their lids
            (EYE_X, 207, 34, 8, 4.0),  # ridges under the brows
            (66, 276, 24, 18, 5.0),  # cheekbones
            (0, 335, 32, 17, 7.0),  # lips
            (0, 322, 4, 7, -2.0),  # groove under the nose
            (0, 361, 26, 6, -4.5),  # hollow under the lower lip
            (0, 381, 22, 11, 5.0),  # chin
            (55, 160, 40, 30, 3.0),  # forehead
        ) + self._groove((25, 300), (47, 334), 6.0, 1.6)

    def _smile(self) -> Float:
        cheeks = self._bumps((64, 286, 19, 16, 9.0), (52, 338, 8, 8, -4.0))
        fold = self._groove((26, 296), (58, 322), 4.5, 6.0) + self._groove(
            (58, 322), (64, 346), 5.0, 5.0
        )
        return cheeks + fold

    def _forehead_folds(self, reach: float) -> Float:
        """Return folds across the forehead, as far as `reach` px from the axis."""
        window = np.exp(-((self._side / reach) ** 4)) * np.exp(-(((self._y - 168) / 22) ** 4))
        bent = self._y + 5 * np.cos(self._u / 34)  # folds follow the brows
        return np.asarray(0.9 * window * np.cos(bent * (2 * np.pi / 13)), np.float32)

    def _frown(self) -> Float:
        between = self._groove((9, 196), (7, 220), 3.0, 4.5)
        brows = self._bumps((30, 213, 17, 7, 6.0), (0, 206, 7, 12, 2.0), (30, 226, 16, 6, -5.0))
        return between + brows

    def _bumps(self, *bumps: tuple[float, float, float, float, float]) -> Float:
        """Sum hills on both sides: distance from the axis, y, width, height and rise in px."""
        total = np.zeros_like(self._u)
        for x, y, width, height, rise in bumps:
            down = np.exp(-(((self._y - y) / height) ** 2) / 2)
            sides = [np.exp(-(((self._u - at) / width) ** 2) / 2) for at in {x, -x}]
            total += np.float32(rise) * down * np.sum(sides, axis=0)
        return total

    def _groove(
        self, start: tuple[float, float], end: tuple[float, float], width: float, depth: float
    ) -> Float:
        """Return a groove on both sides, between points (distance from the axis, y)."""
        (x0, y0), (x1, y1) = start, end
        run, fall = x1 - x0, y1 - y0
        share = ((self._side - x0) * run + (self._y - y0) * fall) / (run**2 + fall**2)
        share = np.clip(share, 0, 1)
        gap2 = (self._side - x0 - share * run) ** 2 + (self._y - y0 - share * fall) ** 2
        ends = np.sin(np.pi * (0.15 + 0.7 * share))
        return np.asarray(-depth * ends * np.exp(-gap2 / (2 * width**2)), np.float32)
