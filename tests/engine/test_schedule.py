"""When the detector is asked, and which frames are analysed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from fer_stream.engine.schedule import AnalysisPace, DetectionSchedule
from fer_stream.testing import make_frame
from fer_stream.types import Box, Frame, Track

ROOM = np.random.default_rng(1).integers(60, 120, (90, 160), dtype=np.uint8)
FACE = Track(Box(70, 30, 20, 20), 1)


def frame(index: int, fps: float = 100.0, picture: npt.NDArray[np.uint8] = ROOM) -> Frame:
    return make_frame(index, index / fps, image=picture)


def with_a_patch(left: int, top: int, size: int = 20) -> npt.NDArray[np.uint8]:
    picture = ROOM.copy()
    picture[top : top + size, left : left + size] = 220
    return picture


def searched(
    count: int,
    fps: float,
    *,
    every: int | None = None,
    tracks: tuple[Track, ...] = (),
    changes: dict[int, npt.NDArray[np.uint8]] | None = None,
    schedule: DetectionSchedule | None = None,
) -> list[int]:
    """Return which of `count` frames are searched; `changes` says from when another is shown."""
    schedule, picture, found = schedule or DetectionSchedule(every), ROOM, []
    for index in range(count):
        picture = (changes or {}).get(index, picture)
        if schedule.due(frame(index, fps, picture), False, tracks):
            found.append(index)
    return found


@pytest.mark.parametrize("every", [None, 1000])
def test_the_first_frame_is_always_searched(every: int | None) -> None:
    assert DetectionSchedule(every).due(frame(7), wanted=False, tracks=[FACE])


@pytest.mark.parametrize("tracks", [(), (FACE,)])
def test_every_nth_frame_is_just_that(tracks: tuple[Track, ...]) -> None:
    changes = {3: with_a_patch(10, 10)}
    found = searched(41, 5.0, every=10, tracks=tracks, changes=changes)
    assert found == [0, 10, 20, 30, 40]
    assert searched(5, 25.0, every=1) == [0, 1, 2, 3, 4]


def test_dropped_frames_count_as_passed() -> None:
    schedule = DetectionSchedule(10)
    due = [i for i in (0, 15, 24, 25) if schedule.due(frame(i), wanted=False, tracks=[])]
    assert due == [0, 15, 25]


@pytest.mark.parametrize(("every", "then"), [(10, [13, 23]), (None, [])])
def test_a_tracker_that_asks_is_answered_at_once_and_the_wait_starts_again(
    every: int | None, then: list[int]
) -> None:
    schedule = DetectionSchedule(every)
    due = [i for i in range(25) if schedule.due(frame(i), wanted=i == 3, tracks=[])]
    assert due == [0, 3, *then]


def test_before_a_still_picture_it_searches_once_a_second() -> None:
    assert searched(76, 25.0) == [0, 25, 50, 75]


@pytest.mark.parametrize("fps", [5.0, 10.0, 12.0, 15.0, 24.0, 25.0, 29.97, 60.0])
@pytest.mark.parametrize("tracks", [(), (FACE,)])
def test_what_comes_into_the_picture_is_searched_for_within_035_s(
    fps: float, tracks: tuple[Track, ...]
) -> None:
    for start in range(1, round(fps)):
        changes = {start: with_a_patch(10, 10)}
        first = next(i for i in searched(200, fps, tracks=tracks, changes=changes) if i >= start)
        assert (first - start) / fps <= 0.35, f"from frame {start}"


def test_what_moves_with_a_known_face_is_nothing_new() -> None:
    moving = {index: with_a_patch(68 + index % 4, 28 + index % 3) for index in range(1, 51)}
    assert searched(51, 25.0, tracks=(FACE,), changes=moving) == [0, 25, 50]
    assert len(searched(51, 25.0, tracks=(), changes=moving)) >= 6


@pytest.mark.parametrize("place", [(60, 30), (90, 30), (70, 20), (70, 60)])
def test_hair_hands_and_shoulders_of_a_known_face_are_nothing_new(place: tuple[int, int]) -> None:
    changes = {5: with_a_patch(*place, size=10)}
    assert searched(26, 25.0, tracks=(FACE,), changes=changes) == [0, 25]
    assert searched(26, 25.0, changes=changes) == [0, 8], "somebody else's are"


@pytest.mark.parametrize(("x", "y"), [(0, 30), (140, 30), (70, 0), (70, 70)])
def test_what_moves_with_a_face_at_the_frames_edge_is_nothing_new(x: int, y: int) -> None:
    changes = {5: with_a_patch(x, y)}
    assert searched(26, 25.0, tracks=(Track(Box(x, y, 20, 20), 1),), changes=changes) == [0, 25]


@pytest.mark.parametrize("size", [(2, 2), (8, 2000), (2000, 8), (48, 64)])
def test_a_picture_of_any_shape_can_be_looked_at(size: tuple[int, int]) -> None:
    schedule = DetectionSchedule()
    shown = [np.full(size, 255 if index else 0, np.uint8) for index in range(10)]
    found = [i for i in range(10) if schedule.due(frame(i, 25.0, shown[i]), False, [FACE])]
    assert found[0] == 0


def test_where_a_face_was_before_the_last_search_a_new_one_is_noticed() -> None:
    schedule = DetectionSchedule()
    assert searched(26, 25.0, tracks=(FACE,), schedule=schedule) == [0, 25]
    shown = {index: with_a_patch(70, 30) if index >= 35 else ROOM for index in range(26, 51)}
    assert [i for i in shown if schedule.due(frame(i, 25.0, shown[i]), False, [])] == [35]


@pytest.mark.parametrize("place", [(110, 30), (30, 30), (70, 0), (70, 75)])
def test_a_second_face_beside_a_known_one_is_searched_for_at_once(place: tuple[int, int]) -> None:
    changes = {20: with_a_patch(*place, size=15)}
    assert searched(26, 25.0, tracks=(FACE,), changes=changes) == [0, 20]


def test_noise_is_nothing_new() -> None:
    noise = np.random.default_rng(2)
    noisy = {
        index: np.clip(ROOM + noise.normal(0, 8, ROOM.shape), 0, 255).astype(np.uint8)
        for index in range(51)
    }
    assert searched(51, 25.0, changes=noisy) == [0, 25, 50]


@pytest.mark.parametrize(("fps", "every"), [(20.0, 7), (25.0, 8), (29.97, 10)])
def test_where_everything_changes_it_searches_about_three_times_a_second(
    fps: float, every: int
) -> None:
    random = np.random.default_rng(3)
    cuts = {i: random.integers(0, 256, (9, 16), dtype=np.uint8).repeat(10, 0) for i in range(51)}
    cuts = {index: picture.repeat(10, 1) for index, picture in cuts.items()}
    assert searched(51, fps, changes=cuts) == list(range(0, 51, every))


def test_two_runs_search_the_same_frames() -> None:
    changes = {11: with_a_patch(10, 10), 30: with_a_patch(50, 60)}
    assert searched(80, 25.0, changes=changes) == searched(80, 25.0, changes=changes)


@pytest.mark.parametrize(
    ("fps", "source_fps", "due"),
    [
        (None, 25.0, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        (25.0, 25.0, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        (60.0, 25.0, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        (5.0, 25.0, [0, 5, 10]),
        (10.0, 25.0, [0, 3, 5, 8, 10]),
        (0.5, 1.0, [0, 2, 4, 6, 8, 10]),
    ],
)
def test_so_many_frames_a_second_are_analysed(
    fps: float | None, source_fps: float, due: list[int]
) -> None:
    pace = AnalysisPace(fps)
    assert [index for index in range(11) if pace.due(frame(index, source_fps))] == due


def test_rounded_time_stamps_lose_no_frame() -> None:
    pace = AnalysisPace(30.0)
    stamps = [round(index / 30, 3) for index in range(300)]  # as Matroska writes them
    assert all(pace.due(make_frame(index, stamp)) for index, stamp in enumerate(stamps))
