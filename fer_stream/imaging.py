"""Pixels: shrinking a frame, cutting a face out of it, widening video's limited range."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fer_stream.types import Box, Frame, GreyImage

# Video's limited range has black at 16 and white at 235 (ITU-R BT.601, section 2.5.3).
_WIDEN: npt.NDArray[np.uint8] = np.clip(
    np.round((np.arange(256) - 16.0) * 255.0 / (235.0 - 16.0)), 0, 255
).astype(np.uint8)


def shrink(grey: GreyImage, long_side: int) -> tuple[GreyImage, float]:
    """Return `grey` shrunk to a long side of `long_side` px, and original px per shrunk px.

    A frame that is small enough comes back as it is. Shrinks bilinearly, halving first: a tenth
    of the cost of area averaging, and as good for finding faces.
    """
    height, width = grey.shape
    factor = max(height, width) / long_side
    if factor <= 1.0:
        return grey, 1.0
    while max(grey.shape) >= 2 * long_side:
        half = (max(grey.shape[1] // 2, 1), max(grey.shape[0] // 2, 1))
        grey = cv2.resize(grey, half)  # type: ignore[assignment]
    size = (max(round(width / factor), 1), max(round(height / factor), 1))
    if (grey.shape[1], grey.shape[0]) != size:
        grey = cv2.resize(grey, size)  # type: ignore[assignment]
    return grey, factor


def widened(grey: GreyImage) -> GreyImage:
    """Return video's limited-range grey, black 16 and white 235, as 0..255."""
    return cv2.LUT(grey, _WIDEN)  # type: ignore[return-value]


def crop_face(frame: Frame, box: Box, size: tuple[int, int]) -> GreyImage:
    """Cut a face from the full-resolution grey image for a classifier.

    Args:
        frame: The frame.
        box: The face; widened about its centre to the proportions of `size`, padded by repeating
            the frame's edge where it reaches out of the frame, so that the face's own proportions
            never change.
        size: (height, width) in px to deliver.

    Returns:
        (height, width) uint8 grey, 0..255 full range.
    """
    height, width = size
    scale = max(box.width / width, box.height / height)
    wide, high = round(width * scale), round(height * scale)
    left = box.x + (box.width - wide) // 2
    top = box.y + (box.height - high) // 2
    return crop(frame, left, top, (high, wide), size)


def crop(
    frame: Frame, left: int, top: int, extent: tuple[int, int], size: tuple[int, int]
) -> GreyImage:
    """Cut a rectangle of `extent` from a frame, and scale it to `size`, both (height, width) px.

    It may reach out of the frame, whose edge is repeated there. Returns grey, 0..255 full range.
    """
    (high, wide), (height, width) = extent, size
    part = padded(frame.grey, left, top, wide, high)
    # Halves of halves and the mean of the rest: the mean of all, for a tenth of what it costs.
    while part.shape[0] >= 4 * height and part.shape[1] >= 4 * width:
        part = cv2.resize(part, (part.shape[1] // 2, part.shape[0] // 2))  # type: ignore[assignment]
    method = cv2.INTER_AREA if wide > width else cv2.INTER_LINEAR
    small = cv2.resize(part, (width, height), interpolation=method)
    # Widening the small crop instead of the frame costs nothing and errs by under a grey level.
    return small if frame.full_range else widened(small)  # type: ignore[arg-type, return-value]


def padded(grey: GreyImage, left: int, top: int, width: int, height: int) -> GreyImage:
    """Cut a rectangle that may reach out of the image, repeating the edge pixels there."""
    rows, columns = grey.shape
    left = min(max(left, 1 - width), columns - 1)  # at least one pixel to repeat
    top = min(max(top, 1 - height), rows - 1)
    right, bottom = left + width, top + height
    inside = grey[max(top, 0) : bottom, max(left, 0) : right]
    if inside.shape == (height, width):
        return inside
    return cv2.copyMakeBorder(  # type: ignore[return-value]
        inside,
        max(-top, 0),
        max(bottom - rows, 0),
        max(-left, 0),
        max(right - columns, 0),
        cv2.BORDER_REPLICATE,
    )
