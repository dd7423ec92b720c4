"""What does not move by itself: skin colour, ears, hair, shoulders and the wall behind."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from fer_stream.sources.demo_face.canvas import (
    CHIN_Y,
    EYE_X,
    EYE_Y,
    HEIGHT,
    MIDDLE,
    MOUTH_Y,
    WIDTH,
    Float,
    Patch,
    grid,
    planes,
    smoothstep,
)
from fer_stream.sources.demo_face.relief import Relief, half_width

_SKIN = (142.0, 176.0, 222.0)
_HAIR = (34.0, 46.0, 66.0)
_SHIRT = (112.0, 84.0, 58.0)

Points = list[tuple[float, float]]


class Head:
    """A head with no eyes, brows or mouth yet.

    Attributes:
        picture: (3, HEIGHT, WIDTH) float32 BGR 0..255.
        weights: (HEIGHT, WIDTH) float32 0..1, 1 where the head hides the background.
        changes: By `Expression` amount, what it adds to `picture`: (3, HEIGHT, WIDTH) float32.
    """

    def __init__(self) -> None:
        relief = Relief()
        light = relief.light()
        x, y = grid()
        skin = _skin_colour(x, y)
        # Under soft edges lies the colour of the part itself: black would show as an outline.
        below = smoothstep(y, 225, 245)
        self.picture: Float = np.asarray(
            0.6 * (below * planes(_SKIN) + (1 - below) * planes(_HAIR)), np.float32
        )
        sheet = Patch(self.picture, 0, 0, WIDTH, HEIGHT)
        face = sheet.area(_face_outline(), 1.4)
        ears = _draw_ears(sheet)
        sheet.paint(face, skin * light)
        hair = _draw_hair(sheet)
        self.weights = np.maximum(np.maximum(face, ears), hair)
        lit_skin = skin * face * (1 - hair)
        self.changes = {
            name: (relief.light(change) - light) * lit_skin
            for name, change in relief.changes().items()
        }


def _skin_colour(x: Float, y: Float) -> Float:
    """Return skin in even white light, (3, HEIGHT, WIDTH) float32 BGR."""
    side = np.abs(x - MIDDLE)

    def around(at: float, middle: float, width: float, height: float) -> Float:
        far2 = ((side - at) / width) ** 2 + ((y - middle) / height) ** 2
        return np.asarray(np.exp(-far2 / 2), np.float32)

    red = 0.9 * around(62, 288, 24, 18) + 0.7 * around(0, 302, 16, 10) + 0.3 * around(0, 385, 20, 9)
    dark = 0.16 * around(EYE_X, EYE_Y, 25, 13) + 0.10 * around(24, EYE_Y + 2, 8, 14)
    dark += 0.50 * around(9.5, 312, 4.4, 2.4)  # nostrils
    dark += 0.10 * around(0, MOUTH_Y, 34, 13)
    colour = np.empty((3, HEIGHT, WIDTH), np.float32)
    for channel, (value, blush) in enumerate(zip(_SKIN, (0.12, 0.10, 0.0), strict=True)):
        colour[channel] = value * (1 - blush * red) * (1 - dark)
    return np.asarray(colour * _mottle(4, 0.011) * _mottle(1, 0.013), np.float32)


def _mottle(size: float, strength: float) -> Float:
    """Return the unevenness of skin: random, about 1, in spots of `size` px."""
    noise = np.random.default_rng(int(size)).normal(size=(HEIGHT, WIDTH)).astype(np.float32)
    spots = cv2.GaussianBlur(noise, (0, 0), size)
    return np.asarray(1 + strength * spots / np.std(spots), np.float32)


def _draw_ears(sheet: Patch) -> Float:
    total = np.zeros((HEIGHT, WIDTH), np.float32)
    for sign in (-1, 1):
        shape = [(96, 228), (112, 222), (121, 234), (119, 258), (111, 280), (98, 290)]
        ear = sheet.area([(MIDDLE + sign * x, y) for x, y in shape], 1.8)
        sheet.paint(ear, np.array(_SKIN) * np.array([0.70, 0.68, 0.76]))
        inner = [(104, 240), (113, 236), (113, 254), (106, 272)]
        sheet.shade(sheet.line([(MIDDLE + sign * x, y) for x, y in inner], 4, 2.5), 0.4)
        total = np.maximum(total, ear)
    return total


def _draw_hair(sheet: Patch) -> Float:
    """Draw short hair, parted on one side; return its weights."""
    outside: Points = [(92, 244), (82, 190), (82, 140), (94, 98), (122, 66), (160, 47)]
    outside += [(204, 40), (250, 47), (286, 74), (308, 114), (318, 160), (317, 205), (308, 244)]
    inside: Points = [(303, 236), (300, 208), (293, 184), (287, 160), (272, 138), (252, 122)]
    inside += [(228, 126), (196, 140), (160, 148), (130, 156), (111, 178), (102, 205), (97, 236)]
    shape = _rounded(outside) + _rounded(inside)
    hair = sheet.area(shape, 3.0)
    shadow = sheet.area([(x, y + 9) for x, y in shape], 6.0) * (1 - hair)
    sheet.shade(shadow * sheet.area(_face_outline(), 1.0), 0.30)
    x, y = grid()
    round_light = 1.12 - 0.75 * smoothstep(np.hypot((x - 178) / 140, (y - 120) / 150), 0.2, 1.1)
    sheet.paint(hair, planes(_HAIR) * round_light)
    return np.maximum(hair, _draw_strands(sheet, hair))


def _rounded(points: Points) -> Points:
    """Return a smooth line close to the points."""
    for _ in range(3):  # Chaikin's corner cutting
        cut: Points = [points[0]]
        for (x0, y0), (x1, y1) in pairwise(points):
            cut += [(0.75 * x0 + 0.25 * x1, 0.75 * y0 + 0.25 * y1)]
            cut += [(0.25 * x0 + 0.75 * x1, 0.25 * y0 + 0.75 * y1)]
        points = [*cut, points[-1]]
    return points


def _face_outline() -> npt.NDArray[np.float64]:
    y = np.arange(80, CHIN_Y + 1, 2, dtype=np.float32)
    width = half_width(y)
    left, right = np.column_stack([MIDDLE - width, y]), np.column_stack([MIDDLE + width, y])
    return np.concatenate([left, right[::-1]]).astype(np.float64)


def _draw_strands(sheet: Patch, hair: Float) -> Float:
    """Comb the hair from the parting to both sides; return the weights of the loose ends."""
    random = np.random.default_rng(7)
    loose = np.zeros((HEIGHT, WIDTH), np.float32)
    for shine in (-0.30, 0.30, -0.22, 0.22, 0.5):  # dark and bright strands in turn
        strands = [_strand(random) for _ in range(150)]
        weights = sheet.lines(np.stack(strands), 1, 0.7)
        near = np.minimum(1.0, 1.6 * cv2.GaussianBlur(hair, (0, 0), 4))  # no strand stands apart
        sheet.shade(weights * hair, -shine)
        sheet.paint(weights * (1 - hair) * (0.8 * near), _HAIR)
        loose = np.maximum(loose, weights * near * 0.8)
    x, y = grid()
    # Light catches hair where it turns away from the crown.
    band = np.exp(-(((y - 84 - 0.003 * (x - 175) ** 2) / 14) ** 2))
    sheet.shade(band * np.exp(-(((x - 165) / 60) ** 2)) * hair, -0.55)
    return loose


def _strand(random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return a strand from the parting outwards, (12, 2) px."""
    root = np.array([246 + random.normal() * 3, random.uniform(44, 118)])
    left = random.random() < 0.68
    low = (root[1] - 44) / 74  # roots near the forehead fall over it, those behind to the side
    if left:
        end = np.array([84 + 95 * low + random.normal() * 7, 240 - 92 * low + random.normal() * 6])
        bend = np.array([150 - 60 * (1 - low), 52 + 75 * low])
    else:
        end = np.array([314 - 18 * low + random.normal() * 3, 236 - 60 * low + random.normal() * 8])
        bend = np.array([305 - 15 * low, 70 + 50 * low])
    t = np.linspace(random.uniform(0.0, 0.4), random.uniform(0.7, 1.0), 12)[:, np.newaxis]
    strand: npt.NDArray[np.float64] = (1 - t) ** 2 * root + 2 * t * (1 - t) * bend + t**2 * end
    return strand


