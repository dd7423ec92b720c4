"""Random changes to faces, so that a network meets more than FER-2013's own framing.

FER-2013 faces fill their frame in one way; a Haar detector's boxes are off by about a tenth of
the face in place and size. The ranges below cover that, and mild differences in light. Those in
pixels are for a side of 48 px and grow with the image.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from .fer2013 import IMAGE_SIZE

MAX_SHIFT_PX = 4.0  # 8 % of the side
MAX_ROTATION_DEG = 12.0
SCALE_RANGE = (0.88, 1.14)
CONTRAST_RANGE = (0.8, 1.2)
MAX_BRIGHTNESS = 20.0  # grey levels of 255
COARSE_PX = (18, 40)  # side of a small face before it was enlarged to 48 px
BLUR_PX = (0.5, 1.8)  # standard deviation
NOISE = (3.0, 20.0)  # standard deviation, grey levels of 255
JPEG_QUALITY = (15, 60)
ERASED_AREA = (0.02, 0.2)  # share of the image, with sides 1:3 to 3:1

Images = npt.NDArray[np.float32]


def augment(
    images: npt.NDArray[np.uint8],
    random: np.random.Generator,
    strength: float = 1.0,
    *,
    degrade: float = 0.0,
    erase: float = 0.0,
) -> Images:
    """Return a randomly changed copy of ``images``.

    Takes (N, H, W) uint8 grey; returns (N, H, W) float32 in 0..255. Half are mirrored; all are
    shifted, turned, scaled, and changed in contrast and brightness within the ranges above,
    narrowed to the share ``strength`` (0..1) of them. The share ``degrade`` of the images (0..1)
    is made coarse, blurred, noisy or blocky, as streams and small faces are; the share ``erase``
    loses a rectangle (Zhong et al., arXiv:1708.04896).
    """
    height, width = images.shape[1:]
    size = (width, height)
    matrices = _random_affines(len(images), size, random, strength)
    warped = np.empty(images.shape, dtype=np.float32)
    for index, matrix in enumerate(matrices):
        warped[index] = cv2.warpAffine(
            images[index], matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    for chosen in np.flatnonzero(random.random(len(images)) < degrade):
        warped[chosen] = _degraded(warped[chosen], random)
    contrast = 1 + strength * (random.uniform(*CONTRAST_RANGE, len(images)) - 1)
    contrast = contrast.astype(np.float32)
    shift = strength * random.uniform(-MAX_BRIGHTNESS, MAX_BRIGHTNESS, len(images))
    mean = warped.mean(axis=(1, 2))
    # Contrast turns about each face's own mean; otherwise it would change brightness too.
    offset = mean * (1 - contrast) + shift.astype(np.float32)
    warped *= contrast[:, None, None]
    warped += offset[:, None, None]
    np.clip(warped, 0, 255, out=warped)
    for chosen in np.flatnonzero(random.random(len(images)) < erase):
        _erase(warped[chosen], random)
    return warped


def mix(
    images: Images, targets: Images, alpha: float, random: np.random.Generator
) -> tuple[Images, Images]:
    """Blend each image and its target with another of the batch (Zhang et al., arXiv:1710.09412).

    ``images`` is (N, ...) float32, ``targets`` (N, K) float32; the share of the other image comes
    from Beta(alpha, alpha), folded to 0..0.5 so that the target's largest part stays its own.
    """
    share = random.beta(alpha, alpha, len(images)).astype(np.float32)
    share = np.minimum(share, 1 - share)
    partner = random.permutation(len(images))

    def blended(values: Images) -> Images:
        part = share.reshape(-1, *[1] * (values.ndim - 1))
        return values + part * (values[partner] - values)

    return blended(images), blended(targets)


def _degraded(image: Images, random: np.random.Generator) -> Images:
    """One (H, W) image after one of: shrinking and enlarging, blurring, noise, JPEG."""
    height, width = image.shape
    kind = random.integers(4)
    if kind == 0:
        share = random.integers(*COARSE_PX) / IMAGE_SIZE
        coarse = (max(round(share * width), 1), max(round(share * height), 1))
        small = cv2.resize(image, coarse, interpolation=cv2.INTER_AREA)
        return _as_float(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))
    if kind == 1:
        deviation = random.uniform(*BLUR_PX) * min(width, height) / IMAGE_SIZE
        return _as_float(cv2.GaussianBlur(image, (0, 0), deviation))
    if kind == 2:
        return image + _as_float(random.normal(0, random.uniform(*NOISE), image.shape))
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(*JPEG_QUALITY))]
    _, encoded = cv2.imencode(".jpg", np.rint(image).astype(np.uint8), quality)
    return _as_float(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE))


def _as_float(image: Any) -> Images:
    return np.asarray(image, dtype=np.float32)


def _erase(image: Images, random: np.random.Generator) -> None:
    """Fill a random rectangle of one (H, W) image with one random grey level."""
    area = random.uniform(*ERASED_AREA) * image.size
    ratio = np.exp(random.uniform(-np.log(3), np.log(3)))
    height = min(round(np.sqrt(area * ratio)), image.shape[0])
    width = min(round(np.sqrt(area / ratio)), image.shape[1])
    top = random.integers(image.shape[0] - height + 1)
    left = random.integers(image.shape[1] - width + 1)
    image[top : top + height, left : left + width] = random.uniform(0, 255)


def _random_affines(
    count: int, size: tuple[int, int], random: np.random.Generator, strength: float
) -> npt.NDArray[np.float64]:
    """Random (N, 2, 3) affine maps about the centre for cv2.warpAffine, half of them mirrored.

    ``size`` is (width, height) in px.
    """
    angle = strength * np.deg2rad(random.uniform(-MAX_ROTATION_DEG, MAX_ROTATION_DEG, count))
    scale = 1 + strength * (random.uniform(*SCALE_RANGE, count) - 1)
    mirror = random.choice((-1.0, 1.0), count)
    shift = strength * random.uniform(-MAX_SHIFT_PX, MAX_SHIFT_PX, (count, 2))
    shift *= np.array(size) / IMAGE_SIZE
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    matrices = np.empty((count, 2, 3))
    matrices[:, 0, 0], matrices[:, 0, 1] = mirror * cos, -sin
    matrices[:, 1, 0], matrices[:, 1, 1] = mirror * sin, cos
    centre = (np.array(size) - 1) / 2
    matrices[:, :, 2] = centre + shift - matrices[:, :, :2] @ centre
    return matrices
