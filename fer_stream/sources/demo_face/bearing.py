"""How the drawn head is held."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bearing:
    """How the head is held; all zero is straight ahead, upright, in the middle."""

    right: float = 0.0
    """px."""
    down: float = 0.0
    """px."""
    lean: float = 0.0
    """Degrees, clockwise as the viewer sees it."""
    turn: float = 0.0
    """px that the nose moves right as the head turns aside."""
    nod: float = 0.0
    """px that the nose moves down as the head bows."""
