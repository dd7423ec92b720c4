"""Making frames, for every source."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from fer_stream.media import usual_matrix
from fer_stream.types import BgrImage, Frame, GreyImage, StreamInfo, image_problem
from fer_stream.upright import View

_EIGHT_BIT_LUMA = ("yuv4", "yuvj4", "nv12", "nv16", "nv21", "gray")
# "gray" alone is full range by definition in FFmpeg, as are the yuvj formats.
_FULL_RANGE = ("yuvj", "gray")
_UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED


def new_frame(
    grey: GreyImage, index: int, time_s: float, info: StreamInfo, image: BgrImage | None = None
) -> Frame:
    """Make a frame from arrays, captured now.

    Args:
        grey: (H, W) uint8, 0..255.
        index: Counts from 0.
        time_s: Media time in seconds.
        info: The stream it belongs to.
        image: (H, W, 3) uint8 BGR; without it the picture is the grey one.

    Raises:
        ValueError: `image` is something else.
    """
    if image is not None and (problem := image_problem(image, grey)):
        raise ValueError(problem)  # now: whoever asks for the picture has not made it

    def make_image() -> BgrImage:
        # A copy of the header, so that freezing the picture does not freeze the caller's array.
        return image.view() if image is not None else cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)  # type: ignore[return-value]

    return Frame(grey, index, time_s, datetime.now(UTC), time.monotonic_ns(), info, make_image)


def frame_from_image(image: BgrImage, index: int, time_s: float, info: StreamInfo) -> Frame:
    """Make a frame from a colour picture, (H, W, 3) uint8 BGR."""
    grey: GreyImage = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)  # type: ignore[assignment]
    return new_frame(grey, index, time_s, info, image)


def frame_from_video(
    picture: av.VideoFrame, view: View, index: int, time_s: float, info: StreamInfo
) -> Frame:
    """Make a frame from a decoded picture, seen as it is to be shown, its colour not yet made."""
    grey, full_range = _luma(picture, as_stored=not view.pq)

    def make_image() -> BgrImage:
        return view.of(_coloured(picture))

    return Frame(
        view.of(grey),
        index,
        time_s,
        datetime.now(UTC),
        time.monotonic_ns(),
        info,
        make_image,
        full_range,
    )


def fitting(info: StreamInfo, view: View) -> StreamInfo:
    """Return `info`, or that of a new session when the picture has another size."""
    width, height = view.size
    if (width, height) == (info.width, info.height):
        return info
    return replace(info, width=width, height=height, session=info.session + 1)


def _luma(picture: av.VideoFrame, *, as_stored: bool) -> tuple[GreyImage, bool]:
    """Return the grey image, (H, W) uint8, and whether it is full range.

    `as_stored`: it need not be.
    """
    name = picture.format.name
    if not as_stored or not name.startswith(_EIGHT_BIT_LUMA) or name.endswith(("le", "be")):
        return _converted_luma(picture), True
    plane: Any = picture.planes[0]  # a buffer, which PyAV's types do not say
    # A view: no copy, and the view keeps the picture alive.
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return rows[: picture.height, : picture.width], _is_full_range(picture)


def _is_full_range(picture: av.VideoFrame) -> bool:
    return picture.format.name.startswith(_FULL_RANGE) or picture.color_range == ColorRange.JPEG


def _converted_luma(picture: av.VideoFrame) -> GreyImage:
    # Where FFmpeg knows the matrix, it makes another's luma of it, in five times the time.
    matrix = picture.colorspace
    picture.colorspace = _UNSPECIFIED
    try:
        return picture.to_ndarray(format="gray")  # type: ignore[return-value]  # 8 bits
    finally:
        picture.colorspace = matrix


def _coloured(picture: av.VideoFrame) -> BgrImage:
    """Return a picture's colours, (H, W, 3) uint8 BGR."""
    matrix = picture.colorspace
    if matrix == _UNSPECIFIED:
        matrix = usual_matrix(picture.width, picture.height)
    options: dict[str, Any] = {}
    # FFmpeg takes BT.601 for granted, as PyAV did before 17 whatever the film says.
    if matrix == Colorspace.ITU709 and not picture.format.is_rgb:
        options = {
            "src_colorspace": Colorspace.ITU709,
            "dst_colorspace": Colorspace.ITU709,
            "src_color_range": ColorRange.JPEG if _is_full_range(picture) else ColorRange.MPEG,
            "dst_color_range": ColorRange.JPEG,
        }
    return picture.to_ndarray(format="bgr24", **options)  # type: ignore[return-value]  # 8 bits
