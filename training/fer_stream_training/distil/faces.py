"""The changes to faces of `augment`, and a few more, by JAX: where the network is that learns.

The ranges are those of `augment`, where they are named here too. Faces are 48x48 px.
"""

from __future__ import annotations

from typing import Any

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from .. import augment as ranges
from ..fer2013 import IMAGE_SIZE as SIDE

Array = Any
"""A JAX array, also a traced one; a shape is in the function's docstring."""

MAX_STRETCH = 0.06  # of the width against the height, as a logarithm
MAX_SHEAR = 0.06  # px sideways per px down
_BLOCK = 8  # px, of JPEG


def augment(key: Array, faces: Array, strength: Array, degrade: Array, erase: Array) -> Array:
    """Random changes of (N, 48, 48) grey faces, 0..255; float32 out.

    The ranges of shift, turn, scale, stretch, shear, contrast and brightness are narrowed to the
    share ``strength`` of them; ``degrade`` and ``erase`` are shares of the faces.
    """
    keys = jax.random.split(key, 4)
    changed = _degraded(keys[1], _warped(keys[0], faces.astype(jnp.float32), strength), degrade)
    return _erased(keys[3], _relit(keys[2], changed, strength), erase)


def mixed(key: Array, faces: Array, targets: Array, shares: Array) -> tuple[Array, Array]:
    """Each face (N, 48, 48) and its target (N, K) blended with another's, as in `augment.mix`.

    ``shares`` are samples (M,) of the other face's share, 0..0.5; see `mixup_shares`.
    """
    keys = jax.random.split(key)
    share = jax.random.choice(keys[0], shares, (len(faces),))
    partner = jax.random.permutation(keys[1], len(faces))
    blended = faces + share[:, None, None] * (faces[partner] - faces)
    return blended, targets + share[:, None] * (targets[partner] - targets)


def mixup_shares(alpha: float) -> npt.NDArray[np.float32]:
    """4096 samples of Beta(``alpha``, ``alpha``), folded to 0..0.5; zeros where ``alpha`` is 0.

    A table, for JAX draws from that distribution by trial and error, step after step.
    """
    if not alpha:
        return np.zeros(4096, np.float32)
    share = np.random.default_rng(0).beta(alpha, alpha, 1 << 16)
    return np.sort(np.minimum(share, 1 - share))[8::16].astype(np.float32)


def _uniform(key: Array, count: int, low: float, high: float) -> Array:
    """(N, 1, 1) float32 in ``low``..``high``."""
    return jax.random.uniform(key, (count, 1, 1), minval=low, maxval=high)


def _warped(key: Array, faces: Array, strength: Array) -> Array:
    """Mirrored, shifted, turned, scaled, stretched and sheared; the border goes on outside."""
    count = len(faces)
    keys = jax.random.split(key, 7)
    angle = strength * jnp.deg2rad(
        _uniform(keys[0], count, -ranges.MAX_ROTATION_DEG, ranges.MAX_ROTATION_DEG)
    )
    scale = 1 + strength * (_uniform(keys[1], count, *ranges.SCALE_RANGE) - 1)
    shift = ranges.MAX_SHIFT_PX * strength
    stretch = jnp.exp(strength * _uniform(keys[4], count, -MAX_STRETCH, MAX_STRETCH))
    shear = strength * _uniform(keys[5], count, -MAX_SHEAR, MAX_SHEAR)
    side = jnp.where(jax.random.bernoulli(keys[6], 0.5, (count, 1, 1)), 1.0, -1.0)
    centre = (SIDE - 1) / 2
    down, right = jnp.meshgrid(*[jnp.arange(SIDE) - centre] * 2, indexing="ij")
    # Backwards, from each new pixel to where it comes from.
    x = right - shift * _uniform(keys[2], count, -1, 1)
    y = down - shift * _uniform(keys[3], count, -1, 1)
    x, y = (
        (jnp.cos(angle) * x + jnp.sin(angle) * y) / scale,
        (jnp.cos(angle) * y - jnp.sin(angle) * x) / scale,
    )
    x, y = side * stretch * (x + shear * y), y / stretch
    return _sampled(faces, x + centre, y + centre)


def _sampled(faces: Array, x: Array, y: Array) -> Array:
    """The values of (N, H, W) faces at (N, H, W) places in px, from the four pixels around each."""
    x, y = jnp.clip(x, 0, SIDE - 1), jnp.clip(y, 0, SIDE - 1)
    left, top = (jnp.clip(jnp.floor(value), 0, SIDE - 2) for value in (x, y))
    place = (top * SIDE + left).astype(jnp.int32).reshape(len(faces), -1)
    flat = faces.reshape(len(faces), -1)

    def values(offset: int) -> Array:
        return jnp.take_along_axis(flat, place + offset, axis=1).reshape(faces.shape)

    across, below = x - left, y - top
    upper = values(0) * (1 - across) + values(1) * across
    lower = values(SIDE) * (1 - across) + values(SIDE + 1) * across
    return upper * (1 - below) + lower * below


