"""The file source: every picture, at its own time, upright, and honest about what is lost."""

from __future__ import annotations

import gc
import json
import os
import struct
import sys
import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition
from av.video.reformatter import ColorRange, Colorspace

import fer_stream
from fer_stream.errors import ConfigError, SourceError
from fer_stream.frames import frame_from_video
from fer_stream.imaging import crop_face
from fer_stream.sources.file import FileSource
from fer_stream.types import Box, Frame, StreamInfo
from fer_stream.upright import view_of
from tests.clips import (
    Image,
    cut,
    damage,
    empty_sample,
    turn_mp4,
    write_clip,
    write_sound,
    write_tiled_heic,
)
from tests.conftest import MakeClip
from tests.programs import run

FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}


def read(path: Path) -> tuple[StreamInfo, list[Frame], str]:
    """Return the stream's info, its frames, and the error at its end, if any."""
    source = FileSource(str(path))
    info = source.open()
    frames: list[Frame] = []
    try:
        frames.extend(source.frames())
    except SourceError as error:
        return info, frames, str(error)
    else:
        return info, frames, ""
    finally:
        source.close()


def noise(count: int = 50) -> list[Image]:
    """Return pictures that cannot be compressed, so that a share of a file is one of its frames."""
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (120, 160, 3), dtype=np.uint8) for _ in range(count)]


def test_every_frame_comes_in_order_with_what_the_container_says(face_clip: Path) -> None:
    info, frames, error = read(face_clip)
    assert error == ""
    assert info == StreamInfo(str(face_clip), 320, 240, 25.0, frame_count=40)
    assert [frame.index for frame in frames] == list(range(40))
    assert [frame.time_s for frame in frames] == pytest.approx([i / 25 for i in range(40)])


@pytest.mark.parametrize("name", ["vfr.mp4", "vfr.mkv"])
def test_time_follows_the_containers_time_stamps(name: str, clip: MakeClip) -> None:
    # A screen recording: a burst, a pause, then another rate.
    stamps = [0, 40, 80, 120, 1000, 2500, 2533, 2566, 2600, 6000]
    path = clip(name, noise(10), pts=stamps, time_base=Fraction(1, 1000))
    _, frames, error = read(path)
    assert error == ""
    assert [frame.time_s for frame in frames] == pytest.approx([s / 1000 for s in stamps], abs=1e-6)


def test_a_single_wrong_time_stamp_moves_no_other_picture(clip: MakeClip) -> None:
    path = clip("wrong.mkv", codec="mpeg4", gop=40)
    # A block's head: its track, its time in ms and no flags. No muxer writes a time that falls.
    head, wrong = (b"\x81" + struct.pack(">h", time_ms) + b"\x00" for time_ms in (400, 120))
    data = path.read_bytes()
    assert data.count(head) == 1
    path.write_bytes(data.replace(head, wrong))
    _, frames, _ = read(path)
    assert [frame.time_s for frame in frames] == pytest.approx([i / 25 for i in range(40)])


def test_time_goes_on_where_its_stamps_start_again(clip: MakeClip, tmp_path: Path) -> None:
    part = clip("part.ts").read_bytes()
    (tmp_path / "joined.ts").write_bytes(part * 3)
    _, frames, error = read(tmp_path / "joined.ts")
    assert error == ""
    assert [frame.time_s for frame in frames] == pytest.approx([i / 25 for i in range(120)])


def has_marks(path: Path) -> bool:
    """Return whether FFmpeg marks a packet of a video as damaged."""
    with av.open(str(path)) as container:
        return any(packet.is_corrupt for packet in container.demux(video=0))


def test_parts_of_one_stream_that_were_joined_are_whole(clip: MakeClip, tmp_path: Path) -> None:
    parts = [clip(f"{n}.ts", pts=range(40 * n, 40 * n + 40)).read_bytes() for n in range(3)]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(parts))
    assert has_marks(joined), "each part numbers its packets from 0"
    _, frames, error = read(joined)
    assert (len(frames), error) == (120, "")


