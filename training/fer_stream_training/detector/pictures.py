"""What scenes are made on: pictures without faces, or with known ones, and generated ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fer_stream.errors import ConfigError
from fer_stream.sources import is_named

from ..data.images import grey_image

Grey = npt.NDArray[np.uint8]
"""(H, W) uint8."""
Squares = npt.NDArray[np.float32]
"""(K, 3) float32: centre x, centre y and side in px."""

_LONG_SIDE = 1000  # px; larger pictures would only fill the memory
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def no_squares() -> Squares:
    """An empty list of squares, (0, 3)."""
    return np.zeros((0, 3), np.float32)


def stacked(squares: list[np.ndarray]) -> Squares:
    """Squares (3,) as one array, (K, 3), also of none."""
    return np.array(squares, np.float32).reshape(-1, 3)


@dataclass(frozen=True, slots=True)
class Picture:
    """A grey picture, the faces in it, and squares in which there may be one."""

    image: Grey
    faces: Squares = field(default_factory=no_squares)
    unsure: Squares = field(default_factory=no_squares)


def load_pictures(folders: tuple[Path, ...]) -> list[Picture]:
    """Read all pictures of the folders, taken to show no faces; in the order of their names.

    What cannot be decoded is left out: collections of thousands have some, and none is needed.
    Raises ConfigError for a folder without any.
    """
    pictures = []
    for folder in folders:
        files = sorted(f for f in folder.rglob("*") if is_named(f, _SUFFIXES))
        read = [image for file in files if (image := grey_image(file)) is not None]
        if not read:
            raise ConfigError(
                f"no picture in {folder}; expected {', '.join(_SUFFIXES)} files of scenes without "
                "faces; check --backgrounds"
            )
        pictures += [Picture(_shrunk(image)) for image in read]
    return pictures


def _shrunk(image: Grey) -> Grey:
    scale = _LONG_SIDE / max(image.shape)
    if scale >= 1:
        return image
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def generated(random: np.random.Generator, height: int, width: int) -> Grey:
    """Blotches of several sizes, slopes and shapes, (height, width) uint8."""
    rough = np.full((height, width), random.uniform(0, 255), np.float32)
    for cells in random.choice([2, 3, 5, 9, 20, 60], random.integers(1, 4), replace=False):
        blotches = random.normal(0, random.uniform(5, 50), (cells, cells)).astype(np.float32)
        rough += cv2.resize(blotches, (width, height), interpolation=cv2.INTER_CUBIC)
    image: Grey = np.clip(rough, 0, 255).astype(np.uint8)
    draw_shapes(image, random, int(random.integers(0, 14)))
    return image


def draw_shapes(image: Grey, random: np.random.Generator, count: int) -> None:
    """Draw `count` boxes, discs, lines and letters of any grey into `image`."""
    height, width = image.shape
    for _ in range(count):
        grey = int(random.integers(0, 256))
        x, y = int(random.integers(0, width)), int(random.integers(0, height))
        size = int(np.exp(random.uniform(np.log(4), np.log(90))))
        other = (
            x + int(random.integers(-size, size + 1)),
            y + int(random.integers(-size, size + 1)),
        )
        filled = -1 if random.random() < 0.6 else int(random.integers(1, 4))
        match int(random.integers(0, 4)):
            case 0:
                cv2.rectangle(image, (x, y), other, grey, filled)
            case 1:
                axes = (size // 2 + 1, int(size * random.uniform(0.2, 0.8)) + 1)
                cv2.ellipse(image, (x, y), axes, random.uniform(0, 180), 0, 360, grey, filled)
            case 2:
                cv2.line(image, (x, y), other, grey, int(random.integers(1, 6)), cv2.LINE_AA)
            case _:
                text = "".join(random.choice(list("AEOo8B@%&0Sg"), 3))
                cv2.putText(image, text, (x, y), 0, size / 40, grey, int(random.integers(1, 4)))


def background(
    pictures: list[Picture], random: np.random.Generator, height: int, width: int
) -> Picture:
    """A random part of a random picture at a random scale, with the faces that lie in it."""
    picture = pictures[int(random.integers(len(pictures)))]
    rows, columns = picture.image.shape
    smallest = max(height / rows, width / columns)
    scale = smallest * float(np.exp(random.uniform(0, np.log(max(1.5, 1.6 / smallest)))))
    scale_x, scale_y = scale * random.uniform(1, 1.1), scale
    part_w, part_h = min(int(width / scale_x), columns), min(int(height / scale_y), rows)
    left = int(random.integers(0, columns - part_w + 1))
    top = int(random.integers(0, rows - part_h + 1))
    part = picture.image[top : top + part_h, left : left + part_w]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = cv2.resize(part, (width, height), interpolation=method)
    flip = random.random() < 0.5
    if flip:
        image = cv2.flip(image, 1)
    fx, fy = width / part_w, height / part_h

    def moved(squares: Squares) -> Squares:
        x, y, side = ((squares - (left, top, 0)) * (fx, fy, (fx + fy) / 2)).T
        kept = np.stack([width - x if flip else x, y, side], axis=1).astype(np.float32)
        reach = side / 2
        seen = (x > -reach) & (x < width + reach) & (y > -reach) & (y < height + reach)
        return np.asarray(kept[seen], np.float32)

    return Picture(np.ascontiguousarray(image), moved(picture.faces), moved(picture.unsure))
