"""A film is played as fast as it was taken, and no faster."""

from __future__ import annotations

import pytest

from fer_stream.pace import Pace
from tests.clock import Clock


def test_each_picture_waits_for_its_moment(clock: Clock) -> None:
    pace = Pace(hurries=False)
    assert pace.ahead_s(5.0) == 0.0  # the first, whatever its time
    clock.now_s += 0.1
    assert pace.ahead_s(5.5) == pytest.approx(0.4)
    clock.now_s += 0.6
    assert pace.ahead_s(5.6) == 0.0  # a little late: the next ones catch up
    assert pace.ahead_s(6.0) == pytest.approx(0.3)


@pytest.mark.parametrize("jump_s", [60.0, -60.0])
def test_a_jump_of_the_time_stamps_is_no_reason_to_wait_or_to_hurry(
    clock: Clock, jump_s: float
) -> None:
    pace = Pace(hurries=False)
    pace.ahead_s(100.0)
    clock.now_s += 0.04
    assert pace.ahead_s(100.0 + jump_s) == 0.0
    assert pace.ahead_s(100.5 + jump_s) == pytest.approx(0.5)


@pytest.mark.parametrize(("hurries", "expected"), [(True, 0.0), (False, 0.5)])
def test_after_a_long_wait_a_film_goes_on_as_before_or_catches_up(
    clock: Clock, hurries: bool, expected: float
) -> None:
    pace = Pace(hurries=hurries)
    pace.ahead_s(0.0)
    clock.now_s += 10.0
    pace.ahead_s(1.0)
    assert pace.ahead_s(1.5) == pytest.approx(expected)


def test_a_film_of_a_picture_every_few_seconds_waits_for_each(clock: Clock) -> None:
    pace = Pace(hurries=False)
    for index in range(4):
        waited = pace.ahead_s(index * 4.0)
        assert waited == pytest.approx(4.0 if index else 0.0)
        clock.now_s += waited


def test_pictures_of_now_wait_for_a_second_at_most(clock: Clock) -> None:
    pace = Pace(hurries=True)
    pace.ahead_s(0.0)
    assert pace.ahead_s(0.9) == pytest.approx(0.9)
    assert pace.ahead_s(5.0) == 0.0
