"""The drawn person in a frame."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from fer_stream.sources.demo_face.bearing import Bearing
from fer_stream.sources.demo_face.brows import Brows
from fer_stream.sources.demo_face.canvas import (
    HEIGHT,
    MIDDLE,
    MOUTH_Y,
    WIDTH,
    Float,
    grid,
    smoothstep,
)
from fer_stream.sources.demo_face.expression import NEUTRAL, Expression
from fer_stream.sources.demo_face.eyes import draw_eyes
from fer_stream.sources.demo_face.head import Head, background
from fer_stream.sources.demo_face.mouth import draw_mouth
from fer_stream.types import BgrImage

_JAW_PX = 24.0  # how far a jaw drops
_NECK_Y = 380.0  # the head leans about this point
# Only this part of the sheet moves with an expression.
_FACE = (slice(None), slice(120, 412), slice(92, 308))

Bgra = npt.NDArray[np.uint8]
"""The head, (HEIGHT, WIDTH, 4) uint8: BGR and how much it hides of what is behind."""


STRAIGHT = Bearing()


class Portrait:
    """Draws frames of one size; what never changes is drawn once, here."""

    def __init__(self, width: int, height: int) -> None:
        self._head = Head()
        self._brows = Brows()
        behind = np.clip(background(width, height), 0, 255).astype(np.uint8)
        self._behind = np.ascontiguousarray(behind.transpose(1, 2, 0))
        self._left = (width - WIDTH) // 2
        self._weights = np.round(self._head.weights * 255).astype(np.uint8)
        self._x, self._y = grid()
        from_nose = ((self._x - MIDDLE) / 112) ** 2 + ((self._y - 290) / 200) ** 2
        self._dome = np.asarray(np.clip(1 - from_nose, 0, 1) ** 0.75, np.float32)
        self._jaw = smoothstep(self._y, MOUTH_Y - 4, MOUTH_Y + 78)
        # A face that holds its expression still sways: what was drawn last is often good again.
        self._drawn: tuple[Expression, tuple[float, float], Bgra] | None = None
        self._without_eyes: tuple[Expression, Float] | None = None

    def draw(
        self,
        pose: Expression = NEUTRAL,
        bearing: Bearing = STRAIGHT,
        look: tuple[float, float] = (0.0, 0.0),
    ) -> BgrImage:
        """Return a frame, (height, width, 3) uint8 BGR.

        Args:
            pose: The expression.
            bearing: How the head is held.
            look: How far the eyes look right and down, in px.
        """
        if self._drawn is None or self._drawn[:2] != (pose, look):
            self._drawn = (pose, look, self._draw_head(pose, look))
        return self._compose(self._moved(self._drawn[2], pose, bearing))

    def _draw_head(self, pose: Expression, look: tuple[float, float]) -> Bgra:
        blind = replace(pose, eyes_closed=0.0, eyes_down=0.0)  # these two move the eyes alone
        if self._without_eyes is None or self._without_eyes[0] != blind:
            face = self._skin(blind)
            self._brows.draw(face, blind)
            draw_mouth(face, blind)
            self._without_eyes = (blind, face)
        sheet = self._without_eyes[1].copy()
        draw_eyes(sheet, pose, look)
        planes = np.clip(sheet, 0, 255).astype(np.uint8)
        return cv2.merge([*planes, self._weights])  # type: ignore[return-value]

    def _skin(self, pose: Expression) -> Float:
        sheet: Float = self._head.picture.copy()
        face = sheet[_FACE]
        for name, change in self._head.changes.items():
            amount = getattr(pose, name)
            if amount:
                face += np.float32(amount) * change[_FACE]
        return sheet

    def _moved(self, head: Bgra, pose: Expression, bearing: Bearing) -> Bgra:
        """Bend the head as jaw and neck ask."""
        turn = cv2.getRotationMatrix2D((MIDDLE, _NECK_Y), -bearing.lean, 1.0)
        turn[:, 2] += np.array([bearing.right, bearing.down])
        (a, b, c), (d, e, f) = cv2.invertAffineTransform(turn).astype(np.float32)
        x = a * self._x + (b * self._y + c) - np.float32(bearing.turn) * self._dome
        y = d * self._x + (e * self._y + f) - np.float32(bearing.nod) * self._dome
        if pose.jaw_drop:
            y -= np.float32(_JAW_PX * pose.jaw_drop) * self._jaw
        return cv2.remap(head, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)  # type: ignore[return-value]

    def _compose(self, head: Bgra) -> BgrImage:
        frame = self._behind.copy()
        place = frame[:HEIGHT, self._left : self._left + WIDTH]
        weight = head[..., 3] * np.float32(1 / 255)
        place[:] = cv2.blendLinear(
            cv2.cvtColor(head, cv2.COLOR_BGRA2BGR), place, weight, 1 - weight
        )
        return frame
