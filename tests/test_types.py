"""Values are checked where they are made, and cannot be changed afterwards."""

from __future__ import annotations

import copy
import pickle
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, asdict, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from fer_stream.testing import make_face, make_frame, make_scores
from fer_stream.types import Box, EmotionScores, Face, Frame, StreamInfo

INFO = StreamInfo("x", 4, 3)


def frame(**changes: Any) -> Frame:
    values: dict[str, Any] = {
        "grey": np.zeros((3, 4), np.uint8),
        "index": 0,
        "time_s": 0.0,
        "captured_at": datetime.now(UTC),
        "captured_ns": 0,
        "info": INFO,
        "make_image": lambda: np.zeros((3, 4, 3), np.uint8),
    }
    return Frame(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"grey": np.zeros((3, 4, 3), np.uint8)}, r"grey must be \(H, W\) uint8, got \(3, 4, 3\)"),
        ({"grey": np.zeros((3, 4), np.float32)}, "got .* float32"),
        ({"captured_at": datetime(2024, 1, 1)}, "captured_at must be an aware datetime"),
    ],
)
def test_a_wrong_frame_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        frame(**changes)


def test_a_picture_is_made_once_and_only_when_asked_for() -> None:
    calls = []

    def make_image() -> np.ndarray:
        calls.append(1)
        return np.zeros((3, 4, 3), np.uint8)

    one = frame(make_image=make_image)
    assert calls == []
    assert one.image is one.image
    assert calls == [1]
    assert not one.image.flags.writeable


def test_sinks_that_ask_for_a_picture_at_the_same_moment_share_one() -> None:
    calls = []

    def make_image() -> np.ndarray:
        calls.append(1)
        time.sleep(0.05)  # FFmpeg converts outside Python's lock, as a sleep waits
        return np.zeros((3, 4, 3), np.uint8)

    one = frame(make_image=make_image)
    with ThreadPoolExecutor(3) as sinks:
        images = list(sinks.map(lambda _: one.image, range(3)))
    assert calls == [1]
    assert all(image is images[0] for image in images)


def test_freezing_a_frames_picture_leaves_the_callers_array_writable() -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    assert not make_frame(image=image).image.flags.writeable
    image[0, 0] = 1


@pytest.mark.parametrize("size", [(0, 3), (4, 0), (-4, 3)])
def test_a_stream_has_a_size(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="stream size must be positive"):
        StreamInfo("x", *size)


@pytest.mark.parametrize("box", [(-1, 0, 1, 1), (0, -1, 1, 1), (0, 0, 0, 1), (0, 0, 1, 0)])
def test_a_box_that_is_no_rectangle_is_refused(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="not a box inside a frame"):
        Box(*box)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ((10.4, 10.6, 20.0, 20.0), (10, 11, 20, 20)),
        ((-5.0, -5.0, 20.0, 20.0), (0, 0, 15, 15)),
        ((50.0, 40.0, 20.0, 20.0), (50, 40, 14, 8)),
        ((-50.0, 5.0, 20.0, 20.0), (0, 5, 1, 20)),
        ((500.0, 500.0, 20.0, 20.0), (63, 47, 1, 1)),
        ((10.0, 10.0, 0.1, 0.1), (10, 10, 1, 1)),
        ((-9.0, -9.0, 900.0, 900.0), (0, 0, 64, 48)),
    ],
)
def test_a_box_is_cut_to_its_frame(
    asked: tuple[float, ...], given: tuple[int, int, int, int]
) -> None:
    assert Box.inside(*asked, make_frame()) == Box(*given)


def test_scores_name_the_highest() -> None:
    scores = EmotionScores(("a", "b"), np.array([0.25, 0.75], np.float32))
    assert (scores.top, scores.top_index, scores.top_score) == ("b", 1, 0.75)
    assert scores.as_dict() == {"a": 0.25, "b": 0.75}


