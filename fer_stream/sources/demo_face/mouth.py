"""The mouth: lips, teeth and what is dark behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_stream.sources.demo_face.canvas import (
    MIDDLE,
    MOUTH_Y,
    Curve,
    Float,
    Patch,
    between,
    planes,
)
from fer_stream.sources.demo_face.expression import Expression

_T = np.linspace(-1, 1, 25)  # from the left to the right corner
_LIPS = (96.0, 104.0, 176.0)
_INSIDE = (22.0, 18.0, 34.0)
_TEETH = (206.0, 220.0, 228.0)
_TONGUE = (56.0, 52.0, 104.0)


@dataclass(frozen=True, slots=True)
class _Lips:
    """Edges from the left to the right corner: x, and the y of each edge, px of the sheet."""

    x: Curve
    top: Curve
    upper: Curve
    lower: Curve
    bottom: Curve


def draw_mouth(sheet: Float, pose: Expression) -> None:
    """Draw the mouth on `sheet`, (3, HEIGHT, WIDTH) float32 BGR."""
    lips = _lips(pose)
    patch = Patch(sheet, int(MIDDLE) - 84, int(MOUTH_Y) - 44, 168, 100)
    _draw_lips(patch, lips)
    _draw_inside(patch, lips, pose)
    _draw_corners(patch, lips, pose)


def _lips(pose: Expression) -> _Lips:
    half = 40 + 17 * pose.corner_pull + 13 * pose.lip_stretch + 2 * pose.corner_depress
    x = MIDDLE + half * _T
    bulge = 1 - np.abs(_T) ** 2.2
    closing = np.abs(_T) ** 1.7
    line = MOUTH_Y - (2.5 - 8 * pose.jaw_drop) * closing
    line = line + 5 * pose.corner_pull - 4 * pose.chin_raise * bulge
    line = line - 14 * pose.corner_pull * closing + 13 * pose.corner_depress * closing**1.3
    gap = 26 * pose.lips_part + 10 * pose.jaw_drop
    round_ = 1 - _T**2
    hole = (1 - pose.jaw_drop) * bulge**0.8 + pose.jaw_drop * round_**0.5
    # A smile lifts the upper lip off the teeth; else the lower lip goes down with the jaw.
    dip = 1.5 * np.exp(-((_T / 0.22) ** 2)) * (1 - min(pose.lips_part + pose.jaw_drop, 1.0))
    line = line + dip
    lifted = 0.30 * gap + 7 * pose.upper_lip_raise
    upper = line - lifted * hole
    lower = line + (0.70 * gap + 1.5 * pose.upper_lip_raise) * hole
    thin = 1 - 0.6 * pose.lip_tighten - 0.25 * max(pose.corner_pull, 0)
    bow = 1 - 0.28 * np.exp(-((_T / 0.13) ** 2)) * (1 - 0.6 * pose.jaw_drop)
    top = upper - 10.5 * thin * bow * (1 - np.abs(_T) ** (1.6 + 0.6 * pose.jaw_drop))
    pulled = 1 - 0.3 * pose.jaw_drop  # the jaw's drop stretches the lower lip, see `Portrait`
    bottom = lower + 13.5 * thin * pulled * (1 - np.abs(_T) ** (2.4 - 0.2 * pose.jaw_drop))
    return _Lips(x, top, upper, lower, bottom)


def _draw_lips(patch: Patch, lips: _Lips) -> None:
    upper = patch.area(between(lips.x, lips.top, lips.upper + 0.5), 1.3)
    lower = patch.area(between(lips.x, lips.lower - 0.5, lips.bottom), 1.5)
    under = np.column_stack([lips.x[5:-5], lips.bottom[5:-5] + 4])
    patch.shade(patch.line(under, 5, 3.0), 0.20)
    patch.paint(upper * np.float32(0.85), np.array(_LIPS) * 0.78)
    patch.paint(lower * np.float32(0.80), _LIPS)
    full = (0.55 * lips.lower + 0.45 * lips.bottom)[7:-7]
    shine = patch.line(np.column_stack([lips.x[7:-7] - 3, full]), 3, 2.2)
    patch.paint(shine * np.float32(0.4), (190, 196, 236))


def _draw_inside(patch: Patch, lips: _Lips, pose: Expression) -> None:
    gap = float(np.max(lips.lower - lips.upper))
    line = np.column_stack([lips.x, 0.5 * (lips.upper + lips.lower)])
    if gap < 2.0:
        patch.paint(patch.line(line, 2, 1.0) * np.float32(0.8), np.array(_LIPS) * 0.28)
        return
    opening = patch.area(between(lips.x, lips.upper, lips.lower), 0.9)
    before = patch.pixels.copy()
    patch.pixels[:] = planes(_INSIDE)
    if pose.jaw_drop > 0.2:
        patch.paint(patch.disc(MIDDLE, float(lips.lower.max()) + 4, 13, 4.0), _TONGUE)
    # Teeth show where the lip is drawn up (a smile, a snarl), less in a dropped jaw.
    show = min(max(pose.corner_pull, pose.upper_lip_raise) + 0.25 * pose.jaw_drop, 1.0)
    if show > 0.05:
        _draw_teeth(patch, lips, show)
    inside = patch.pixels.copy()
    patch.pixels[:] = before
    patch.paint(opening, inside)


def _draw_teeth(patch: Patch, lips: _Lips, show: float) -> None:
    x = MIDDLE + 0.90 * (lips.x - MIDDLE)
    reach = np.minimum(lips.upper + 15.0 * show, lips.upper + 0.86 * (lips.lower - lips.upper))
    teeth = patch.area(between(x, lips.upper - 2, reach), 1.0)
    patch.paint(teeth, _TEETH)
    for tooth in (-4, -3, -2, -1, 0, 1, 2, 3, 4):
        at = MIDDLE + 9.5 * tooth * (1 - 0.03 * abs(tooth))
        edge = [(at, float(lips.upper.min())), (at, float(reach.max()))]
        patch.shade(patch.line(edge, 1, 0.8) * teeth, 0.28)
    # The lip's shadow on the teeth, and the corners' darkness.
    patch.shade(patch.line(np.column_stack([x, lips.upper]), 4, 2.0), 0.35)
    for end in (0, -1):
        patch.shade(patch.disc(float(x[end]), float(lips.upper[end]), 9, 4.0), 0.7)


def _draw_corners(patch: Patch, lips: _Lips, pose: Expression) -> None:
    strength = 0.30 + 0.25 * max(pose.corner_pull, pose.corner_depress)
    for end in (0, -1):
        sign = -1 if end == 0 else 1
        x, y = float(lips.x[end]) + sign * 1.5, float(lips.upper[end])
        patch.shade(patch.disc(x, y + 1.0 * pose.corner_depress, 3.0, 2.2), strength)
