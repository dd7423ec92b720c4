"""Episodes start and end when a person would say so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fer_stream.episodes import Episode, EpisodeTracker
from fer_stream.testing import make_face, make_frame, make_result
from fer_stream.types import Face, FrameResult, SourceState, SourceStatus, StreamInfo

START = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)
INFO = StreamInfo("cam", 64, 48, fps=25.0)
FRAME = make_frame(info=INFO)


def at(index: int, *faces: Face, fps: int = 25, **info: Any) -> FrameResult:
    """Make a frame's result, `index / fps` seconds into the stream."""
    seconds = index / fps
    frame = replace(
        FRAME,
        index=index,
        time_s=seconds,
        captured_at=START + timedelta(seconds=seconds),
        info=replace(INFO, **info),
    )
    return make_result(faces, frame=frame)


def shows(emotion: str, track_id: int | None = 1, score: float = 0.7) -> Face:
    """Make a face."""
    return make_face(emotion, score, track_id=track_id)


def words(episodes: Iterable[Episode]) -> list[tuple[Any, ...]]:
    """Return of each episode: track, emotion, first frame, begin and end in s."""
    return [(e.track_id, e.emotion, e.first_frame, e.begin_s, e.end_s) for e in episodes]


def play(tracker: EpisodeTracker, script: str, first: int = 0) -> list[Episode]:
    """Feed one face at 25 frames a second, a letter a frame; `.` is a frame without it."""
    names = {"h": "happy", "s": "sad", "n": "neutral"}
    changes = []
    for index, letter in enumerate(script, start=first):
        faces = [] if letter == "." else [shows(names[letter])]
        changes += tracker.update(at(index, *faces))
    return changes


def test_an_emotion_starts_after_half_a_second_and_began_with_its_first_frame() -> None:
    tracker = EpisodeTracker()
    assert play(tracker, "h" * 13) == []  # 12 steps of 0.04 s
    (started,) = play(tracker, "h", first=13)
    assert words([started]) == [(1, "happy", 0, 0.0, None)]
    assert started.begin_at == START
    assert started.end_at is None
    assert started.frames == 14
    assert play(tracker, "h" * 50, first=14) == []
    (ended,) = tracker.close()
    assert words([ended]) == [(1, "happy", 0, 0.0, 63 / 25)]
    assert ended.end_at == START + timedelta(seconds=63 / 25)
    assert ended.frames == 64


def test_half_a_second_is_enough_whatever_the_time_stamps_rounding() -> None:
    for first in range(50):
        tracker = EpisodeTracker()
        changes = [tracker.update(at(first + n, shows("sad"), fps=10)) for n in range(6)]
        assert [len(some) for some in changes] == [0, 0, 0, 0, 0, 1]


def test_another_emotion_ends_it_where_the_other_began() -> None:
    changes = play(EpisodeTracker(), "h" * 25 + "s" * 25)
    assert words(changes) == [
        (1, "happy", 0, 0.0, None),
        (1, "happy", 0, 0.0, 24 / 25),
        (1, "sad", 25, 1.0, None),
    ]


def test_a_flicker_makes_no_episode_and_interrupts_none() -> None:
    tracker = EpisodeTracker()
    changes = play(tracker, "h" * 25 + "s" * 10 + "h" * 5 + "sn" * 20 + "h" * 10)
    assert words(changes) == [(1, "happy", 0, 0.0, None)]
    (ended,) = tracker.close()
    assert ended.frames == 40, "only the frames that showed it"
    assert words([ended]) == [(1, "happy", 0, 0.0, 89 / 25)]


def test_an_emotion_ends_where_it_was_last_shown() -> None:
    tracker = EpisodeTracker()
    play(tracker, "h" * 25 + "s" * 5)
    assert words(tracker.close()) == [(1, "happy", 0, 0.0, 24 / 25)]


def test_a_face_that_is_missed_for_up_to_a_second_has_not_left() -> None:
    tracker = EpisodeTracker()
    assert words(play(tracker, "h" * 20 + "." * 24 + "h" * 20)) == [(1, "happy", 0, 0.0, None)]
    assert words(tracker.close()) == [(1, "happy", 0, 0.0, 63 / 25)]