def ts_packets(path: Path) -> list[bytes]:
    data = path.read_bytes()
    return [data[start : start + 188] for start in range(0, len(data), 188)]


def beginnings(packets: list[bytes]) -> list[int]:
    """Return with which of an MPEG-TS's packets a frame begins, where the video's ID is 0x100."""
    return [number for number, packet in enumerate(packets) if packet[1:3] == b"\x41\x00"]


@pytest.mark.parametrize("gop", [100, 1], ids=["others follow", "a key frame follows"])
def test_whole_frames_that_a_receiver_lost_are_told(
    clip: MakeClip, tmp_path: Path, gop: int
) -> None:
    packets = ts_packets(clip("whole.ts", codec="mpeg2video", gop=gop))
    begins = beginnings(packets)
    assert len(begins) == 40
    lossy = tmp_path / "lossy.ts"
    lossy.write_bytes(b"".join(packets[: begins[20]] + packets[begins[23] :]))
    _, frames, error = read(lossy)
    assert len(frames) == 37
    assert "(packets are missing); 37 frames read" in error


def test_a_part_of_a_frame_that_its_decoder_does_not_miss_is_told(
    clip: MakeClip, tmp_path: Path
) -> None:
    packets = ts_packets(clip("whole.ts", noise(), codec="libx265", gop=100))
    half = sum(beginnings(packets)[20:22]) // 2
    lossy = tmp_path / "lossy.ts"
    lossy.write_bytes(b"".join(packets[:half] + packets[half + 2 :]))
    _, frames, error = read(lossy)
    assert len(frames) == 50
    assert "(packets are missing)" in error


def test_each_of_joined_parts_keeps_its_own_pauses(clip: MakeClip, tmp_path: Path) -> None:
    stamps = [0, 1, 2, 3, 10, 11, 12, 300, 301, 302]
    part = clip("part.ts", noise(10), pts=stamps)
    (tmp_path / "joined.ts").write_bytes(part.read_bytes() * 2)
    _, frames, _ = read(tmp_path / "joined.ts")
    times = [frame.time_s for frame in frames]
    assert len(times) == 20
    for begin in (0, 10):
        since = [time_s - times[begin] for time_s in times[begin : begin + 10]]
        assert since == pytest.approx([stamp / 25 for stamp in stamps], abs=1e-4)


@pytest.mark.parametrize("codec", ["libx264", "mpeg4", "mjpeg"])
def test_time_in_an_avi_is_its_count_of_moments(codec: str, clip: MakeClip) -> None:
    # AVI has no time stamps; H.264 stores pictures in another order than they are shown in.
    path = clip("count.avi", codec=codec, pix_fmt="yuvj420p" if codec == "mjpeg" else "")
    info, frames, error = read(path)
    assert error == ""
    assert info.frame_count == 40
    assert [frame.time_s for frame in frames] == pytest.approx([i / 25 for i in range(40)])


def test_time_starts_at_zero_however_late_the_stream_starts(clip: MakeClip) -> None:
    path = clip("late.mkv", pts=range(2500, 2540))
    with av.open(str(path)) as container:
        assert container.start_time == 100 * av.time_base, "the clip itself starts late"
    _, frames, error = read(path)
    assert error == ""
    assert [frame.time_s for frame in frames] == pytest.approx([i / 25 for i in range(40)])


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_stream_without_a_container_keeps_the_rate_that_it_says(
    codec: str, clip: MakeClip
) -> None:
    name = {"libx264": "camera.h264", "libx265": "camera.hevc"}[codec]
    info, frames, error = read(clip(name, codec=codec, fps=50))
    assert error == ""
    assert info.fps == 50
    assert [frame.time_s for frame in frames] == pytest.approx([i / 50 for i in range(40)])