def background(width: int, height: int) -> Float:
    """Draw wall, shoulders and neck, (3, height, width) float32 BGR; the sheet is in the middle."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    picture = np.empty((3, height, width), np.float32)
    glow = np.exp(-(((x - 0.42 * width) / 330) ** 2 + ((y - 0.35 * height) / 280) ** 2))
    for channel, (dark, bright) in enumerate(((96, 176), (90, 164), (82, 148))):
        picture[channel] = dark + (bright - dark) * glow
    sheet = Patch(picture, 0, 0, width, height)
    middle = width / 2
    neck: Points = [(-74, 300), (-72, 400), (-90, 440), (-98, 480)]
    neck += [(-dx, dy) for dx, dy in reversed(neck)]
    lit = 0.66 - 0.42 * smoothstep(np.abs(x - middle + 12), 20, 84) + 0.34 * smoothstep(y, 405, 470)
    skin = planes(_SKIN) * np.float32(0.93)
    shirt: Points = [(-330, 490), (-318, 462), (-230, 442), (-140, 428), (-92, 414), (-60, 448)]
    shirt += [(0, 470), (60, 448), (92, 414), (140, 428), (230, 442), (318, 462), (330, 490)]
    sheet.paint(sheet.area([(middle + dx, dy) for dx, dy in neck], 2.0), skin * lit)
    cloth = sheet.area([(middle + dx, dy) for dx, dy in _rounded(shirt)], 1.6)
    folds = 1.05 - 0.4 * smoothstep(np.abs(x - middle + 30), 60, 300)
    sheet.paint(cloth, planes(_SHIRT) * folds)
    collar = sheet.line([(middle + dx, dy + 3) for dx, dy in _rounded(shirt[4:9])], 6, 2.0)
    sheet.shade(collar * cloth, 0.35)
    return picture