def test_a_face_that_is_missed_for_longer_has_left_when_it_was_last_seen() -> None:
    tracker = EpisodeTracker()
    changes = play(tracker, "h" * 20 + "." * 26)
    assert words(changes) == [(1, "happy", 0, 0.0, None), (1, "happy", 0, 0.0, 19 / 25)]
    # Back with the same number, it begins anew.
    assert words(play(tracker, "h" * 14, first=46)) == [(1, "happy", 46, 46 / 25, None)]


def test_a_face_that_comes_back_in_the_frame_that_ends_it_begins_anew() -> None:
    tracker = EpisodeTracker()
    play(tracker, "h" * 20)
    assert words(tracker.update(at(50, shows("happy")))) == [(1, "happy", 0, 0.0, 19 / 25)]
    assert tracker.close() == []


def test_faces_have_episodes_of_their_own() -> None:
    tracker = EpisodeTracker()
    changes = []
    for index in range(20):
        changes += tracker.update(at(index, shows("sad", 2), shows("happy", 1)))
    assert words(changes) == [(2, "sad", 0, 0.0, None), (1, "happy", 0, 0.0, None)]


def test_the_score_is_the_mean_over_the_frames_that_showed_the_emotion() -> None:
    tracker = EpisodeTracker()
    for index in range(30):
        odd = index % 2
        tracker.update(at(index, shows("happy", score=0.9 if odd else 0.5)))
    tracker.update(at(30, shows("sad", score=0.99)))
    (ended,) = tracker.close()
    assert ended.score == pytest.approx(0.7)


def test_a_new_session_ends_all_of_its_source_and_of_no_other() -> None:
    tracker = EpisodeTracker()
    for index in range(20):
        tracker.update(at(index, shows("happy")))
        tracker.update(at(index, shows("sad"), source_id="door"))
    ended = tracker.update(at(0, shows("happy"), session=1))
    assert [(e.source_id, e.session, e.emotion, e.end_s) for e in ended] == [
        ("cam", 0, "happy", 19 / 25)
    ]
    assert [e.source_id for e in tracker.close()] == ["door"]


def test_in_a_new_session_an_emotion_begins_with_its_first_frame() -> None:
    tracker = EpisodeTracker()
    play(tracker, "h" * 20)
    changes = [one for n in range(14) for one in tracker.update(at(n, shows("sad"), session=1))]
    assert words(changes) == [(1, "happy", 0, 0.0, 19 / 25), (1, "sad", 0, 0.0, None)]


@pytest.mark.parametrize("state", ["stalled", "reconnecting", "ended", "error"])
def test_a_source_that_is_not_online_ends_all_of_its_own(state: SourceState) -> None:
    tracker = EpisodeTracker()
    for index in range(20):
        tracker.update(at(index, shows("happy")))
        tracker.update(at(index, shows("sad"), source_id="door"))
    assert tracker.status(SourceStatus("cam", "online", 0, START)) == []
    ended = tracker.status(SourceStatus("cam", state, 0, START))
    assert [(e.source_id, e.end_s) for e in ended] == [("cam", 19 / 25)]
    assert tracker.status(SourceStatus("cam", state, 0, START)) == []


def test_an_uncertain_emotion_is_none() -> None:
    tracker = EpisodeTracker()
    face = shows("sad", score=0.4)
    unsure = replace(face, scores=replace(face.scores, uncertain_below=0.5))
    changes = play(tracker, "s" * 25)
    for index in range(25, 50):
        changes += tracker.update(at(index, unsure))
    assert words(changes) == [(1, "sad", 0, 0.0, None), (1, "sad", 0, 0.0, 24 / 25)]
    assert tracker.close() == []
    assert words(play(tracker, "s" * 14, first=60)) == [(1, "sad", 60, 2.4, None)]


def test_untracked_faces_and_unrelated_pictures_have_none() -> None:
    tracker = EpisodeTracker()
    for index in range(50):
        assert tracker.update(at(index, shows("happy", None))) == []
        assert tracker.update(at(index, shows("happy"), stills=True)) == []
    assert tracker.close() == []


def test_who_has_left_is_forgotten() -> None:
    tracker = EpisodeTracker()
    sizes = []
    for index in range(5000):
        tracker.update(at(index, shows("happy", 1 + index // 20)))
        sizes.append(sum(len(source._people) for source in tracker._sources.values()))
    assert max(sizes) <= 4