def test_raw_dv_has_the_rate_of_its_pictures_and_not_of_its_clock(tmp_path: Path) -> None:
    images = [np.full((576, 720, 3), 5 * index, np.uint8) for index in range(10)]
    info, frames, error = read(write_clip(tmp_path / "tape.dv", images, codec="dvvideo"))
    assert error == ""
    assert (info.fps, info.frame_count) == (25, 10)
    assert [frame.time_s for frame in frames] == pytest.approx([i / 25 for i in range(10)])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are Unix's")
def test_a_named_pipe_is_read_as_it_is_written(clip: MakeClip, tmp_path: Path) -> None:
    film, pipe = clip("clip.ts").read_bytes(), tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(film,), daemon=True)
    writer.start()
    _, frames, error = read(pipe)
    writer.join()
    assert error == ""
    assert [frame.time_s for frame in frames] == pytest.approx([i / 25 for i in range(40)])


def test_of_two_films_in_a_file_the_one_that_players_show_is_read(
    tmp_path: Path, astronaut: Image
) -> None:
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        preview, film = (container.add_stream("mpeg4", rate=25) for _ in range(2))
        # A number: PyAV before 17 takes nothing else.
        preview.disposition, film.disposition = 0, Disposition.default.value  # type: ignore[assignment]
        sizes = {preview: (64, 48), film: (320, 240)}
        for stream, (width, height) in sizes.items():
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(5):
            for stream, (width, height) in sizes.items():
                image = astronaut[:height, :width].copy()
                picture = av.VideoFrame.from_ndarray(image, format="bgr24")
                picture.pts = index
                container.mux(stream.encode(picture))
        for stream in sizes:
            container.mux(stream.encode(None))
    info, frames, error = read(path)
    assert error == ""
    assert (info.width, info.height, len(frames)) == (320, 240, 5)


def test_an_empty_packet_is_no_damage(clip: MakeClip) -> None:
    # Theora has them wherever the last picture stays, and so have recorders that missed one.
    path = clip("stays.mov", codec="mjpeg", pix_fmt="yuvj420p")
    _, frames, error = read(empty_sample(path, 7))
    assert error == ""
    moments = [number for number in range(40) if number != 7]
    assert [frame.time_s for frame in frames] == pytest.approx([i / 25 for i in moments])


def test_a_picture_in_tiles_is_not_read_as_one_of_them(tmp_path: Path) -> None:
    path = write_tiled_heic(tmp_path / "phone.heic")
    with pytest.raises(SourceError, match=r"phone\.heic is a picture in tiles.* convert it"):
        FileSource(str(path)).open()


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_turned_or_mirrored_recording_comes_upright(
    degrees: int, mirrored: bool, clip: MakeClip, astronaut: Image
) -> None:
    upright = astronaut[:240, :320]
    turns = degrees // 90
    seen = upright[:, ::-1] if mirrored else upright
    held = np.ascontiguousarray(np.rot90(seen, turns))  # as the telephone's sensor saw it
    path = turn_mp4(clip(images=[held] * 3), degrees, mirrored=mirrored)
    info, frames, _ = read(path)
    assert (info.width, info.height) == (320, 240)
    for frame in frames:
        assert frame.grey.shape == (240, 320)
        assert np.abs(frame.image.astype(int) - upright).mean() < 6
        assert np.corrcoef(frame.grey.ravel(), upright[..., 1].ravel())[0, 1] > 0.9


def jpeg(image: Image, orientation: int = 1) -> bytes:
    """Return a JPEG file with EXIF data, as cameras write it."""
    data = cv2.imencode(".jpg", image)[1].tobytes()
    # One entry: tag 0x0112, a 16-bit number.
    entries = b"\0\x01" + b"\x01\x12\0\x03\0\0\0\x01" + bytes((0, orientation, 0, 0)) + bytes(4)
    exif = b"Exif\0\0" + b"MM\0*\0\0\0\x08" + entries
    return data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:]


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (6, 1), (3, 2), (8, 3)])
def test_a_picture_with_data_that_pyav_does_not_know_comes_upright(
    tmp_path: Path, astronaut: Image, orientation: int, turns: int
) -> None:
    upright = astronaut[:240, :320]
    held = np.ascontiguousarray(np.rot90(upright, turns))
    path = tmp_path / "photo"
    path.write_bytes(jpeg(held, orientation))
    info, frames, error = read(path)
    assert error == ""
    assert (info.width, info.height) == (320, 240)
    assert np.abs(frames[0].image.astype(int) - upright).mean() < 9


