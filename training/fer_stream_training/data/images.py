"""Image files of any kind as grey images of one size."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fer_stream.errors import ConfigError

from ..fer2013 import IMAGE_SIZE
from .splits import ImageArray

SMALLEST_PX, LARGEST_PX = 32, 96
"""Sides within which images of one size are taken as they are."""

Size = tuple[int, int]  # (height, width) in px


def read_images(files: Iterable[Path], size: Size | None, *, fer2013: bool) -> list[ImageArray]:
    """Read ``files`` as (H, W) uint8 grey images of one size.

    Without ``size``, images that share one size with sides of 32 to 96 px keep it, and all others
    are made 48x48. Where ``fer2013`` is set and the first is 48x48, the others must be too.

    Raises ConfigError naming the first file that is no image, or no image of FER-2013's size.
    """
    images: list[ImageArray] = []
    for file in files:
        image = _read_image(file)
        if size is None:
            first = images[0] if images else image
            if image.shape != first.shape and fer2013 and first.shape == (IMAGE_SIZE, IMAGE_SIZE):
                height, width = image.shape
                raise ConfigError(
                    f"{file} is {width}x{height} px; expected {IMAGE_SIZE}x{IMAGE_SIZE} like the "
                    "images before it; resize or remove it"
                )
            if image.shape != first.shape or not _kept(first):
                size = (IMAGE_SIZE, IMAGE_SIZE)
                images = [resized(earlier, size) for earlier in images]
        images.append(image if size is None else resized(image, size))
    return images


def grey_image(file: Path) -> ImageArray | None:
    """An image file as an (H, W) uint8 grey image; None for what cannot be read."""
    import cv2

    # Not cv2.imread: on Windows it cannot open a path beyond ASCII, and on Linux it brings the
    # process down at a name that is not UTF-8.
    try:
        image = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_GRAYSCALE)
    except (OSError, cv2.error):
        return None
    return None if image is None else np.asarray(image, dtype=np.uint8)


def resized(image: ImageArray, size: Size) -> ImageArray:
    """One (H, W) uint8 image as ``size``, by the way a run makes its crops."""
    import cv2

    if image.shape == size:
        return image
    method = cv2.INTER_AREA if max(image.shape) > max(size) else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size[::-1], interpolation=method), dtype=np.uint8)


def _kept(image: ImageArray) -> bool:
    return all(SMALLEST_PX <= side <= LARGEST_PX for side in image.shape)


def _read_image(file: Path) -> ImageArray:
    image = grey_image(file)
    if image is None:
        raise ConfigError(
            f"cannot read the image {file}; expected a picture of a face, such as a .png or .jpg; "
            "convert, replace or remove it"
        )
    return image
