"""Turned heads made from frontal faces: a face's picture on a head's shape, seen from the side.

FER-2013 has few profiles. A head is taken for an ellipsoid with a nose, brows, eyes, lips and a
chin; the picture is projected on it from the front, hair covers its top and back, and the whole is
turned (as Zhu et al., arXiv:1511.07212, do with a fitted shape). Lengths are in half sides of the
face's square, so that the square is -1..1; x to the right, y down, z towards the camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from .patches import SIDE, WIDE, extended
from .pictures import Grey

_EYES_Y = -0.2  # the eyes' line in FER-2013's squares (benchmarks/labels)
_EYE_X, _EAR = 0.33, (0.84, -0.02, 0.0)
_HALF = SIDE / 2  # px of a half side
_STEPS = (180, 140)  # of the surface's points, around and down: closer than the patch's pixels
_TURNED_DEG, _AWAY_DEG = (0.0, 92.0), (145.0, 180.0)  # a face is seen, and none

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Head:
    """How one turned head looks, whosever face it has; all (96, 96), the square in the middle."""

    x: npt.NDArray[np.float32]
    y: npt.NDArray[np.float32]
    """Where in an extended face each pixel comes from, px."""
    light: npt.NDArray[np.float32]
    """What each pixel is multiplied by."""
    hair: npt.NDArray[np.float32]
    """How much of each pixel is hair, 0..1."""
    mask: Grey
    """255 where the head covers what lies behind."""

    def with_face(self, face: Grey, random: np.random.Generator) -> Grey:
        """(96, 96): the head with a (48, 48) face, and hair of a random grey."""
        skin = cv2.remap(extended(face), self.x, self.y, cv2.INTER_LINEAR)
        strands = cv2.GaussianBlur(random.normal(0, 1, (WIDE, WIDE)), (0, 0), 1.2, sigmaY=3.0)
        tone = np.exp(random.uniform(np.log(8), np.log(190)))
        hair = tone * (1 + random.uniform(0.2, 1.2) * strands)
        mixed = (skin + self.hair * (hair - skin)) * self.light
        return np.asarray(np.clip(mixed, 0, 255), np.uint8)


def head_bank(random: np.random.Generator, count: int, away: bool = False) -> list[Head]:
    """Heads turned to either side, or those turned away so that no face is seen."""
    heads = []
    for _ in range(count):
        low, high = _AWAY_DEG if away else _TURNED_DEG
        # Far turned ones more often: FER-2013 has enough of the others.
        yaw = (low + (high - low) * np.sqrt(random.random())) * random.choice((-1, 1))
        heads.append(_head(float(yaw), float(random.normal(0, 12)), random))
    return heads


def _head(yaw_deg: float, pitch_deg: float, random: np.random.Generator) -> Head:
    axes = np.array((0.82, 1.32, 1.0)) * random.uniform(0.93, 1.07, 3)
    points = _surface(axes, random)
    turn = _rotation(np.deg2rad(yaw_deg), np.deg2rad(pitch_deg))
    seen = points @ turn.T
    seen[:, :2] -= _middle(turn, seen, yaw_deg)
    first, covered = _nearest(seen)
    source = points[first]
    # What a picture shows beside the cheeks is often no longer the face.
    cheek = random.uniform(0.55, 0.72)
    x, y = (
        (place + 2) * _HALF - 0.5
        for place in (np.clip(source[..., 0], -cheek, cheek), source[..., 1])
    )
    mask = cv2.GaussianBlur(covered.astype(np.uint8) * 255, (0, 0), random.uniform(0.6, 1.5))
    light = _light(first, points, seen, random)
    hair = cv2.GaussianBlur(_hair(source, random).astype(np.float32), (0, 0), 1.2)
    return Head(_smooth(x), _smooth(y), light, hair, mask)  # type: ignore[arg-type]


def _surface(axes: Points, random: np.random.Generator) -> Points:
    """(P, 3) points of a head that looks into the camera, in rows of one height."""
    around = np.linspace(-np.pi, np.pi, _STEPS[0], endpoint=False)
    down = np.linspace(-1, 1, _STEPS[1]) * 0.999
    height, angle = (grid.ravel() for grid in np.meshgrid(down, around, indexing="ij"))
    ring = np.sqrt(1 - np.abs(height) ** 2.6)
    # The jaw is narrower and lies farther in front than the skull.
    jaw = np.clip(height, 0, 1)
    x = axes[0] * ring * np.sin(angle) * (1 - 0.25 * jaw)
    z = axes[2] * ring * np.cos(angle) + 0.12 * jaw
    z -= np.where(z < 0, 0.55 * jaw * -z, 0)
    y = axes[1] * height - 0.12

    def bump(size: float, at: tuple[float, float], width: tuple[float, float]) -> Points:
        away = ((np.abs(x) - at[0]) / width[0]) ** 2 + ((y - at[1]) / width[1]) ** 2
        return np.asarray(size * random.uniform(0.7, 1.3) * np.exp(-away))

    front = np.clip(np.cos(angle) * 1.5, 0, 1)
    slope = np.clip((y + 0.25) / 0.6, 0, 1) * (y < 0.38)  # of the nose: from the brow to its tip
    nose = random.uniform(0.16, 0.3) * slope * np.exp(-((x / 0.16) ** 2))
    parts = bump(-0.1, (_EYE_X, _EYES_Y), (0.2, 0.12)) + bump(0.06, (0.25, -0.42), (0.3, 0.1))
    parts += bump(0.08, (0.0, 0.68), (0.25, 0.1)) + bump(0.1, (0.0, 1.02), (0.25, 0.12))
    return np.stack([x, y, z + front * (nose + parts)], axis=1)


def _rotation(yaw: float, pitch: float) -> Points:
    cos, sin = np.cos(yaw), np.sin(yaw)
    about_y = np.array(((cos, 0, sin), (0, 1, 0), (-sin, 0, cos)))
    cos, sin = np.cos(pitch), np.sin(pitch)
    return np.asarray(np.array(((1, 0, 0), (0, cos, -sin), (0, sin, cos))) @ about_y)


def _middle(turn: Points, seen: Points, yaw_deg: float) -> Points:
    """Where the square's centre lies after the turn: between the face's outline and the ear."""
    side = np.sign(yaw_deg)  # the face looks to this side
    eyes = turn @ np.array((-side * _EYE_X, _EYES_Y, 0.85))
    ear = turn @ (np.array(_EAR) * (-side, 1, 1))
    if abs(yaw_deg) > 100:
        return np.array((0.0, eyes[1] - _EYES_Y))
    band = np.abs(seen[:, 1] - eyes[1] - 0.3) < 0.5
    outline = (side * seen[band, 0]).max() * side
    # A little turned, both cheeks are seen, and the far ear is none of the face's limits.
    near = min(abs(yaw_deg) / 40, 1.0) * ear[0] + (1 - min(abs(yaw_deg) / 40, 1.0)) * -outline
    return np.array(((outline + near) / 2, eyes[1] - _EYES_Y))


def _nearest(seen: Points) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """For each pixel of a patch the point that is seen there, and whether there is one."""
    columns, rows = (np.floor((seen[:, i] + 2) * _HALF).astype(int) for i in (0, 1))
    inside = (columns >= 0) & (columns < WIDE) & (rows >= 0) & (rows < WIDE)
    order = np.flatnonzero(inside)
    order = order[np.argsort(seen[order, 2], kind="stable")]  # the nearest is written last
    first = np.zeros((WIDE, WIDE), np.intp)
    covered = np.zeros((WIDE, WIDE), np.uint8)
    first[rows[order], columns[order]] = order
    covered[rows[order], columns[order]] = 1
    closed = cv2.morphologyEx(covered, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    for row, column in np.argwhere((covered == 0) & (closed == 1)):
        part = (slice(max(row - 1, 0), row + 2), slice(max(column - 1, 0), column + 2))
        filled = np.argwhere(covered[part])
        if len(filled):
            first[row, column] = first[part][tuple(filled[0])]
    return first, closed.astype(bool)


def _light(
    first: npt.NDArray[np.intp], points: Points, seen: Points, random: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Light from a random side on the head's round shape, and the ear's folds."""
    depth = cv2.GaussianBlur(seen[first][..., 2], (0, 0), 1.5)
    slopes = np.gradient(depth * _HALF)
    normal = np.stack([-slopes[1], -slopes[0], np.ones_like(depth)]) / np.sqrt(
        slopes[0] ** 2 + slopes[1] ** 2 + 1
    )
    towards = np.array((random.normal(0, 0.6), random.normal(-0.3, 0.4), 1.0))
    light = np.tensordot(towards / np.linalg.norm(towards), normal, 1)
    strength = random.uniform(0.2, 0.6)
    shade = 1 - strength + strength * np.clip(light, 0, 1) * 1.3
    source = points[first]
    away = np.hypot((source[..., 2] - _EAR[2]) / 0.16, (source[..., 1] - _EAR[1]) / 0.27)
    at_side = np.abs(source[..., 0]) > 0.6
    rim = np.exp(-(((away - 1) / 0.25) ** 2)) - 0.8 * np.exp(-((away / 0.5) ** 2))
    folds = random.uniform(-0.1, 0.4) * rim * at_side
    return _smooth(shade * (1 + folds), 0.7)


def _hair(source: Points, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which points of a head are covered with hair: above the forehead and behind the ears."""
    x, y, z = source[..., 0], source[..., 1], source[..., 2]
    line = random.uniform(-1.05, -0.7) + 0.25 * np.abs(x)
    behind = random.uniform(-0.35, -0.1) if random.random() < 0.75 else random.uniform(0.0, 0.3)
    neck = random.uniform(0.3, 0.9) if random.random() < 0.7 else 2.0
    return np.asarray((y < line) | ((z < behind + 0.25 * (y < -0.3)) & (y < neck)))


def _smooth(values: Any, deviation: float = 0.8) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(values.astype(np.float32), (0, 0), deviation), np.float32)
