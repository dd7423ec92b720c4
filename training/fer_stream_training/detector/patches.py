"""Squares to paste into scenes: faces, what looks like one and is none, and the heads around."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from .pictures import Grey, Picture, generated

SIDE = 48  # px, of FER-2013's pictures
WIDE = 2 * SIDE
"""Side of a patch: the face in its middle and as much again around it."""
_MASKS = 256


def mask_bank(random: np.random.Generator) -> list[Grey]:
    """Irregular soft shapes, (96, 96) uint8, 255 where a patch covers what lies below.

    None follows the square's border, so that there is no border to learn instead of faces.
    """
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    masks = []
    for _ in range(_MASKS):
        across, down = random.uniform(0.36, 0.58), random.uniform(0.46, 0.72)
        power = random.uniform(2.0, 3.5)  # 2: an ellipse; more: squarer
        cos, sin = np.cos(angles), np.sin(angles)
        radius = (np.abs(cos / across) ** power + np.abs(sin / down) ** power) ** (-1 / power)
        for wave in range(2, 6):
            radius *= 1 + random.normal(0, 0.04) * np.cos(wave * angles + random.uniform(0, 6.3))
        centre = SIDE + random.normal(0, 2.0, 2)
        points = centre + SIDE * radius[:, None] * np.stack([cos, sin], axis=1)
        mask = np.zeros((WIDE, WIDE), np.uint8)
        cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 255)
        masks.append(cv2.GaussianBlur(mask, (0, 0), random.uniform(1.0, 5.0)))
    return masks  # type: ignore[return-value]


def extended(square: Grey) -> Grey:
    """(96, 96): `square` in the middle, about it its mirror image, more blurred farther out."""
    half = SIDE // 2
    wide = cv2.copyMakeBorder(square, half, half, half, half, cv2.BORDER_REFLECT_101)
    soft = cv2.blur(wide, (15, 15))
    mixed = wide.astype(np.uint16) * _NEAR + soft.astype(np.uint16) * (256 - _NEAR)
    return (mixed >> 8).astype(np.uint8)


def _nearness() -> npt.NDArray[np.uint16]:
    away = np.maximum(np.abs(np.arange(WIDE) - (WIDE - 1) / 2) - (SIDE / 2 - 3), 0) / 6
    near = np.clip(1 - np.maximum(away[:, None], away[None]), 0, 1)
    return np.asarray(256 * near, np.uint16)


_NEAR = _nearness()


def varied_face(face: Grey, random: np.random.Generator) -> Grey:
    """A face mirrored, relit and partly covered at random, (48, 48)."""
    face = face[:, ::-1] if random.random() < 0.5 else face
    face = np.ascontiguousarray(face)
    if random.random() < 0.3:
        face = _covered(face, random)
    if random.random() < 0.4:  # light from one side
        slope = np.linspace(-1, 1, SIDE) * random.uniform(-60, 60)
        face = np.clip(face + (slope if random.random() < 0.7 else slope[:, None]), 0, 255)
    low, high = random.uniform(0, 0.45), random.uniform(0.5, 1.0)
    scaled = 255 * low * random.random() + face * np.float32(high)
    return np.clip(scaled, 0, 255).astype(np.uint8)  # type: ignore[no-any-return]


def _covered(face: Grey, random: np.random.Generator) -> Grey:
    """Cover up to a third: a hand, a strand of hair, glasses or a cup, as far as shapes can."""
    face = face.copy()
    grey = int(random.integers(0, 256))
    x, y = random.integers(0, SIDE, 2).tolist()
    match int(random.integers(0, 4)):
        case 0:  # from an edge
            depth = int(random.integers(4, 16))
            side = [face[:depth], face[-depth:], face[:, :depth], face[:, -depth:]]
            side[int(random.integers(4))][:] = grey
        case 1:
            cv2.ellipse(face, (x, y), (int(random.integers(5, 14)), 8), x * 7, 0, 360, grey, -1)
        case 2:  # glasses
            for eye in (14, 34):
                width = 1 if random.random() < 0.6 else -1
                cv2.ellipse(face, (eye, 19), (8, 6), 0, 0, 360, grey, width)
            cv2.line(face, (22, 18), (26, 18), grey, 1)
        case _:
            cv2.line(face, (x, 0), (y, SIDE), grey, int(random.integers(2, 9)))
    return face


def not_a_face(face: Grey, pictures: list[Picture], random: np.random.Generator) -> Grey:
    """(48, 48) of what a net that learned borders, tones or single features takes for a face."""
    half = SIDE // 2
    match int(random.integers(0, 9)):
        case 0 | 1:
            return _piece(pictures, random)
        case 2:  # its parts in the wrong places
            cells = int(random.choice([2, 3, 4]))
            size = SIDE // cells
            parts = [
                face[r : r + size, c : c + size]
                for r in range(0, SIDE, size)
                for c in range(0, SIDE, size)
            ]
            order = random.permutation(len(parts))
            rows = [
                np.hstack([parts[i] for i in order[k : k + cells]])
                for k in range(0, len(parts), cells)
            ]
            return np.vstack(rows)
        case 3:
            return 255 - face
        case 4:  # upside down; a quarter turned it might come out of the paste a tilted face
            return np.ascontiguousarray(face[::-1, ::-1])
        case 5:  # the lower half twice, or the upper
            part = face[half:] if random.random() < 0.5 else face[:half]
            return np.vstack([part[::-1], part])
        case 6:  # a part of a face as large as a face
            size = int(random.integers(12, 24))
            x, y = random.integers(0, SIDE - size + 1, 2)
            return cv2.resize(face[y : y + size, x : x + size], (SIDE, SIDE))  # type: ignore[return-value]
        case 7:  # blotches as soft as those of a blurred face
            size = int(random.integers(12, 22))
            return cv2.blur(_piece(pictures, random), (size, size))  # type: ignore[return-value]
        case _:
            return np.vstack([face[half:], face[:half]])


def _piece(pictures: list[Picture], random: np.random.Generator) -> Grey:
    if not pictures:
        return generated(random, SIDE, SIDE)
    image = pictures[int(random.integers(len(pictures)))].image
    size = int(min(*image.shape, np.exp(random.uniform(np.log(16), np.log(200)))))
    y, x = (int(random.integers(0, n - size + 1)) for n in image.shape)
    return cv2.resize(image[y : y + size, x : x + size], (SIDE, SIDE), interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def draw_person(
    image: Grey, square: np.ndarray, skin: float, random: np.random.Generator, *, with_head: bool
) -> None:
    """Draw neck and shoulders, and hair and ears, about where a face or a head will come.

    ``square`` is the face's, (3,) centre x, y and side, px.
    """
    x, y, side = map(float, square)
    hair, clothes = random.uniform(0, 200), random.uniform(0, 255)

    def blob(dx: float, dy: float, across: float, down: float, grey: float) -> None:
        centre = (round(x + dx * side), round(y + dy * side))
        axes = (max(round(across * side), 1), max(round(down * side), 1))
        cv2.ellipse(image, centre, axes, random.uniform(-8, 8), 0, 360, int(grey), -1, cv2.LINE_AA)

    tilt = random.normal(0, 0.08)
    if random.random() < 0.25:  # long hair
        blob(tilt, 0.25, random.uniform(0.6, 0.85), random.uniform(0.8, 1.2), hair)
    if random.random() < 0.85:
        blob(
            0,
            random.uniform(1.35, 1.7),
            random.uniform(1.0, 1.7),
            random.uniform(0.6, 0.9),
            clothes,
        )
        blob(
            tilt,
            0.65,
            random.uniform(0.2, 0.36),
            random.uniform(0.3, 0.5),
            skin * random.uniform(0.6, 1),
        )
    if not with_head:
        return
    blob(tilt, -0.12, random.uniform(0.5, 0.68), random.uniform(0.6, 0.8), hair)
    if random.random() < 0.6:  # ears
        for sign in (-1, 1):
            blob(sign * 0.5, -0.02, 0.07, 0.14, skin * random.uniform(0.7, 1))
    if random.random() < 0.5:
        blob(0, 0, random.uniform(0.44, 0.52), random.uniform(0.56, 0.66), skin)
