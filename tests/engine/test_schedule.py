"""When the detector is asked."""

from __future__ import annotations

import pytest

from fer_stream.engine.schedule import DetectionSchedule
from fer_stream.testing import make_frame
from fer_stream.types import Frame


def frame(index: int, fps: float = 100.0) -> Frame:
    return make_frame(index, index / fps)


def detected(every: int, *, anybody: bool, count: int = 41, fps: float = 100.0) -> list[int]:
    schedule = DetectionSchedule(every)
    return [i for i in range(count) if schedule.due(frame(i, fps), False, anybody)]


def test_the_first_frame_is_always_searched() -> None:
    assert DetectionSchedule(1000).due(frame(7), wanted=False, anybody=True)


def test_with_a_face_every_nth_frame_is_searched() -> None:
    assert detected(10, anybody=True) == [0, 10, 20, 30, 40]


def test_while_nobody_is_there_it_searches_twice_as_often() -> None:
    assert detected(10, anybody=False) == [0, 5, 10, 15, 20, 25, 30, 35, 40]


def test_every_frame_means_every_frame() -> None:
    assert detected(1, anybody=True, count=5) == [0, 1, 2, 3, 4]


def test_a_tracker_that_asks_is_answered_at_once_and_the_count_starts_again() -> None:
    schedule = DetectionSchedule(10)
    due = [i for i in range(25) if schedule.due(frame(i), wanted=i == 3, anybody=True)]
    assert due == [0, 3, 13, 23]


def test_at_a_low_frame_rate_no_face_stays_unseen_for_half_a_second() -> None:
    # 5 frames a second: every 10th frame would be every 2 s.
    assert detected(10, anybody=True, count=9, fps=5.0) == [0, 2, 4, 6, 8]


def test_dropped_frames_count_as_passed() -> None:
    schedule = DetectionSchedule(10)
    assert schedule.due(frame(0), wanted=False, anybody=True)
    assert schedule.due(frame(15), wanted=False, anybody=True)
    assert not schedule.due(frame(24), wanted=False, anybody=True)


@pytest.mark.parametrize("anybody", [True, False])
def test_two_runs_search_the_same_frames(anybody: bool) -> None:
    assert detected(7, anybody=anybody) == detected(7, anybody=anybody)
