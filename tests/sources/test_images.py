"""The images source: a picture, a folder, a glob; stills, or the frames of a film."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_stream.errors import ConfigError, SourceError
from fer_stream.sources.images import ImagesSource
from fer_stream.types import Frame
from tests.clips import Image
from tests.conftest import MakeClip


def write(path: Path, image: Image) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())
    return path


def read(source: ImagesSource) -> list[Frame]:
    source.open()
    frames = list(source.frames())
    source.close()
    return frames


@pytest.fixture
def folder(tmp_path: Path, astronaut: Image) -> Path:
    """Return a folder with three pictures, written in another order than that of their names."""
    for name, side in (("c.jpg", 64), ("a.png", 64), ("b.BMP", 96)):
        write(tmp_path / "pictures" / name, astronaut[:side, :64])
    (tmp_path / "pictures" / "notes.txt").write_text("not a picture")
    return tmp_path / "pictures"


def test_a_folder_is_read_in_the_order_of_names(folder: Path, astronaut: Image) -> None:
    source = ImagesSource(str(folder))
    info = source.open()
    frames = list(source.frames())
    assert [Path(frame.info.source_id).name for frame in frames] == ["a.png", "b.BMP", "c.jpg"]
    assert (info.width, info.height, info.frame_count) == (64, 64, 3)
    assert not info.live
    assert np.array_equal(frames[0].image, astronaut[:64, :64])
    assert np.array_equal(frames[0].grey, cv2.cvtColor(frames[0].image, cv2.COLOR_BGR2GRAY))


def test_a_folders_own_order_does_not_matter(tmp_path: Path, astronaut: Image) -> None:
    names = [f"{number * 37 % 50:02}.png" for number in range(50)]
    for name in names:
        write(tmp_path / name, astronaut[:8, :8])
    for target in (tmp_path, tmp_path / "*.png"):
        frames = read(ImagesSource(str(target)))
        assert [Path(frame.info.source_id).name for frame in frames] == sorted(names)


@pytest.mark.parametrize("target", ["", "*.png"])
def test_numbers_in_names_count_as_numbers(target: str, tmp_path: Path, astronaut: Image) -> None:
    names = ["a.png", "a1.png", "a1 (2).png", "frame_2.png", "frame_10.png", "frame_10b.png"]
    for name in reversed(names):
        write(tmp_path / "film" / name, astronaut[:64, :64])
    frames = read(ImagesSource(str(tmp_path / "film" / target)))
    assert [Path(frame.info.source_id).name for frame in frames] == names


def test_hidden_files_are_no_pictures(folder: Path) -> None:
    (folder / "._a.png").write_bytes(b"Mac OS X")
    assert len(read(ImagesSource(str(folder)))) == 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are Unix's")
def test_a_pipe_in_a_folder_is_no_picture(folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")
    assert len(read(ImagesSource(str(folder)))) == 3


def test_pictures_of_other_kinds_in_a_folder_are_left_out_aloud(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("2.HEIC", "1.gif", "._hidden.heic"):
        (folder / name).write_bytes(b"anything")
    assert len(read(ImagesSource(str(folder)))) == 3
    (told,) = caplog.messages
    assert told.startswith(f"{folder}: 2 pictures left out, such as 1.gif; expected .png, .jpg,")


def test_videos_in_a_folder_of_pictures_are_left_out_aloud(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "talk.MP4").touch()
    assert len(read(ImagesSource(str(folder)))) == 3
    assert caplog.messages == [
        f"{folder}: 1 video left out, such as talk.MP4; give videos one by one"
    ]


@pytest.mark.parametrize("target", ["", "*"])
def test_a_folder_that_is_called_like_a_picture_is_none(target: str, folder: Path) -> None:
    (folder / "notes.txt").unlink()
    (folder / "sub.jpg").mkdir()
    assert len(read(ImagesSource(str(folder / target)))) == 3


def test_two_stars_reach_into_every_folder(tmp_path: Path, astronaut: Image) -> None:
    names = ["1.png", "a/2.png", "a/b/3.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write(tmp_path / name, astronaut[:8, :8])
    frames = read(ImagesSource(str(tmp_path / "**" / "*.png")))
    assert [frame.info.source_id for frame in frames] == [str(tmp_path / name) for name in names]


def test_every_picture_that_cannot_be_read_is_named(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = [folder / "a2.png", folder / "z.png"]
    for path in bad:
        path.write_bytes(b"not a picture")
    with pytest.raises(SourceError, match=r"incomplete: 2 of 5 pictures .* the first is .*a2\.png"):
        read(ImagesSource(str(folder)))
    assert caplog.messages == [f"{p} is not a picture that can be read; left out" for p in bad]


def test_a_folder_without_them_says_nothing(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    read(ImagesSource(str(folder)))
    assert caplog.messages == []


def test_each_still_is_a_source_of_its_own(folder: Path) -> None:
    frames = read(ImagesSource(str(folder)))
    assert all(frame.info.stills for frame in frames)
    assert [frame.info.source_id for frame in frames] == [
        str(folder / name) for name in ("a.png", "b.BMP", "c.jpg")
    ]
    assert [frame.time_s for frame in frames] == [0.0, 1.0, 2.0]


def test_with_fps_the_pictures_are_one_film(folder: Path) -> None:
    source = ImagesSource(str(folder), fps=10.0)
    info = source.open()
    frames = list(source.frames())
    assert not info.stills
    assert info.fps == 10.0
    assert {frame.info.source_id for frame in frames} == {str(folder)}
    assert [frame.time_s for frame in frames] == [0.0, 0.1, 0.2]
    assert [frame.info.session for frame in frames] == [0, 1, 2], "each has another size"


def test_a_glob_takes_what_it_matches(folder: Path) -> None:
    frames = read(ImagesSource(f"{folder}/[ab].*"))
    assert [Path(frame.info.source_id).name for frame in frames] == ["a.png", "b.BMP"]


def test_a_single_picture_is_one_frame(folder: Path) -> None:
    (frame,) = read(ImagesSource(str(folder / "c.jpg")))
    assert frame.info.source_id == str(folder / "c.jpg")


def test_a_picture_whose_name_looks_like_a_glob_is_read(folder: Path) -> None:
    path = (folder / "a.png").rename(folder / "a[1].png")
    assert len(read(ImagesSource(str(path)))) == 1


def test_a_name_with_other_letters_is_read(tmp_path: Path, astronaut: Image) -> None:
    path = write(tmp_path / "Überraschung 驚き.png", astronaut[:32, :32])
    assert len(read(ImagesSource(str(path)))) == 1


@pytest.mark.parametrize("bad", ["0.png", "b.png", "z.png"])
def test_an_unreadable_picture_is_left_out_and_named_at_the_end(bad: str, folder: Path) -> None:
    (folder / bad).write_bytes(b"not a picture")
    source = ImagesSource(str(folder))
    source.open()
    frames = source.frames()
    names = [Path(next(frames).info.source_id).name for _ in range(3)]
    with pytest.raises(SourceError, match=rf"incomplete: 1 of 4 pictures .*{bad}"):
        next(frames)
    assert names == ["a.png", "b.BMP", "c.jpg"]


@pytest.mark.parametrize("content", [b"", b"not a picture"])
def test_pictures_of_which_none_can_be_read_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(SourceError, match=r"a\.png is not a picture that can be read"):
        ImagesSource(str(tmp_path)).open()


@pytest.mark.parametrize("target", ["", "nothing*.png", "nothing.png"])
def test_where_there_are_no_pictures_it_says_so(target: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no pictures at .*; expected a picture, a folder"):
        ImagesSource(str(tmp_path / target)).open()


@pytest.mark.parametrize("target", ["", "*", "*.MP4"])
def test_who_gives_several_videos_is_told_how_they_are_given(
    target: str, clip: MakeClip, tmp_path: Path
) -> None:
    clip("talk.MP4")
    (tmp_path / "talk.MTS").touch()
    with pytest.raises(SourceError, match=r"no pictures at .* videos are given one by one"):
        ImagesSource(str(tmp_path / target)).open()


def test_a_name_that_no_file_can_have_is_an_error_of_ours() -> None:
    with pytest.raises(SourceError, match=r"a{300}.*; expected a picture, a folder"):
        ImagesSource("a" * 300).open()


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ConfigError, match="images needs a picture, a folder or a glob"):
        ImagesSource()
    with pytest.raises(ConfigError, match="fps must be above 0, at most 10000, got 0"):
        ImagesSource("x", fps=0)
    with pytest.raises(ConfigError, match=r"fps must be above 0, at most 10000, got 1e\+12"):
        ImagesSource("x", fps=1e12)
