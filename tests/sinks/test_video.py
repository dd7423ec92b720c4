"""The video sink: every frame at its own time, playable by others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from fer_stream.draw import colour_of
from fer_stream.errors import ConfigError, SinkError
from fer_stream.frames import frame_from_image
from fer_stream.sinks.video import VideoSink
from fer_stream.testing import make_result
from fer_stream.types import RunInfo, StreamInfo
from tests.sinks.writing import write_all

FACE = ((60, 60, 100, 100), "happy")
SIZE = (320, 240)


def film(path: Path, run: RunInfo, *results: Any, **options: Any) -> None:
    write_all(VideoSink(str(path), **options), run, results)


def decoded(path: Path) -> list[tuple[float, Any]]:
    """Return (seconds, (H, W, 3) BGR) for each picture."""
    with av.open(str(path)) as container:
        return [
            (float(picture.time), picture.to_ndarray(format="bgr24"))
            for picture in container.decode(video=0)
        ]


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov", ".MP4"])
def test_frames_keep_their_own_uneven_times_to_the_millisecond(
    tmp_path: Path, run_info: RunInfo, make: Any, ending: str
) -> None:
    times = [0.0, 0.040, 0.0413, 0.1, 0.5, 0.501, 2.25, 2.2834, 9.0]
    path = tmp_path / f"out{ending}"
    film(path, run_info, *(make(i, size=SIZE, time_s=t) for i, t in enumerate(times)))
    assert [t for t, _ in decoded(path)] == pytest.approx(times, abs=0.001)


def test_the_drawn_box_and_the_picture_are_seen_in_the_film(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    path = tmp_path / "out.mp4"
    film(path, run_info, *(make(i, FACE, size=SIZE, grey=90) for i in range(10)), crf=10)
    pictures = decoded(path)
    assert len(pictures) == 10
    # The caption's field is the largest area of the colour; 4:2:0 colour blurs thin lines.
    near = np.abs(pictures[-1][1].astype(int) - colour_of("happy")).max(axis=2) < 40
    assert near.sum() > 500
    assert np.abs(pictures[-1][1][110, 110].astype(int) - 90).max() < 6, "inside the box"
    assert np.abs(pictures[-1][1][230, 310].astype(int) - 90).max() < 6, "far from the face"


@pytest.mark.parametrize(
    ("size", "matrix", "luma"), [(SIZE, 5, 106), ((1280, 720), 1, 95)], ids=["BT.601", "BT.709"]
)
def test_colours_are_those_of_the_picture_and_the_film_says_how_it_stores_them(
    tmp_path: Path, run_info: RunInfo, size: tuple[int, int], matrix: int, luma: int
) -> None:
    image = np.full((size[1], size[0], 3), (40, 60, 220), np.uint8)
    info = StreamInfo("clip.mp4", *size, fps=25.0)
    path = tmp_path / "out.mp4"
    film(path, run_info, make_result([], frame=frame_from_image(image, 0, 0.0, info)), crf=4)
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.colorspace == matrix
        picture = next(container.decode(video=0))
    assert abs(int(picture.to_ndarray()[100, 100]) - luma) <= 1


@pytest.mark.parametrize(
    ("size", "expected"), [((321, 241), (320, 240)), ((33, 18), (32, 18)), ((1, 1), (2, 2))]
)
def test_odd_sizes_lose_at_most_a_row_and_a_column(
    tmp_path: Path,
    run_info: RunInfo,
    make: Any,
    size: tuple[int, int],
    expected: tuple[int, int],
) -> None:
    path = tmp_path / "out.mp4"
    film(path, run_info, *(make(i, size=size) for i in range(3)))
    pictures = decoded(path)
    assert len(pictures) == 3
    assert pictures[0][1].shape == (expected[1], expected[0], 3)


def test_a_size_change_is_fitted_and_time_goes_on(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    path = tmp_path / "out.mp4"
    before = [make(i, FACE, size=SIZE) for i in range(5)]
    after = [make(i, FACE, size=(200, 300), session=1) for i in range(5, 10)]
    film(path, run_info, *before, *after)
    pictures = decoded(path)
    assert len(pictures) == 10
    assert {p.shape for _, p in pictures} == {(240, 320, 3)}


@pytest.mark.parametrize(
    ("size", "across", "down"),
    [((240, 480), (100, 220), (0, 240)), ((640, 120), (0, 320), (90, 150))],
    ids=["upright", "wide"],
)
def test_a_picture_of_another_shape_is_not_distorted(
    tmp_path: Path,
    run_info: RunInfo,
    make: Any,
    size: tuple[int, int],
    across: tuple[int, int],
    down: tuple[int, int],
) -> None:
    path = tmp_path / "out.mp4"
    film(path, run_info, make(0, size=SIZE), make(1, size=size, grey=200), crf=10)
    light = decoded(path)[1][1].max(axis=2) > 100
    columns, rows = np.flatnonzero(light.any(axis=0)), np.flatnonzero(light.any(axis=1))
    assert (columns[0], columns[-1] + 1) == pytest.approx(across, abs=2)
    assert (rows[0], rows[-1] + 1) == pytest.approx(down, abs=2)


def test_every_single_picture_is_shown_for_a_second(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    path = tmp_path / "out.mp4"
    pictures = [make(i, size=SIZE, fps=None, time_s=float(i), stills=True) for i in range(3)]
    film(path, run_info, *pictures)
    with av.open(str(path)) as container:
        assert container.duration == pytest.approx(3.0 * av.time_base, rel=0.001)


def test_a_session_that_starts_its_time_again_goes_on_in_the_film(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    path = tmp_path / "out.mp4"
    results = [make(i, size=SIZE, time_s=i % 5 / 25, session=i // 5) for i in range(10)]
    film(path, run_info, *results)
    times = [t for t, _ in decoded(path)]
    assert times == pytest.approx([i / 25 for i in range(10)], abs=0.001)


def test_pictures_of_several_folders_are_shown_for_a_second_each(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    results = [
        make(i, size=SIZE, fps=None, time_s=float(i), source=f"{folder}/{i}.jpg", stills=True)
        for i in range(2)
        for folder in ("a", "b")
    ]
    film(tmp_path / "out.mp4", replace(run_info, sources=("a", "b")), *results)
    times = [t for t, _ in decoded(tmp_path / "out-pictures.mp4")]
    assert times == pytest.approx([0.0, 1.0, 2.0, 3.0], abs=0.001)


def test_several_sources_have_a_file_each_numbered_in_their_order(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    run = replace(run_info, sources=("first.mp4", "second.mp4"))
    # The second source happens to deliver first.
    results = [
        make(i, size=size, source=source)
        for i in range(3)
        for source, size in (("second.mp4", (64, 48)), ("first.mp4", SIZE))
    ]
    film(tmp_path / "out.mp4", run, *results)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out-1.mp4", "out-2.mp4"]
    assert [p.shape for _, p in decoded(tmp_path / "out-1.mp4")] == [(240, 320, 3)] * 3
    assert [p.shape for _, p in decoded(tmp_path / "out-2.mp4")] == [(48, 64, 3)] * 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_film_that_cannot_be_finished_costs_the_others_nothing(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    (tmp_path / "out-1.mp4").symlink_to("/dev/full")
    sink = VideoSink(str(tmp_path / "out.mp4"))
    sink.open(replace(run_info, sources=("first.mp4", "second.mp4")))
    for index in range(3):
        sink.write(make(index, size=SIZE, source="first.mp4"))
        sink.write(make(index, size=SIZE, source="second.mp4"))
    with pytest.raises(SinkError, match=r"video cannot finish .*out-1\.mp4: No space left"):
        sink.close()
    assert len(decoded(tmp_path / "out-2.mp4")) == 3


def test_single_pictures_beside_a_film_share_a_file_of_their_own(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    run = replace(run_info, sources=("clip.mp4", "holiday"))
    results = [
        make(0, size=SIZE),
        make(0, size=SIZE, source="holiday/a.jpg", stills=True, time_s=0.0),
        make(1, size=SIZE, source="holiday/b.jpg", stills=True, time_s=1.0),
    ]
    film(tmp_path / "out.mp4", run, *results)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out-1.mp4", "out-pictures.mp4"]
    assert len(decoded(tmp_path / "out-pictures.mp4")) == 2


@pytest.mark.parametrize("fps", [25.0, 60_000.0], ids=["true rate", "wrong rate"])
def test_what_was_written_can_be_read_before_the_file_is_finished(
    tmp_path: Path, run_info: RunInfo, make: Any, fps: float
) -> None:
    path = tmp_path / "out.mp4"
    sink = VideoSink(str(path))
    sink.open(run_info)
    for index in range(250):  # 10 s
        sink.write(make(index, FACE, size=SIZE, fps=fps, time_s=index / 25))
    assert decoded(path)[-1][0] >= 9.96 - 3.0
    sink.close()
    assert decoded(path)[-1][0] == pytest.approx(9.96, abs=0.001)


def test_a_run_that_ends_before_its_first_frame_ends_without_an_error(
    tmp_path: Path, run_info: RunInfo
) -> None:
    film(tmp_path / "out.mp4", run_info)


@pytest.mark.parametrize("name", ["out.avi", "out", "out.txt", "mp4"])
def test_another_ending_is_refused_at_once(name: str) -> None:
    with pytest.raises(ConfigError, match=r"expected a name in \.mp4, \.mkv or \.mov"):
        VideoSink(name)


def test_a_missing_folder_is_named_and_not_made(tmp_path: Path, run_info: RunInfo) -> None:
    with pytest.raises(SinkError, match="no such folder"):
        VideoSink(str(tmp_path / "missing" / "out.mp4")).open(run_info)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_its_place_is_an_error_in_words(tmp_path: Path, run_info: RunInfo) -> None:
    (tmp_path / "out.mp4").mkdir()
    with pytest.raises(SinkError, match="video cannot write"):
        VideoSink(str(tmp_path / "out.mp4")).open(run_info)


def test_wrong_options_are_refused_at_once() -> None:
    with pytest.raises(ConfigError, match=r"video:out\.mp4"):
        VideoSink("")
    with pytest.raises(ConfigError, match="crf must be 0 to 51, got 52"):
        VideoSink("out.mp4", crf=52)
