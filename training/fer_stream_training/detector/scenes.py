"""Composing scenes: faces, and things that are none, pasted alike into pictures."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from .heads import Head, head_bank
from .patches import SIDE, draw_person, extended, mask_bank, not_a_face, varied_face
from .pictures import Grey, Picture, background, draw_shapes, generated, stacked

SMALLEST = 12.0  # px; smaller faces are not asked for
_WITHOUT_FACES = 0.12  # share of the scenes
_UNSURE_BELOW = 9.0  # px; such faces in a picture are neither asked for nor forbidden
_TURNED = 0.5  # share of the faces that are put on a turned head
_AWAY = 0.25  # share of the other things that are heads turned away


@dataclass(frozen=True, slots=True)
class Shapes:
    """The outlines that patches have, the same in every run."""

    masks: list[Grey]
    turned: list[Head]
    away: list[Head]


def make_shapes() -> Shapes:
    """Make all shapes; takes some seconds."""
    random = np.random.default_rng(0)
    return Shapes(mask_bank(random), head_bank(random, 300), head_bank(random, 60, away=True))


@dataclass(frozen=True, slots=True)
class Patch:
    """What is pasted: (96, 96), the face or what is none in the middle (48, 48)."""

    image: Grey
    mask: Grey
    is_head: bool
    """Whether it shows all of a head, rather than a face alone."""


@dataclass(frozen=True, slots=True)
class Material:
    """What scenes are composed of."""

    faces: npt.NDArray[np.uint8]
    """(N, 48, 48) uint8 grey."""
    pictures: list[Picture]
    """Without faces."""
    filmed: list[Picture]
    """With faces where somebody said so; may be empty."""
    filmed_share: float = 0.3
    """Of the scenes, those made on a filmed picture."""
    shapes: Shapes = field(default_factory=make_shapes)
    mistaken: int = 0
    """Of the pictures, the last ones: places in the others that an earlier run took for faces."""


class Composer:
    """Makes scenes of one size; the same seed makes the same scene."""

    def __init__(self, material: Material, height: int, width: int) -> None:
        self._material = material
        self._height, self._width = height, width

    def scene(self, seed: tuple[int, ...]) -> Picture:
        """Compose one scene."""
        random = np.random.default_rng(seed)
        base = self._base(random)
        image = base.image.copy()
        if random.random() < 0.3 and not len(base.faces):
            draw_shapes(image, random, int(random.integers(1, 8)))
        taken = [*base.faces, *base.unsure]
        faces = [square for square in base.faces if square[2] >= _UNSURE_BELOW]
        tiny = [square for square in base.faces if square[2] < _UNSURE_BELOW]
        plain = random.random() < _WITHOUT_FACES
        count = int(random.integers(2, 8)) if not len(base.faces) else int(random.integers(0, 4))
        pasted: list[tuple[np.ndarray, Patch]] = []
        for number in range(count * 2):
            square = self._free_place(random, taken)
            if square is None:
                continue
            taken.append(square)
            is_face = number % 2 == 0 and not plain
            patch = self._patch(is_face, random)
            pasted.append((square, patch))
            if random.random() < 0.7:
                skin = float(np.median(patch.image[36:60, 36:60]))
                draw_person(image, square, skin, random, with_head=not patch.is_head)
            if is_face:
                faces.append(square)
        for square, patch in pasted:  # after all the shoulders, which may cover a face
            _paste(image, square, patch, random)
        unsure = [*base.unsure, *tiny]
        return Picture(_filmed(image, random), stacked(faces), stacked(unsure))

    def _base(self, random: np.random.Generator) -> Picture:
        material, size = self._material, (self._height, self._width)
        if material.filmed and random.random() < material.filmed_share:
            return background(material.filmed, random, *size)
        if material.pictures and random.random() < 0.8:
            return background(material.pictures, random, *size)
        return Picture(generated(random, *size))

    def _free_place(
        self, random: np.random.Generator, taken: list[np.ndarray]
    ) -> npt.NDArray[np.float32] | None:
        largest = self._height * 1.05
        for _ in range(8):
            side = float(np.exp(random.uniform(np.log(SMALLEST), np.log(largest))))
            inset = 0.3 * side  # a face may reach over the edge a little
            x = random.uniform(inset, self._width - inset)
            y = random.uniform(inset, max(self._height - inset, inset + 1))
            if all(
                max(abs(x - other[0]), abs(y - other[1])) > 0.6 * (side + other[2])
                for other in taken
            ):
                return np.array((x, y, side), np.float32)
        return None

    def _patch(self, is_face: bool, random: np.random.Generator) -> Patch:
        material, shapes = self._material, self._material.shapes
        face = material.faces[int(random.integers(len(material.faces)))]
        if random.random() < (_TURNED if is_face else _AWAY):
            heads = shapes.turned if is_face else shapes.away
            head = heads[int(random.integers(len(heads)))]
            return Patch(head.with_face(varied_face(face, random), random), head.mask, True)
        content = face if is_face else not_a_face(face, material.pictures, random)
        mask = shapes.masks[int(random.integers(len(shapes.masks)))]
        return Patch(extended(varied_face(content, random)), mask, False)


def _paste(image: Grey, square: np.ndarray, patch: Patch, random: np.random.Generator) -> None:
    x, y, side = map(float, square)
    angle = random.normal(0, 10) if random.random() < 0.85 else random.uniform(-40, 40)
    # Narrower, as a head turned aside; the square that frames it is as large as before.
    turned = not patch.is_head and random.random() < 0.3
    narrow = random.uniform(0.7, 1.05) if turned else 1.0
    _blend(image, patch.image, patch.mask, (x, y, side), angle, narrow)


def _blend(
    image: Grey,
    wide: Grey,
    mask: Grey,
    square: tuple[float, float, float],
    angle: float,
    narrow: float,
) -> None:
    """Put a patch into `image`, its inner square where `square` (centre x, y, side) says."""
    x, y, side = square
    if side < SIDE:  # averaged, as a camera would
        size = max(round(2 * side), 4)
        wide = cv2.resize(wide, (size, size), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        mask = cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    size = wide.shape[0]
    reach = int(side * 1.1) + 1
    left, top = max(int(x) - reach, 0), max(int(y) - reach, 0)
    right, bottom = min(int(x) + reach, image.shape[1]), min(int(y) + reach, image.shape[0])
    turn = cv2.getRotationMatrix2D((size / 2 - 0.5, size / 2 - 0.5), angle, 2 * side / size)
    turn = turn @ np.diag((narrow, 1.0, 1.0))
    turn[:, 2] += turn[:, :2] @ ((size / 2 - 0.5) * np.array((1 / narrow - 1, 0.0)))
    turn[:, 2] += (x - left - size / 2, y - top - size / 2)
    shape = (right - left, bottom - top)
    patch = cv2.warpAffine(wide, turn, shape, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpAffine(mask, turn, shape).astype(np.uint16)
    part = image[top:bottom, left:right]
    part[:] = (patch * cover + part * (255 - cover) + 127) // 255


def _filmed(image: Grey, random: np.random.Generator) -> Grey:
    """What a lens, a sensor and a codec do to a scene."""
    if random.random() < 0.35:
        image = cv2.GaussianBlur(image, (0, 0), random.uniform(0.3, 1.1))  # type: ignore[assignment]
    if random.random() < 0.1:  # a coarse source, made large
        height, width = image.shape
        scale = random.uniform(0.5, 0.85)
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        image = cv2.resize(small, (width, height))  # type: ignore[assignment]
    gain, offset = random.uniform(0.55, 1.2), random.uniform(-30, 40)
    table = np.clip(
        255 * (np.arange(256) / 255) ** random.uniform(0.6, 1.7) * gain + offset, 0, 255
    )
    image = table.astype(np.uint8)[image]
    if random.random() < 0.35:
        noise = random.normal(0, random.uniform(2, 10), image.shape).astype(np.int16)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if random.random() < 0.3:
        quality = int(random.integers(15, 80))
        _, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)  # type: ignore[assignment]
    return image