@pytest.mark.parametrize("name", ["one.mp4", "one.gif", "one.jpg"])
def test_a_film_of_one_picture_is_a_still(
    name: str, clip: MakeClip, tmp_path: Path, astronaut: Image
) -> None:
    image = astronaut[:240, :320].copy()
    options = {"codec": "gif", "pix_fmt": "rgb8"} if name.endswith("gif") else {}
    path = tmp_path / name
    if name.endswith("jpg"):
        path.write_bytes(jpeg(image))
    else:
        clip(name, [image], **options)
    info, frames, error = read(path)
    assert (info.stills, len(frames), error) == (True, 1, "")
    (result,) = fer_stream.stream({"use": "file", "target": str(path)})
    assert len(result.faces) == 1, "no second picture is waited for"


def test_pictures_that_follow_unannounced_are_a_film(tmp_path: Path, astronaut: Image) -> None:
    path = tmp_path / "three"
    path.write_bytes(jpeg(astronaut[:240, :320]) * 3)
    info, frames, _ = read(path)
    assert info.stills
    assert [frame.info.stills for frame in frames] == [True, False, False]


@pytest.mark.parametrize("degrees", [0, 90])
@pytest.mark.parametrize(
    ("stored", "pixel_aspect"),
    [
        ((240, 240), Fraction(4, 3)),
        ((320, 120), Fraction(1, 2)),
        ((320, 240), Fraction(1216, 1215)),
    ],
    ids=["HDV", "half the lines", "as good as square"],
)
def test_pixels_that_are_not_square_are_stretched(
    stored: tuple[int, int],
    pixel_aspect: Fraction,
    degrees: int,
    clip: MakeClip,
    astronaut: Image,
) -> None:
    upright = astronaut[:240, :320]
    squeezed: Image = cv2.resize(upright, stored, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    path = turn_mp4(clip(images=[squeezed] * 3, pixel_aspect=pixel_aspect), degrees)
    info, frames, error = read(path)
    assert error == ""
    shown = np.rot90(upright, -degrees // 90)
    assert (info.height, info.width) == shown.shape[:2]
    assert len(frames) == 3
    for frame in frames:
        assert frame.info is info, "no other session"
        assert frame.grey.shape == shown.shape[:2]
        assert np.abs(frame.image.astype(int) - shown).mean() < 9
        assert np.corrcoef(frame.grey.ravel(), shown[..., 1].ravel())[0, 1] > 0.9


@pytest.mark.parametrize("codec", ["mpeg2video", "libx264"])
@pytest.mark.parametrize(
    ("size", "pixel_aspect", "shown"),
    [((180, 144), Fraction(64, 45), (256, 144)), ((240, 180), Fraction(4, 3), (320, 180))],
    ids=["alone", "with their number"],
)
def test_pixels_that_change_their_shape_begin_a_session(
    size: tuple[int, int],
    pixel_aspect: Fraction,
    shown: tuple[int, int],
    codec: str,
    clip: MakeClip,
    astronaut: Image,
) -> None:
    # Television: 4:3, then 16:9.
    parts = []
    for (width, height), shape in (((180, 144), Fraction(16, 15)), (size, pixel_aspect)):
        images = [astronaut[:height, :width]] * 40
        parts.append(clip("part.ts", images, codec=codec, pixel_aspect=shape).read_bytes())
    joined = clip("joined.ts")
    joined.write_bytes(b"".join(parts))
    info, frames, _ = read(joined)
    assert (info.width, info.height) == (192, 144)
    seen = [(frame.info.session, frame.info.width, frame.info.height) for frame in frames]
    assert set(seen) == {(0, 192, 144), (1, *shown)}
    assert seen.count((0, 192, 144)) in (39, 40), "some decoders lose one where parts are joined"


@pytest.mark.parametrize("pixel_aspect", [Fraction(1, 20), Fraction(20)])
def test_a_pixel_shape_that_cannot_be_is_taken_for_square(
    clip: MakeClip, pixel_aspect: Fraction
) -> None:
    path = clip(images=noise(3), pixel_aspect=pixel_aspect)
    with av.open(str(path)) as container:
        assert container.streams.video[0].sample_aspect_ratio == pixel_aspect
    info, _, _ = read(path)
    assert (info.width, info.height) == (160, 120)


@pytest.mark.parametrize(
    ("options", "full_range"),
    [
        ({"pix_fmt": "yuv420p"}, False),
        ({"pix_fmt": "yuv444p"}, False),
        ({"pix_fmt": "yuvj420p"}, True),
        ({"pix_fmt": "yuv420p10le"}, True),  # converted
        ({"codec": "ffv1", "full_range": True}, True),  # the stream alone says so
    ],
)
def test_the_luma_plane_is_the_grey_of_the_colours(
    options: dict[str, Any], full_range: bool, clip: MakeClip, astronaut: Image
) -> None:
    _, frames, error = read(clip("range.mkv", [astronaut[:240, :320]] * 2, **options))
    assert error == ""
    frame = frames[0]
    assert frame.full_range == full_range
    whole = Box(0, 0, 240, 240)
    from_luma = crop_face(frame, whole, (240, 240)).astype(int)
    from_colours = cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY)[:240, :240].astype(int)
    # FFmpeg's own way to colours errs by a level or two.
    assert np.abs(from_luma - from_colours).mean() < 1.6
    assert np.percentile(np.abs(from_luma - from_colours), 99) <= 3
    assert from_luma.min() < 8
    assert from_luma.max() > 247


def in_pq(image: Image) -> Image:
    """Return a picture in the levels of HDR10 (SMPTE ST 2084), its white at 203 cd/m2."""
    light = 0.0203 * (image / 255.0) ** 2.4
    power = light ** (2610 / 16384)
    coded = (3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)
    return np.round(255 * coded ** (2523 / 32)).astype(np.uint8)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv420p10le"])
def test_hdr_comes_in_the_levels_of_other_recordings(
    pix_fmt: str, clip: MakeClip, astronaut: Image
) -> None:
    image = astronaut[:240, :320]
    hdr = clip("hdr.mp4", [in_pq(image)] * 2, pix_fmt=pix_fmt, transfer=16)
    _, frames, _ = read(hdr)
    _, others, _ = read(clip("other.mp4", [image] * 2))
    assert frames[0].full_range
    whole = Box(0, 0, 240, 240)
    seen, expected = (crop_face(f[0], whole, (240, 240)).astype(int) for f in (frames, others))
    # PQ is meant for light, not for luma: where a colour is strong, they differ.
    assert np.abs(seen - expected).mean() < 5
    assert abs(seen.mean() - expected.mean()) < 3
    assert np.abs(frames[0].image.astype(int) - image).mean() < 9


@pytest.mark.parametrize(
    ("size", "matrix"), [((320, 240), Colorspace.ITU601), ((1280, 720), Colorspace.ITU709)]
)
def test_colours_of_which_the_file_says_nothing_are_those_that_players_take(
    size: tuple[int, int], matrix: Colorspace, clip: MakeClip
) -> None:
    image = np.full((size[1], size[0], 3), (40, 60, 220), np.uint8)
    _, frames, _ = read(clip(images=[image] * 2, matrix=matrix))
    assert np.abs(frames[0].image.astype(int) - image).max() <= 5


def test_the_grey_of_ten_bits_is_the_luma_of_eight() -> None:
    image = np.full((64, 64, 3), (40, 60, 220), np.uint8)
    seen = []
    for pix_fmt in ("yuv420p", "yuv420p10le"):
        picture = av.VideoFrame.from_ndarray(image, format="bgr24")
        picture = picture.reformat(format=pix_fmt, dst_colorspace=Colorspace.ITU709)
        picture.colorspace, picture.color_range = Colorspace.ITU709, ColorRange.MPEG
        frame = frame_from_video(picture, view_of(picture, None), 0, 0.0, StreamInfo("x", 64, 64))
        assert np.abs(frame.image.astype(int) - image).max() <= 5, "its colours are untouched"
        seen.append(crop_face(frame, Box(0, 0, 64, 64), (64, 64)).astype(int))
    assert np.abs(seen[0] - seen[1]).max() <= 1


def test_odd_sizes_keep_every_pixel(clip: MakeClip, astronaut: Image) -> None:
    odd = astronaut[:121, :163]
    info, frames, _ = read(clip("odd.mp4", [odd] * 3))
    assert (info.width, info.height) == (163, 121)
    assert frames[0].grey.shape == (121, 163)
    assert frames[0].image.shape == (121, 163, 3)
    assert np.abs(frames[0].image.astype(int) - odd).mean() < 6


def test_pictures_are_made_on_first_use_and_cannot_be_written_to(face_clip: Path) -> None:
    _, frames, _ = read(face_clip)
    image = frames[3].image
    assert frames[3].image is image
    with pytest.raises(ValueError, match="read-only"):
        image[0, 0] = 0


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("options", [None, FRAGMENTED], ids=["plain", "fragmented"])
def test_a_cut_mp4_gives_all_whole_frames_and_says_that_it_is_incomplete(
    share: float, options: dict[str, str] | None, clip: MakeClip
) -> None:
    path = cut(clip("cut.mp4", noise(), options=options), share)
    _, frames, error = read(path)
    assert len(frames) == _whole_packets(path)
    assert round(50 * share) - 2 <= len(frames) <= round(50 * share)
    assert "cut.mp4 is incomplete: " in error
    assert f"; {len(frames)} frames read" in error
    if options is None:
        assert f"{50 - len(frames)} of 50 frames missing" in error


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_a_cut_mkv_gives_all_whole_frames_and_says_that_it_is_incomplete(
    share: float, clip: MakeClip
) -> None:
    path = cut(clip("cut.mkv", noise(), options={}), share)
    _, frames, error = read(path)
    assert len(frames) == _whole_packets(path)
    assert round(50 * share) - 2 <= len(frames) <= round(50 * share)
    assert "cut.mkv is incomplete: the last " in error
    assert " of 2.0 s are missing" in error


def test_an_avi_with_pauses_is_complete_and_a_cut_one_is_not(clip: MakeClip) -> None:
    moments = [*range(10), *range(18, 40), *range(60, 78)]  # what a camera did not give
    path = clip("pauses.avi", noise(), codec="mpeg4", pts=moments)
    _, frames, error = read(path)
    assert error == ""
    assert [round(frame.time_s * 25) for frame in frames] == moments
    _, frames, error = read(cut(path, 0.6))
    assert "pauses.avi is incomplete: " in error
    missing = 77 - moments[len(frames) - 1]
    assert f"{missing} of 78 frames missing; {len(frames)} frames read" in error


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["bad.mp4", "bad.mkv"])
def test_damage_in_the_middle_costs_what_is_damaged_and_is_reported(
    name: str, seed: int, clip: MakeClip
) -> None:
    path = damage(clip(name, noise()), share=0.4 + seed / 50, length=15_000, seed=seed)
    _, frames, error = read(path)
    assert "is incomplete: " in error
    assert len(frames) > 25, "what follows the damage is read too"


