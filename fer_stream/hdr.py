"""Levels of HDR pictures, as a screen without HDR shows them."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fer_stream.types import BgrImage, GreyImage

PQ = 16
"""FFmpeg's number for the levels of HDR10 and of Dolby Vision's films, SMPTE ST 2084."""

_WHITE_NITS = 203.0  # HDR's white of paper, and the brightest here (ITU-R BT.2408)
_SCREEN_GAMMA = 2.4  # ITU-R BT.1886


def _from_pq() -> npt.NDArray[np.uint8]:
    """Return what each of PQ's 256 levels is on such a screen, (256,) uint8."""
    root = (np.arange(256) / 255.0) ** (32 / 2523)
    light = np.maximum(root - 3424 / 4096, 0) / (2413 / 128 - root * 2392 / 128)
    nits = 10_000.0 * light ** (16384 / 2610)
    levels = np.minimum(nits / _WHITE_NITS, 1.0) ** (1 / _SCREEN_GAMMA)
    return np.round(255.0 * levels).astype(np.uint8)


_FROM_PQ = _from_pq()


def from_pq(image: GreyImage | BgrImage) -> GreyImage:
    """Return a picture in PQ's levels, full range, in those of other pictures.

    Without it all is pale: what other pictures call white is level 148. What is brighter becomes
    white too.
    """
    return cv2.LUT(image, _FROM_PQ)  # type: ignore[return-value]
