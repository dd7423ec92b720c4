"""Turned heads: the face is on the side that it should be, and none is seen from behind."""

from __future__ import annotations

import numpy as np
import pytest
from fer_stream_training.detector.heads import Head, head_bank
from fer_stream_training.detector.patches import SIDE, WIDE

SQUARE = slice((WIDE - SIDE) // 2, (WIDE + SIDE) // 2)
WHITE, BLACK = (np.full((SIDE, SIDE), grey, np.uint8) for grey in (255, 0))


@pytest.fixture(scope="module")
def turned() -> list[Head]:
    return head_bank(np.random.default_rng(1), 40)


@pytest.fixture(scope="module")
def away() -> list[Head]:
    return head_bank(np.random.default_rng(1), 20, away=True)


def face_share(head: Head) -> np.ndarray:
    """Return how much of each pixel comes from the face, (96, 96) float 0..1."""
    seen = [head.with_face(face, np.random.default_rng(2)).astype(float) for face in (WHITE, BLACK)]
    return np.asarray((seen[0] - seen[1]) * (head.mask > 128) / 255)


def test_a_turned_head_shows_the_face_and_one_turned_away_does_not(
    turned: list[Head], away: list[Head]
) -> None:
    seen, unseen = (
        np.mean([face_share(head)[SQUARE, SQUARE].mean() for head in heads])
        for heads in (turned, away)
    )
    assert seen > 0.35
    assert unseen < 0.1


def test_the_square_frames_the_face(turned: list[Head]) -> None:
    """Where the face's middle lies, on average of all heads and for each."""
    across, down = [], []
    for head in turned:
        share = face_share(head)
        rows, columns = np.mgrid[:WIDE, :WIDE] - (WIDE - 1) / 2
        inside = np.abs(rows) < SIDE / 2  # below the square there is a neck
        weight = share * inside
        across.append(float((weight * columns).sum() / weight.sum()))
        down.append(float((weight * rows).sum() / weight.sum()))
    assert np.abs(across).max() < SIDE * 0.25
    assert abs(np.mean(across)) < SIDE * 0.05
    assert abs(np.mean(down)) < SIDE * 0.15


def test_heads_look_to_either_side(turned: list[Head]) -> None:
    """The half of the head that is more of a face is where it looks to."""
    looks = [face_share(head)[SQUARE].sum(axis=0) for head in turned]
    leans = [half[WIDE // 2 :].sum() - half[: WIDE // 2].sum() for half in looks]
    assert 8 < sum(lean > 0 for lean in leans) < 32


def test_the_same_seed_makes_the_same_heads(turned: list[Head]) -> None:
    again = head_bank(np.random.default_rng(1), 2)
    for one, other in zip(turned, again, strict=False):
        np.testing.assert_array_equal(one.x, other.x)
        np.testing.assert_array_equal(one.mask, other.mask)


def test_what_is_seen_beside_the_cheeks_comes_from_the_face(turned: list[Head]) -> None:
    """FER-2013's pictures often show something else there."""
    half = SIDE / 2
    for head in turned:
        assert np.abs(head.x - (WIDE - 1) / 2).max() < 0.75 * half