def test_damage_that_a_library_of_the_decoder_finds_is_damage_like_any_other(
    clip: MakeClip,
) -> None:
    # A recording of a screen without loss: zlib unpacks it.
    path = damage(clip("bad.avi", noise(), codec="png", pix_fmt="rgb24"), share=0.5, length=1000)
    _, frames, error = read(path)
    assert "is incomplete: " in error
    assert len(frames) >= 48, "what follows the damage is read too"


@pytest.mark.parametrize("seed", range(20))
def test_no_damage_whatever_crashes(seed: int, clip: MakeClip) -> None:
    name = ("bad.mp4", "bad.mkv")[seed % 2]
    path = clip(name)
    random = np.random.default_rng(seed)
    for _ in range(4):
        damage(path, random.random(), int(random.integers(1, 200)), seed)
    try:
        _, frames, _ = read(path)
    except SourceError:
        return  # not even its beginning can be read
    for frame in frames:
        assert frame.image.shape == (*frame.grey.shape, 3)


def test_a_title_that_is_no_unicode_is_no_reason_to_refuse_a_film(clip: MakeClip) -> None:
    path = clip("old.mkv")
    path.write_bytes(path.read_bytes().replace(b"Lavf", b"La\xfff"))  # its writer's name
    assert len(read(path)[1]) == 40


