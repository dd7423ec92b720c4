"""Squares that speak of one face are one."""

from __future__ import annotations

import numpy as np
import pytest

from fer_stream.detectors.squares import merged


@pytest.mark.parametrize(
    ("other", "count"),
    [
        ((50, 50, 20), 1),  # the same
        ((54, 50, 22), 1),
        ((62, 50, 20), 2),  # a neighbour, who overlaps a little
        ((50, 50, 8), 1),  # a part of it, though far smaller
        ((90, 90, 20), 2),
    ],
)
def test_two_that_overlap_are_one_face(other: tuple[float, float, float], count: int) -> None:
    squares = np.array([other, (50, 50, 20)], np.float32)
    places, scores = merged(squares, np.array([0.6, 0.9], np.float32))
    assert scores == pytest.approx([0.9, 0.6][:count])
    assert np.abs(places[0] - (50, 50, 20)).max() < 2


def test_the_surer_counts_for_more() -> None:
    squares = np.array([(50, 50, 20), (52, 50, 22)], np.float32)
    ((x, y, side),), _ = merged(squares, np.array([0.9, 0.3], np.float32))
    assert (x, y, side) == pytest.approx((50.5, 50, 20.5))


def test_a_part_has_no_say_in_where_the_face_is() -> None:
    squares = np.array([(50, 50, 20), (46, 46, 8)], np.float32)
    places, _ = merged(squares, np.array([0.9, 0.8], np.float32))
    assert places.tolist() == [[50, 50, 20]]


def test_a_chain_of_neighbours_keeps_every_other_one() -> None:
    squares = np.array([(10 * i, 0, 25) for i in range(5)], np.float32)
    places, _ = merged(squares, np.array([0.9, 0.8, 0.7, 0.6, 0.5], np.float32))
    assert places[:, 0].tolist() == [0, 20, 40]


def test_nothing_is_nothing() -> None:
    places, scores = merged(np.zeros((0, 3), np.float32), np.zeros(0, np.float32))
    assert places.shape == (0, 3)
    assert scores.shape == (0,)