@pytest.mark.parametrize("shown", [-1, 2])
def test_what_is_to_be_shown_is_one_of_the_labels(shown: int) -> None:
    with pytest.raises(ValueError, match=f"shown must be the index of a label, got {shown}"):
        EmotionScores(("a", "b"), np.array([0.25, 0.75], np.float32), shown=shown)


def test_scores_name_what_is_to_be_shown() -> None:
    scores = EmotionScores(("a", "b"), np.array([0.25, 0.75], np.float32), shown=0)
    assert (scores.top, scores.top_score) == ("a", 0.25)


@pytest.mark.parametrize(
    ("shown", "below", "word"),
    [
        (None, 0.0, "b"),
        (None, 0.75, "b"),
        (None, 0.76, "uncertain"),
        (0, 0.25, "a"),
        (0, 0.5, "uncertain"),
    ],
)
def test_a_person_reads_no_emotion_under_the_models_threshold(
    shown: int | None, below: float, word: str
) -> None:
    values = np.array([0.25, 0.75], np.float32)
    scores = EmotionScores(("a", "b"), values, shown, below)
    assert scores.word == word
    assert scores.uncertain == (word == "uncertain")
    assert scores.top == ("b" if shown is None else "a"), "for who wants to know all the same"


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ([0.5, 0.25, 0.25], "2 labels but probabilities of shape"),
        ([0.5, 0.6], "must sum to 1, got 1.1"),
        ([float("nan"), 1.0], "must sum to 1, got nan"),
        ([0.0, 0.0], "must sum to 1"),
    ],
)
def test_wrong_scores_are_refused(values: list[float], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        EmotionScores(("a", "b"), np.array(values, np.float32))


@pytest.mark.parametrize(
    ("value", "field"),
    [(INFO, "width"), (make_frame(), "index"), (Box(0, 0, 1, 1), "x"), (make_face(), "box")],
)
def test_values_are_frozen(value: Any, field: str) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(value, field, 7)


def test_values_compare_by_what_they_hold() -> None:
    assert Box(1, 2, 3, 4) == Box(1, 2, 3, 4)
    assert replace(INFO, session=1) != INFO
    assert make_scores("sad") == make_scores("sad")
    others = (make_scores("happy"), replace(make_scores("sad"), shown=0), "sad")
    assert all(make_scores("sad") != other for other in others)
    assert len({make_face("sad"), make_face("sad"), make_face("happy")}) == 2


@pytest.mark.parametrize(
    ("score", "labels"), [(2.0, ("happy", "sad")), (-0.5, ("happy", "sad")), (0.7, ("happy",))]
)
def test_scores_that_cannot_be_are_not_made(score: float, labels: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="score must be from 0 to 1, of a single label 1; got"):
        make_scores("happy", score, labels=labels)


def test_the_score_of_a_single_label_is_1() -> None:
    assert make_scores("happy", 1.0, labels=("happy",)).as_dict() == {"happy": 1.0}


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda face: pickle.loads(pickle.dumps(face))])
def test_a_face_can_be_copied_and_pickled(copied: Callable[[Face], Face]) -> None:
    face = make_face("sad", box=Box(1, 2, 3, 4))
    other = copied(face)
    assert other == face
    assert (other.box, other.track_id, other.scores.top) == (face.box, face.track_id, "sad")
    assert other.scores.as_dict() == face.scores.as_dict() == _scores(asdict(face))


def _scores(face: dict[str, Any]) -> dict[str, float]:
    return dict(zip(face["scores"]["labels"], face["scores"]["probabilities"], strict=True))


def test_a_picture_whose_colours_do_not_fit_is_refused_by_its_frames_name() -> None:
    one = frame(make_image=lambda: np.zeros((3, 5, 3), np.uint8))
    for _ in range(2):
        with pytest.raises(ValueError, match=r"^frame 0 of .*: image must be \(3, 4, 3\) uint8"):
            _ = one.image