def test_an_mp4_without_its_index_cannot_be_opened(clip: MakeClip) -> None:
    path = cut(clip("cut.mp4", noise(), options={"movflags": "disable_chpl"}), 0.5)
    with pytest.raises(SourceError, match=r"cannot open .*cut\.mp4 as a video: .*; expected a"):
        FileSource(str(path)).open()


def test_a_whole_file_with_a_hidden_start_is_complete(clip: MakeClip) -> None:
    # An edit list, as every editor writes, hides the pictures before its start.
    path = clip("edited.mp4", pts=range(-5, 35))
    _, frames, error = read(path)
    assert error == ""
    assert len(frames) >= 35


def test_a_whole_file_of_which_whole_groups_of_pictures_are_hidden_is_complete(
    clip: MakeClip,
) -> None:
    info, frames, error = read(clip("edited.mp4", noise(), pts=range(-20, 30)))
    assert error == ""
    assert len(frames) == info.frame_count == 30


def test_a_cut_file_of_which_pictures_are_hidden_is_incomplete(clip: MakeClip) -> None:
    path = cut(clip("cut.mp4", noise(), pts=range(-20, 30)), 0.7)
    _, frames, error = read(path)
    assert 12 <= len(frames) <= 16
    assert "cut.mp4 is incomplete: the last 0." in error
    assert f" of 1.2 s are missing; {len(frames)} frames read" in error


