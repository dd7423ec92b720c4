"""The demo source, through the real detector and the shipped model."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

import fer_stream
from fer_stream.errors import ConfigError
from fer_stream.sources.demo import CYCLE_S, FPS, PHASES, DemoSource, Phase
from fer_stream.types import Frame, FrameResult


def opened(seconds: float = CYCLE_S) -> DemoSource:
    source = DemoSource(seconds=seconds)
    source.open()
    return source


def frames_of(seconds: float) -> Iterator[Frame]:
    return opened(seconds).frames()


@pytest.fixture(scope="module")
def results() -> list[FrameResult]:
    return list(fer_stream.stream("demo"))


def test_stream_is_announced_as_it_comes() -> None:
    source = DemoSource(seconds=2.0)
    info = source.open()
    frames = list(source.frames())
    assert (info.source_id, info.fps, info.live) == ("demo", FPS, False)
    assert info.frame_count == len(frames) == round(2.0 * FPS)
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert frames[-1].time_s == pytest.approx((len(frames) - 1) / FPS)
    assert {frame.image.shape for frame in frames} == {(info.height, info.width, 3)}


def test_one_face_is_found_and_followed(results: list[FrameResult]) -> None:
    assert np.mean([len(result.faces) == 1 for result in results]) >= 0.95
    assert {face.track_id for result in results for face in result.faces} == {1}


def test_box_is_steady(results: list[FrameResult]) -> None:
    boxes = [face.box for result in results for face in result.faces]
    middles = np.array([(b.x + b.width / 2, b.y + b.height / 2) for b in boxes])
    assert np.abs(np.diff(middles, axis=0)).max() < 0.1 * boxes[0].width
    widths = [box.width for box in boxes]
    assert max(widths) < 1.2 * min(widths)


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.label)
def test_model_reads_each_expression(phase: Phase, results: list[FrameResult]) -> None:
    # By the middle of a phase, smoothing has left the expression before it behind.
    held = results[round(phase.middle_s * FPS) : round(phase.end_s * FPS) + 1]
    words = [face.scores.word for result in held for face in result.faces]
    assert words.count(phase.label) >= 0.9 * len(held), words


def test_phases_follow_each_other() -> None:
    starts = [phase.start_s for phase in PHASES]
    ends = [phase.end_s for phase in PHASES]
    assert starts[0] == 0.0
    assert all(start < end for start, end in zip(starts, ends, strict=True))
    assert all(end < start for end, start in zip(ends, [*starts[1:], CYCLE_S], strict=True))


def test_two_runs_give_the_same_pixels() -> None:
    for one, other in zip(frames_of(3.0), frames_of(3.0), strict=True):
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.grey, other.grey)


def test_what_is_kept_from_frame_to_frame_changes_no_pixel() -> None:
    # The frame after a jump in time must not depend on what was drawn before it.
    source = opened()
    for time_s in (0.6, 2.5, 3.1, 9.0):
        assert np.array_equal(source.draw(time_s), opened().draw(time_s))


def test_nothing_jumps_and_the_end_meets_the_beginning() -> None:
    small = [f.grey[::4, ::4].astype(float) for f in frames_of(CYCLE_S + 1 / FPS)]
    np.testing.assert_array_equal(small[0], small[-1])
    steps = [np.abs(b - a).mean() for a, b in pairwise(small)]
    assert min(steps) > 0, "it never stands still"
    assert max(steps) < 6


@pytest.mark.parametrize(("seconds", "count"), [(0.2, 5), (1.0, 25), (0.001, 1)])
def test_seconds(seconds: float, count: int) -> None:
    source = DemoSource(seconds=seconds)
    assert source.open().frame_count == count
    assert len(list(source.frames())) == count


def test_seconds_reach_the_source_through_its_name() -> None:
    assert len(list(fer_stream.stream("demo?seconds=0.4"))) == 10


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_wrong_seconds_are_refused(seconds: float) -> None:
    with pytest.raises(ConfigError, match="seconds must be above 0"):
        DemoSource(seconds=seconds)


def test_a_target_is_refused() -> None:
    with pytest.raises(ConfigError, match="no target"):
        DemoSource("face.png")
