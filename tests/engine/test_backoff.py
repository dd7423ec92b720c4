"""What failed is tried again after 1 to 30 s."""

from __future__ import annotations

import pytest

from fer_stream.engine.backoff import Backoff


def test_waits_double_from_1_to_30_s_and_are_cut_by_a_fifth_at_most() -> None:
    backoff = Backoff()
    for longest_s in (1, 2, 4, 8, 16, 30, 30):
        assert 0.8 * longest_s <= backoff.wait_s() <= longest_s


def test_those_that_failed_together_do_not_come_back_together() -> None:
    assert len({Backoff().wait_s() for _ in range(20)}) > 1


@pytest.mark.parametrize(("worked_s", "longest_s"), [(9.9, 8), (10.0, 1)])
def test_what_worked_for_10_s_starts_again_with_the_first_wait(
    worked_s: float, longest_s: float
) -> None:
    backoff = Backoff()
    for _ in range(3):
        backoff.wait_s()
    assert 0.8 * longest_s <= backoff.wait_s(worked_s) <= longest_s
    assert backoff.wait_s() > longest_s, "from there on they double again"