def test_a_change_of_size_begins_a_session(
    clip: MakeClip, tmp_path: Path, astronaut: Image
) -> None:
    # MPEG-TS may be joined end to end; what follows has its own size, and its stamps start again.
    first = clip("first.ts", [astronaut[:240, :320]] * 10)
    second = clip("second.ts", [astronaut[:120, :160]] * 10)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    _, frames, _ = read(joined)
    sizes = [(f.info.session, f.info.width, f.info.height, *f.grey.shape) for f in frames]
    assert set(sizes) == {(0, 320, 240, 240, 320), (1, 160, 120, 120, 160)}
    assert sizes == sorted(sizes)
    times = [frame.time_s for frame in frames]
    assert times == sorted(times)
    assert frames[-1].image.shape == (120, 160, 3)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("empty.mp4", b"", "is empty; expected a video file"),
        ("notes.txt", b"these are notes\n" * 100, "has no video stream"),
        ("notes.mp4", b"these are notes\n" * 100, "cannot open .* as a video"),
        ("zeros.mkv", bytes(10_000), "cannot open .* as a video"),
    ],
)
def test_what_is_no_video_is_refused(
    name: str, content: bytes, problem: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=problem) as caught:
        FileSource(str(path)).open()
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "talk.m4a")
    with pytest.raises(SourceError, match=r"talk\.m4a has no video stream"):
        FileSource(str(path)).open()


