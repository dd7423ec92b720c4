"""Eyebrows."""

from __future__ import annotations

import numpy as np

from fer_stream.sources.demo_face.canvas import MIDDLE, Curve, Float, Patch, between
from fer_stream.sources.demo_face.expression import Expression

_COLOUR = (38.0, 50.0, 70.0)
_ALONG = np.linspace(0, 1, 13)  # from the inner to the outer end
_HAIRS = 34


class Brows:
    """Draws both brows: a soft stroke with single hairs over it."""

    def __init__(self) -> None:
        random = np.random.default_rng(3)
        self._roots = np.linspace(0.01, 0.95, _HAIRS) + random.uniform(-0.02, 0.02, _HAIRS)
        self._lean = random.uniform(0.7, 1.3, _HAIRS)

    def draw(self, sheet: Float, pose: Expression) -> None:
        """Draw on `sheet`, (3, HEIGHT, WIDTH) float32 BGR."""
        x, y, half = _shape(pose)
        for sign in (-1, 1):
            left = int(MIDDLE + sign * 54) - 48
            patch = Patch(sheet, left, 160, 96, 90)
            across = MIDDLE + sign * x
            stroke = patch.area(between(across, y - half, y + half), 2.4)
            patch.paint(stroke * np.float32(0.72), _COLOUR)
            patch.paint(self._hairs(patch, across, y, half, sign) * np.float32(0.3), _COLOUR)

    def _hairs(self, patch: Patch, x: Curve, y: Curve, half: Curve, sign: int) -> Float:
        at_x, at_y = np.interp(self._roots, _ALONG, x), np.interp(self._roots, _ALONG, y)
        reach = np.interp(self._roots, _ALONG, half) * self._lean
        # Hairs stand up at the inner end and lie down towards the outer one.
        lying = 0.25 + 1.1 * self._roots
        start = np.column_stack([at_x, at_y + reach])
        out, up = reach * 2.2 * lying, reach * (1.25 - 0.6 * lying)
        end = np.column_stack([at_x + sign * out, at_y - up])
        return patch.lines(np.stack([start, end], axis=1), 1, 0.8)


def _shape(pose: Expression) -> tuple[Curve, Curve, Curve]:
    """Return distance from the axis, y, and half the thickness along a brow, in px."""
    inner = (1 - _ALONG) ** 1.5
    outer = _ALONG**0.8
    x = 20 + 66 * _ALONG - 7 * pose.brow_lower * inner
    y = 208 - 9 * np.sin(np.pi * _ALONG**1.25 * 0.85)
    y = y - 22 * pose.inner_brow_raise * inner - 2 * pose.inner_brow_raise
    y = y - 15 * pose.outer_brow_raise * outer
    y = y + pose.brow_lower * (13 * inner + 8 - 5 * outer)
    y = y + 8 * pose.inner_brow_raise * outer * (1 - pose.outer_brow_raise)
    half = 1.2 + 4.4 * np.sin(np.pi * (0.16 + 0.80 * _ALONG)) ** 0.8
    return x, y, half * (1 + 0.15 * pose.brow_lower)
