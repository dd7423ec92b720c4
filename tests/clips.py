"""Pictures and video files to test with."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange, Colorspace

Image = npt.NDArray[np.uint8]
"""(H, W, 3) uint8 BGR."""

_TILED_HEIC = (
    b"c-n1Iy-EW?5T4ytyyDOk6@o}etRhyv!J=sdeFx9`Nd~gXavl=91Yf|)+Fpp3Vkb6MzQZ*ZR+cH0IJ>z!<#gEDneW?g"
    b"|7HN77N-|lVY~-qCMxt}0G6pJ^<i$!ZrDrm95e<gRLsNBCz1h37!f|g-XI_ZZ3)8A#yBf7@POys>MyQTmeC<UM(oEH"
    b"3GxjB5jP6bbk76(>>rZ<CGEaWf}u&5HKwXOEJK}WiVvuR0mUKhJz&C6S5{R2fX}b#6ktW1(CIbFTsE5-fiMbTM*WdX"
    b"pB8ub8LO<^G{%e9?}s~+KHqd5L%o>Ek*B0zYO|;0ep}Kt>v*Q4{L3<TPva2nLmkKYM`Oy|M6HS*QSro>3*dGZeBqMF"
    b"Eli@gsBeg>Loz-u6SS1=8MrNWw>Elvea;%UlPdlODKuAm"
)
"""What libheif writes for two grey tiles of 64x64 px side by side; PyAV only reads such files."""


def pan(
    picture: Image, count: int, *, size: tuple[int, int] = (320, 240), step: int = 2
) -> list[Image]:
    """Return `count` views of (width, height) px, each `step` px further to the right.

    The astronaut's face, at 175..273 x 65..163 px of the picture, is in view for 80 px.
    """
    width, height = size
    lefts = [20 + step * (index % 40) for index in range(count)]
    return [picture[10 : 10 + height, left : left + width].copy() for left in lefts]


def write_clip(
    path: Path,
    images: Sequence[Image],
    *,
    fps: int = 25,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    codec: str = "libx264",
    pix_fmt: str = "",
    gop: int = 12,
    pixel_aspect: Fraction | None = None,
    full_range: bool = False,
    matrix: Colorspace | None = None,
    transfer: int | None = None,
    options: Mapping[str, str] | None = None,
) -> Path:
    """Write a video with PyAV.

    Args:
        path: Its ending chooses the container.
        images: BGR pictures of one size; odd sizes are written without colour subsampling.
        fps: Nominal frames per second.
        pts: Time stamps in units of `time_base` (by default 1/`fps`).
        codec: The encoder.
        pix_fmt: By default yuv420p; yuvj420p is the same in full range.
        gop: Frames from one key frame to the next.
        pixel_aspect: Width to height of a pixel, when they are not square.
        full_range: Whether the stream says that it has black at 0, whatever `pix_fmt`.
        matrix: How colours become luma and chroma, without the stream saying so.
        transfer: What the stream says of its levels, FFmpeg's number.
        options: The container's; the default puts an MP4's index first.
    """
    height, width = images[0].shape[:2]
    if options is None:
        options = {"movflags": "faststart"} if path.suffix in (".mp4", ".mov") else {}
    base = time_base or Fraction(1, fps)
    container = av.open(str(path), "w", options=dict(options))
    stream = container.add_stream(codec, rate=fps)
    stream.width, stream.height = width, height
    stream.pix_fmt = pix_fmt or ("yuv444p" if width % 2 or height % 2 else "yuv420p")
    stream.codec_context.time_base = base
    stream.codec_context.gop_size = gop
    if pixel_aspect:
        stream.codec_context.sample_aspect_ratio = pixel_aspect
    if full_range:
        stream.codec_context.color_range = ColorRange.JPEG
    if transfer is not None:
        stream.codec_context.color_trc = transfer
    for picture, stamp in zip(
        encodable(images, stream.pix_fmt, full_range, matrix),
        pts or range(len(images)),
        strict=True,
    ):
        picture.pts, picture.time_base = stamp, base
        container.mux(stream.encode(picture))
    container.mux(stream.encode(None))
    container.close()
    return path


def encodable(
    images: Iterable[Image],
    pix_fmt: str,
    full_range: bool = False,
    matrix: Colorspace | None = None,
) -> Iterable[av.VideoFrame]:
    levels = ColorRange.JPEG if full_range else None
    for image in images:
        picture = av.VideoFrame.from_ndarray(image, format="bgr24")
        yield picture.reformat(format=pix_fmt, dst_color_range=levels, dst_colorspace=matrix)


def write_sound(path: Path, seconds: float = 0.5) -> Path:
    """Write a sound file without pictures."""
    container = av.open(str(path), "w")
    stream = container.add_stream("aac", rate=8000)
    frame = av.AudioFrame.from_ndarray(
        np.zeros((1, round(8000 * seconds)), np.float32), format="fltp", layout="mono"
    )
    frame.sample_rate = 8000
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
    container.close()
    return path


def write_tiled_heic(path: Path) -> Path:
    """Write a picture as telephones do: in tiles, each a stream of its own."""
    path.write_bytes(zlib.decompress(base64.b85decode(_TILED_HEIC)))
    return path


def turn_mp4(path: Path, degrees: int, *, mirrored: bool = False) -> Path:
    """Give an MP4's track a display matrix that turns it clockwise, as telephones do.

    `mirrored` is what cameras on their front do: left and right change places after the turn.

    The matrix is in the track header box (ISO/IEC 14496-12, 8.3.2): nine 32-bit numbers, 40 bytes
    behind the start of a version 0 box's content.
    """
    one = 1 << 16
    turn = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}
    a, b, c, d = (number * one for number in turn[degrees])
    if mirrored:
        a, c = -a, -c
    matrix = b"".join(v.to_bytes(4, "big", signed=True) for v in (a, b, 0, c, d, 0, 0, 0, 1 << 30))
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 40
    assert data[start : start + 4] == one.to_bytes(4, "big"), "expected the identity"
    data[start : start + 36] = matrix
    path.write_bytes(data)
    return path


def empty_sample(path: Path, number: int) -> Path:
    """Make a picture of a MOV an empty one, which says that the last is shown on.

    Its data goes to the next picture's, behind whose end a JPEG decoder does not look. The sizes
    are a table in the box stsz (ISO/IEC 14496-12, 8.7.3): 32-bit numbers, 16 bytes behind its name.
    """
    data = bytearray(path.read_bytes())
    start = data.index(b"stsz") + 16 + 4 * number
    own, following = (int.from_bytes(data[at : at + 4], "big") for at in (start, start + 4))
    assert min(own, following) > 0, "expected a table of sizes"
    data[start : start + 8] = (own + following).to_bytes(8, "big")
    path.write_bytes(data)
    return path


def damage(path: Path, share: float, length: int, seed: int = 0) -> Path:
    """Overwrite `length` bytes at `share`, 0..1, of a file with noise."""
    data = bytearray(path.read_bytes())
    start = round(len(data) * share)
    data[start : start + length] = np.random.default_rng(seed).bytes(length)
    path.write_bytes(data)
    return path


def cut(path: Path, share: float) -> Path:
    """Keep the first `share`, 0..1, of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: round(len(data) * share)])
    return path
