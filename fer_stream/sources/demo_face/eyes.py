"""Eyes and their lids."""

from __future__ import annotations

import numpy as np

from fer_stream.sources.demo_face.canvas import (
    EYE_X,
    EYE_Y,
    MIDDLE,
    Curve,
    Float,
    Patch,
    between,
    planes,
)
from fer_stream.sources.demo_face.expression import Expression

_HALF = 23.0  # px from an eye's middle to its corners
_T = np.linspace(-1, 1, 17)  # from the inner to the outer corner
_WHITE = (212.0, 218.0, 226.0)
_IRIS = (52.0, 78.0, 104.0)
_LASHES = (28.0, 32.0, 40.0)
_SKIN_SHADE = (96.0, 122.0, 166.0)


def draw_eyes(sheet: Float, pose: Expression, look: tuple[float, float]) -> None:
    """Draw both eyes.

    Args:
        sheet: (3, HEIGHT, WIDTH) float32 BGR, drawn on.
        pose: The expression.
        look: How far the irises are moved right and down, in px.
    """
    upper, lower = _lids(pose)
    look_x, look_y = look[0], look[1] + 5.0 * pose.eyes_down
    for sign in (-1, 1):
        middle = MIDDLE + sign * EYE_X
        patch = Patch(sheet, int(middle) - 44, int(EYE_Y) - 40, 88, 72)
        x = middle + sign * _HALF * _T
        _draw_crease(patch, x, upper, pose)
        _draw_ball(patch, between(x, upper, lower), middle + look_x, EYE_Y - 2 + look_y, upper, x)
        _draw_rims(patch, x, upper, lower, sign)


def _lids(pose: Expression) -> tuple[Curve, Curve]:
    """Return the y of the upper and of the lower lid's edge from inner to outer corner, px."""
    wide = 1 + 0.85 * pose.upper_lid_raise
    corners = EYE_Y + 1.5 - 2.0 * _T  # the outer corner lies a little higher
    rise = (1 - np.abs(_T) ** 2.2) * (1 - 0.15 * _T)
    below = (1 - np.abs(_T) ** 2.0) * (1 + 0.15 * _T)
    sag = 6.5 * (1 - 0.6 * pose.cheek_raise - 0.45 * pose.lid_tighten + 0.12 * pose.upper_lid_raise)
    lower = corners + sag * below
    shut = lower - 0.6  # a closing upper lid comes down to the lower one
    # At rest the lid covers the iris's top: an eye that shows all of it looks surprised.
    upper = corners - 9.3 * wide * rise * (1 - 0.35 * pose.lid_tighten)
    share = 1 - min(pose.eyes_closed, 1.0)
    upper = share * upper + (1 - share) * shut
    # In sadness the raised inner brow draws the lid into a slant.
    slant = pose.inner_brow_raise * (1 - pose.outer_brow_raise)
    upper = upper + 6.0 * slant * rise * _T - 1.0 * pose.brow_lower * rise * _T
    return np.minimum(upper, lower - 0.4), lower


def _draw_crease(patch: Patch, x: Curve, upper: Curve, pose: Expression) -> None:
    arch = 1 - _T**2
    fold = np.column_stack([x, upper - (5 + 2 * pose.upper_lid_raise) * arch - 1.5])
    patch.shade(patch.line(fold, 2, 1.3), 0.42)
    patch.shade(patch.line(fold - np.array([0, 3]), 8, 4.0), 0.22 + 0.15 * pose.brow_lower)


def _draw_ball(
    patch: Patch, opening: Curve, iris_x: float, iris_y: float, upper: Curve, x: Curve
) -> None:
    weights = patch.area(opening, 0.8)
    before = patch.pixels.copy()
    patch.pixels[:] = planes(_WHITE)
    ends = patch.disc(x[0], upper[0], 9, 4.0) + patch.disc(x[-1], upper[-1], 9, 4.0)
    patch.shade(np.minimum(ends, 1), 0.35)
    patch.paint(patch.disc(iris_x, iris_y, 11.0, 0.9), np.array(_IRIS) * 0.55)
    patch.paint(patch.disc(iris_x, iris_y + 0.8, 8.6, 1.6), _IRIS)
    patch.paint(patch.disc(iris_x, iris_y, 4.6), (12, 12, 14))
    patch.shade(patch.line(np.column_stack([x, upper + 1.5]), 5, 2.4), 0.6)  # the lid's shadow
    patch.paint(patch.disc(iris_x - 3.6, iris_y - 4.0, 2.3, 0.7), (250, 250, 250))
    lit = patch.pixels.copy()
    patch.pixels[:] = before
    patch.paint(weights, lit)


def _draw_rims(patch: Patch, x: Curve, upper: Curve, lower: Curve, sign: int) -> None:
    lid = np.column_stack([x, lower + 0.8])
    patch.paint(patch.line(lid, 2, 0.9) * np.float32(0.35), _SKIN_SHADE)
    patch.shade(patch.line(lid + np.array([0, 6]), 5, 3.0), 0.10)
    lashes = np.column_stack([x, upper])
    patch.paint(patch.line(lashes, 2, 0.9) * np.float32(0.95), _LASHES)
    outer = np.column_stack([x[8:] + sign * 0.8, upper[8:] - 0.8])
    patch.paint(patch.line(outer, 3, 0.9) * np.float32(0.45), _LASHES)
    patch.paint(patch.line(np.column_stack([x[9:], lower[9:]]), 1, 0.8) * np.float32(0.5), _LASHES)