def test_the_cover_of_a_piece_of_music_is_no_video(tmp_path: Path, astronaut: Image) -> None:
    # An ID3v2.3 tag with an APIC frame, before silent MP3 frames (MPEG-1 layer III, 128 kbit/s).
    jpeg = cv2.imencode(".jpg", astronaut[:64, :64])[1].tobytes()
    content = b"\0image/jpeg\0\x03\0" + jpeg
    frame = b"APIC" + len(content).to_bytes(4, "big") + b"\0\0" + content
    size = bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))
    path = tmp_path / "song.mp3"
    path.write_bytes(b"ID3\x03\0\0" + size + frame + (b"\xff\xfb\x90\x64" + bytes(413)) * 50)
    with av.open(str(path)) as container:
        assert container.streams.video, "FFmpeg calls the cover a video stream"
    with pytest.raises(SourceError, match=r"song\.mp3 has no video stream"):
        FileSource(str(path)).open()


@pytest.mark.parametrize("name", ["2026-11-22T10:00:00.mp4", "a:b.mp4"])
def test_a_colon_in_a_name_is_no_protocol(
    name: str, clip: MakeClip, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clip("plain.mp4").rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    frames = list(fer_stream.stream(name, sink="video:seen:again.mp4"))
    assert len(frames) == len(list(fer_stream.stream("seen:again.mp4"))) > 10


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no such file: .*nowhere\.mp4; check the path"):
        FileSource(str(tmp_path / "nowhere.mp4")).open()


def test_a_name_that_no_file_can_have_is_an_error_of_ours() -> None:
    with pytest.raises(SourceError, match="cannot open aaa"):
        FileSource("a" * 5000).open()


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="as a video"):
        FileSource(str(tmp_path)).open()


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="devices are Unix's")
def test_who_gives_a_device_is_told_how_cameras_are_given() -> None:
    with pytest.raises(SourceError, match=r"/dev/null is a device; expected .* such as 0"):
        FileSource("/dev/null").open()


def test_a_path_is_required() -> None:
    with pytest.raises(ConfigError, match=r"file needs a path, e\.g\. file:talk\.mp4"):
        FileSource()


def test_a_file_can_be_closed_without_having_been_read(
    tmp_path: Path, moving_face: list[Image]
) -> None:
    path = write_clip(tmp_path / "clip.mp4", moving_face[:5])
    source = FileSource(str(path))
    source.open()
    source.close()
    next_one = FileSource(str(path))
    next_one.open()
    frames = next_one.frames()
    next(frames)
    frames.close()
    next_one.close()


def _whole_packets(path: Path) -> int:
    """Return how many of a file's frames are there from the first to the last byte."""
    with av.open(str(path)) as container:
        return sum(p.size > 0 and not p.is_corrupt for p in container.demux(video=0))


def test_pictures_are_let_go_at_once(clip: MakeClip) -> None:
    """Not when Python next looks for cycles: a camera's would be 80 MB until then."""

    def alive() -> int:
        return sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects())

    path = clip()
    gc.collect()
    others = alive()
    source = FileSource(str(path))
    source.open()
    gc.disable()
    try:
        most = max(alive() for _ in source.frames())
    finally:
        gc.enable()
        source.close()
    assert most - others <= 8, "the first, the one that is shown, what the decoder gives at once"


def test_standard_input_is_read_to_its_end(tmp_path: Path, clip: MakeClip) -> None:
    film = clip("talk.mkv")
    with film.open("rb") as piped:
        done = run("run", "--source", "-", "--sink", "jsonl:-", cwd=tmp_path, stdin=piped)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    _, frames, _ = read(film)
    assert [event["frame"] for event in events] == [frame.index for frame in frames]
    assert {event["source"] for event in events} == {"stdin"}


def test_a_terminal_is_no_film(monkeypatch: pytest.MonkeyPatch) -> None:
    _, terminal = os.openpty()
    with os.fdopen(terminal) as keyboard:
        monkeypatch.setattr(sys, "stdin", keyboard)
        with pytest.raises(SourceError, match="standard input is a terminal; expected a video"):
            FileSource("-").open()


def test_no_standard_input_is_no_film(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)  # as Python has it where a shell closed it
    with pytest.raises(SourceError, match="standard input is closed; expected a video"):
        FileSource("-").open()
