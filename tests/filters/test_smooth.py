"""The smooth filter calms scores by time, not by frames."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from fer_stream.errors import ConfigError
from fer_stream.filters.smooth import SmoothFilter
from fer_stream.testing import make_face, make_frame
from fer_stream.types import EmotionScores, Face

LABELS = ("calm", "glad")


def face(glad: float, track_id: int | None = 1) -> Face:
    scores = EmotionScores(LABELS, np.array([1 - glad, glad], np.float32))
    return Face(make_face().box, scores, None, track_id)


def feed(stage: SmoothFilter, time_s: float, glad: float, track_id: int | None = 1) -> Face:
    (out,) = stage.apply(make_frame(round(time_s * 1000), time_s), [face(glad, track_id)])
    return out


def glad(face: Face) -> float:
    return float(face.scores.probabilities[1])


@pytest.mark.parametrize("time", [0.2, 0.4, 2.0])
@pytest.mark.parametrize("fps", [5, 25, 60])
def test_after_the_time_constant_63_percent_of_a_change_came_through(fps: int, time: float) -> None:
    stage = SmoothFilter(time=time)
    feed(stage, 0.0, 0.0)
    frames = round(time * fps)
    for index in range(1, frames + 1):
        out = feed(stage, index / fps, 1.0)
    assert glad(out) == pytest.approx(1 - math.exp(-frames / fps / time), abs=1e-4)
    assert glad(out) == pytest.approx(0.632, abs=0.01)


def test_uneven_frames_give_what_even_ones_give() -> None:
    even, uneven = SmoothFilter(), SmoothFilter()
    for stage in (even, uneven):
        feed(stage, 0.0, 0.2)
    for index in range(1, 21):
        last = feed(even, index * 0.05, 0.9)
    for moment in (0.01, 0.02, 0.3, 0.31, 0.9, 1.0):
        other = feed(uneven, moment, 0.9)
    assert glad(last) == pytest.approx(glad(other), abs=1e-4)


def test_the_first_scores_come_through_unchanged() -> None:
    assert glad(feed(SmoothFilter(), 7.0, 0.8)) == pytest.approx(0.8)


def test_a_lead_within_the_hysteresis_does_not_change_what_is_shown() -> None:
    stage = SmoothFilter(time=0.001, hysteresis=0.1)
    shown = [
        feed(stage, float(second), value).scores.top
        for second, value in enumerate((0.4, 0.54, 0.46, 0.56, 0.46, 0.44, 0.6))
    ]
    assert shown == ["calm", "calm", "calm", "glad", "glad", "calm", "glad"]


def test_what_is_shown_keeps_its_own_score() -> None:
    stage = SmoothFilter(time=0.001, hysteresis=0.2)
    feed(stage, 0.0, 0.4)
    out = feed(stage, 1.0, 0.55)
    assert out.scores.top == "calm"
    assert out.scores.top_score == pytest.approx(0.45, abs=1e-3)
    assert glad(out) == pytest.approx(0.55, abs=1e-3)


def unsure(glad: float, below: float) -> Face:
    one = face(glad)
    return replace(one, scores=replace(one.scores, uncertain_below=below))


def words(stage: SmoothFilter, values: Iterable[float], *, fps: float, below: float) -> list[str]:
    """Return what a person reads at each of a series of scores of `glad`."""
    read = []
    for index, value in enumerate(values):
        (out,) = stage.apply(make_frame(index, index / fps), [unsure(value, below)])
        read.append(out.scores.word)
    return read


def test_uncertain_begins_and_ends_a_hysteresis_beyond_the_threshold() -> None:
    stage = SmoothFilter(time=0.001, hysteresis=0.05)
    values = (0.72, 0.68, 0.66, 0.64, 0.68, 0.72, 0.74, 0.76, 0.69)
    assert words(stage, values, fps=1.0, below=0.7) == [
        *["glad"] * 3,
        *["uncertain"] * 4,
        *["glad"] * 2,
    ]


@pytest.mark.parametrize(
    ("hysteresis", "below"), [(0.5, 0.5), (0.9, 0.5), (0.12, 0.95), (0.5, 0.3)]
)
def test_every_face_can_become_certain_and_uncertain_again(hysteresis: float, below: float) -> None:
    stage = SmoothFilter(time=0.001, hysteresis=hysteresis)
    labels = tuple("abcdefg")
    clear, unclear = np.eye(7, dtype=np.float32)[0], np.full(7, 1 / 7, np.float32)
    read = []
    for index, scores in enumerate((unclear, clear, unclear, clear)):
        one = replace(face(0.0), scores=EmotionScores(labels, scores, uncertain_below=below))
        (out,) = stage.apply(make_frame(index, float(index)), [one])
        read.append(out.scores.word)
    assert read == ["uncertain", "a", "uncertain", "a"]


def test_a_first_score_under_the_threshold_is_uncertain_at_once() -> None:
    assert words(SmoothFilter(), [0.69], fps=1.0, below=0.7) == ["uncertain"]


def test_a_score_that_wavers_about_the_threshold_does_not_flicker() -> None:
    # Half a minute at 25 frames a second, as shaky as a real face's scores.
    noise = np.random.default_rng(0).normal(0.0, 0.1, 750)
    values = np.clip(0.7 + noise, 0.5, 1.0)

    def changes(stage: SmoothFilter) -> int:
        read = words(stage, values, fps=25.0, below=0.7)
        assert set(read) == {"glad", "uncertain"} or len(set(read)) == 1
        return sum(one != other for one, other in pairwise(read))

    without = changes(SmoothFilter(hysteresis=0.0))
    assert without > 30, "the series tests nothing"
    assert changes(SmoothFilter()) <= 3


def labels(stage: SmoothFilter, values: Iterable[float], fps: float) -> list[str]:
    return [feed(stage, index / fps, value).scores.top for index, value in enumerate(values)]


@pytest.mark.parametrize("fps", [10.0, 25.0])
def test_a_steady_face_between_two_emotions_changes_its_label_3_times_in_10_s_at_most(
    fps: float,
) -> None:
    # A minute of scores that waver about a tie, each like the one before, as a face's are.
    random = np.random.default_rng(0)
    values, waver = [], 0.0
    for _ in range(round(60 * fps)):
        waver = 0.5 * waver + random.normal(0.0, 0.06)
        values.append(min(max(0.5 + waver, 0.0), 1.0))

    def per_second(stage: SmoothFilter) -> float:
        shown = labels(stage, values, fps)
        return sum(one != other for one, other in pairwise(shown)) / 60

    assert per_second(SmoothFilter(time=0.001, hysteresis=0.0)) > 1.6, "the series tests nothing"
    assert per_second(SmoothFilter()) <= 0.3


@pytest.mark.parametrize("fps", [5.0, 10.0, 25.0])
@pytest.mark.parametrize(("before", "after"), [(0.02, 0.98), (0.1, 0.8), (0.34, 0.66)])
def test_a_real_change_is_shown_within_half_a_second(
    fps: float, before: float, after: float
) -> None:
    count = round(2 * fps)
    shown = labels(SmoothFilter(), [before] * count + [after] * count, fps)
    # From the first frame that has the new expression to the first that shows it.
    assert (shown.index("glad") - count) / fps <= 0.5
    assert shown.count("calm") == shown.index("glad"), "it stays"


def test_a_model_without_a_threshold_never_becomes_uncertain() -> None:
    read = words(SmoothFilter(), [0.9, 0.1] * 20, fps=25.0, below=0.0)
    assert "uncertain" not in read


def test_tracks_do_not_mix() -> None:
    stage = SmoothFilter()
    for index in range(10):
        frame = make_frame(index)
        one, two = stage.apply(frame, [face(0.9, 1), face(0.1, 2)])
    assert glad(one) == pytest.approx(0.9)
    assert glad(two) == pytest.approx(0.1)


@pytest.mark.parametrize(("gap_s", "remembered"), [(4.9, True), (5.1, False)])
def test_a_track_that_was_gone_for_5_s_starts_afresh(gap_s: float, remembered: bool) -> None:
    stage = SmoothFilter(time=100.0)
    feed(stage, 0.0, 0.0)
    stage.apply(make_frame(1, gap_s / 2), [])
    assert (glad(feed(stage, gap_s, 1.0)) < 0.1) == remembered


def test_what_is_forgotten_takes_no_memory() -> None:
    stage = SmoothFilter()
    for number in range(1000):
        feed(stage, number * 1.0, 0.5, track_id=number + 1)
    assert len(stage._memories) <= 7


def test_nothing_but_the_scores_is_changed() -> None:
    given = replace(face(0.8, 7), confidence=0.9)
    (out,) = SmoothFilter().apply(make_frame(), [given])
    assert (out.box, out.confidence, out.track_id) == (given.box, 0.9, 7)
    assert out.scores.labels == LABELS


def test_faces_without_a_track_pass_unchanged() -> None:
    stage = SmoothFilter()
    for index, value in enumerate((0.1, 0.9)):
        given = face(value, None)
        assert stage.apply(make_frame(index), [given]) == [given]


def test_a_model_with_other_labels_starts_afresh() -> None:
    stage = SmoothFilter()
    stage.apply(make_frame(0), [make_face("happy", 0.9)])
    assert glad(feed(stage, 0.04, 0.3)) == pytest.approx(0.3)


def test_a_time_stamp_that_stands_still_changes_nothing() -> None:
    stage = SmoothFilter()
    feed(stage, 1.0, 0.0)
    assert glad(feed(stage, 1.0, 1.0)) == 0.0


@pytest.mark.parametrize(
    "options",
    [{"time": 0.0}, {"time": -1.0}, {"hysteresis": -0.1}, {"hysteresis": 1.0}, {"target": "x"}],
)
def test_wrong_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="smooth"):
        SmoothFilter(**options)