def _relit(key: Array, faces: Array, strength: Array) -> Array:
    keys = jax.random.split(key)
    contrast = 1 + strength * (_uniform(keys[0], len(faces), *ranges.CONTRAST_RANGE) - 1)
    light = strength * _uniform(keys[1], len(faces), -1, 1) * ranges.MAX_BRIGHTNESS
    mean = faces.mean(axis=(1, 2), keepdims=True)
    return jnp.clip((faces - mean) * contrast + mean + light, 0, 255)


def _degraded(key: Array, faces: Array, share: Array) -> Array:
    """The ``share`` of the faces made coarse, blurred, noisy or blocky, a quarter of them each."""
    count = len(faces)
    keys = jax.random.split(key, 7)
    chosen = jax.random.uniform(keys[0], (count, 1, 1)) < share
    kind = jnp.where(chosen, jax.random.randint(keys[1], (count, 1, 1), 0, 4), -1)
    # Both of the first two are a product with a matrix from the left and from the right.
    coarse = jax.random.choice(keys[2], jnp.asarray(_coarsening()), (count,))
    away = jnp.arange(SIDE)[:, None] - jnp.arange(SIDE)
    blur = jnp.exp(-(away**2) / (2 * _uniform(keys[3], count, *ranges.BLUR_PX) ** 2))
    blur /= blur.sum(axis=2, keepdims=True)
    by = jnp.where(kind == 0, coarse, jnp.where(kind == 1, blur, jnp.eye(SIDE)))
    faces = jnp.einsum("nij,njk,nlk->nil", by, faces, by)
    noise = _uniform(keys[4], count, *ranges.NOISE) * jax.random.normal(keys[5], faces.shape)
    faces += jnp.where(kind == 2, noise, 0)
    quality = _uniform(keys[6], count, *ranges.JPEG_QUALITY)
    return jnp.where(kind == 3, _blocky(faces, quality), faces)


def _coarsening() -> npt.NDArray[np.float32]:
    """For each of the sizes in `augment.COARSE_PX`: the matrix (48, 48) of shrinking a row of
    pixels to it and enlarging it again."""
    pixels = np.eye(SIDE, dtype=np.float32)
    there_and_back = [
        cv2.resize(
            cv2.resize(pixels, (SIDE, side), interpolation=cv2.INTER_AREA),
            (SIDE, SIDE),
            interpolation=cv2.INTER_LINEAR,
        )
        for side in range(*ranges.COARSE_PX)
    ]
    return np.stack(there_and_back).astype(np.float32)


# What JPEG divides the 8x8 frequencies of brightness by at quality 50: ITU-T T.81, table K.1.
_STEPS = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float32,
)


def _blocky(faces: Array, quality: Array) -> Array:
    """What JPEG leaves of the faces at a ``quality`` (N, 1, 1) of 1..100, as libjpeg counts it."""
    scale = jnp.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    steps = jnp.clip(jnp.floor((_STEPS * scale + 50) / 100), 1, 255)[:, None, :, None, :]
    across = SIDE // _BLOCK
    blocks = (jnp.clip(faces, 0, 255) - 128).reshape(-1, across, _BLOCK, across, _BLOCK)
    waves = _cosines()
    strengths = jnp.einsum("ux,nixjy,vy->niujv", waves, blocks, waves)
    rounded = jnp.round(strengths / steps) * steps
    blocks = jnp.einsum("ux,niujv,vy->nixjy", waves, rounded, waves)
    return blocks.reshape(faces.shape) + 128


def _cosines() -> npt.NDArray[np.float32]:
    """The orthonormal discrete cosine transform of 8 values: (frequency, place)."""
    frequency, place = np.mgrid[:_BLOCK, :_BLOCK]
    waves = np.cos((2 * place + 1) * frequency * np.pi / (2 * _BLOCK)) / 2
    waves[0] /= np.sqrt(2)
    return np.asarray(waves, np.float32)


def _erased(key: Array, faces: Array, share: Array) -> Array:
    """The ``share`` of the faces with a rectangle of one random grey level."""
    count = len(faces)
    keys = jax.random.split(key, 6)
    area = _uniform(keys[0], count, *ranges.ERASED_AREA) * SIDE**2
    ratio = jnp.exp(_uniform(keys[1], count, -np.log(3), np.log(3)))
    height = jnp.minimum(jnp.round(jnp.sqrt(area * ratio)), SIDE)
    width = jnp.minimum(jnp.round(jnp.sqrt(area / ratio)), SIDE)
    top = jnp.floor(_uniform(keys[2], count, 0, 1) * (SIDE - height + 1))
    left = jnp.floor(_uniform(keys[3], count, 0, 1) * (SIDE - width + 1))
    y, x = jnp.arange(SIDE)[:, None], jnp.arange(SIDE)[None]
    inside = (y >= top) & (y < top + height) & (x >= left) & (x < left + width)
    inside &= jax.random.bernoulli(keys[4], share, (count, 1, 1))
    return jnp.where(inside, _uniform(keys[5], count, 0, 255), faces)
