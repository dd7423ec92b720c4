"""The event `fer.event/1` says what its schema promises, field by field."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from fer_stream.episodes import Episode
from fer_stream.events import episode_event, event, rfc3339
from fer_stream.testing import EMOTIONS, make_face, make_frame, make_result, make_run
from fer_stream.types import Box, FrameResult, StreamInfo

INFO = StreamInfo("rtsp://user:***@camera/1", 640, 480, fps=25.0, live=True, session=2)


def result() -> FrameResult:
    face = make_face("happy", 0.7, box=Box(64, 48, 160, 120), confidence=0.5, track_id=3)
    frame = make_frame(41, 1.6404, info=INFO)
    return make_result([face], frame=frame, latency_ms=12.34, dropped=5)


def as_json(result: FrameResult) -> dict[str, Any]:
    return json.loads(json.dumps(event(result, make_run(instance="hall"))))


def test_an_event_has_exactly_the_schemas_fields() -> None:
    whole = as_json(result())
    captured_at = whole.pop("captured_at")
    assert datetime.fromisoformat(captured_at).utcoffset().total_seconds() == 0
    faces = whole.pop("faces")
    assert whole == {
        "schema": "fer.event/1",
        "id": "hall:rtsp://user:***@camera/1:2:41",
        "time_s": 1.64,
        "source": "rtsp://user:***@camera/1",
        "session": 2,
        "frame": 41,
        "size": [640, 480],
        "latency_ms": 12.3,
        "dropped": 5,
        "model": {"name": "fake", "sha256": "0" * 64},
    }
    assert faces == [
        {
            "track_id": 3,
            "box_px": [64, 48, 160, 120],
            "box_norm": [0.1, 0.1, 0.25, 0.25],
            "confidence": 0.5,
            "emotion": "happy",
            "score": 0.7,
            "uncertain": False,
            "scores": {label: 0.7 if label == "happy" else 0.05 for label in EMOTIONS},
        }
    ]


def test_an_uncertain_face_says_so_and_keeps_its_emotion() -> None:
    face = make_face("happy", 0.4)
    face = replace(face, scores=replace(face.scores, uncertain_below=0.5))
    (told,) = as_json(make_result([face]))["faces"]
    assert (told["uncertain"], told["emotion"], told["score"]) == (True, "happy", 0.4)


def test_scores_keep_the_models_order() -> None:
    assert list(as_json(result())["faces"][0]["scores"]) == list(EMOTIONS)


def test_a_frame_without_a_face_has_an_empty_list() -> None:
    assert as_json(make_result())["faces"] == []


def test_what_is_not_known_is_null() -> None:
    (face,) = as_json(make_result([make_face(track_id=None)]))["faces"]
    assert face["track_id"] is None
    assert face["confidence"] is None


def test_a_confidence_of_numpys_is_written_as_a_number() -> None:
    face = make_face("happy", confidence=np.float32(0.5))  # type: ignore[arg-type]
    assert as_json(make_result([face]))["faces"][0]["confidence"] == 0.5


def test_a_frame_sent_again_has_the_same_id_and_any_other_another() -> None:
    run = make_run()

    def identity(index: int, **changes: Any) -> str:
        frame = make_frame(
            index, info=StreamInfo(**{"source_id": "a", "width": 64, "height": 48, **changes})
        )
        return event(make_result(frame=frame), run)["id"]

    assert identity(1) == identity(1)
    ids = {identity(1), identity(2), identity(1, session=1), identity(1, source_id="b")}
    assert len(ids) == 4


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2024, 2, 29, 23, 59, 59, 999_999, UTC), "2024-02-29T23:59:59.999Z"),
        (datetime(2024, 1, 1, tzinfo=UTC), "2024-01-01T00:00:00.000Z"),
    ],
)
def test_times_are_rfc3339_in_utc(moment: datetime, text: str) -> None:
    assert rfc3339(moment) == text


def test_a_live_run_that_is_started_again_repeats_no_id() -> None:
    first, again = (replace(make_run(), run_id=run_id) for run_id in ("1f", "2e"))
    assert event(result(), first)["id"] == "test:rtsp://user:***@camera/1:1f-2:41"
    assert event(result(), first)["id"] == event(result(), first)["id"]
    assert event(result(), first)["id"] != event(result(), again)["id"]
    assert event(result(), first)["session"] == 2


MORNING = datetime(2024, 2, 29, 7, 0, tzinfo=UTC)
STARTED = Episode("cam", 2, 3, "happy", 41, 1.6404, MORNING, None, None, 0.71234, 14)
ENDED = replace(STARTED, end_s=9.0, end_at=MORNING.replace(second=8), score=0.8, frames=180)


def test_an_episode_has_exactly_the_schemas_fields() -> None:
    run = make_run(instance="hall")
    started = {
        "schema": "fer.episode/1",
        "id": "hall:cam:2:41:3:started",
        "episode": "hall:cam:2:41:3",
        "state": "started",
        "source": "cam",
        "session": 2,
        "track_id": 3,
        "emotion": "happy",
        "begin_s": 1.64,
        "begin_at": "2024-02-29T07:00:00.000Z",
        "end_s": None,
        "end_at": None,
        "score": 0.7123,
        "frames": 14,
    }
    assert episode_event(STARTED, run) == started
    assert episode_event(ENDED, run) == {
        **started,
        "id": "hall:cam:2:41:3:ended",
        "state": "ended",
        "end_s": 9.0,
        "end_at": "2024-02-29T07:00:08.000Z",
        "score": 0.8,
        "frames": 180,
    }


def test_episodes_of_different_faces_times_and_runs_have_different_names() -> None:
    run = make_run()
    others = [
        replace(STARTED, track_id=4),
        replace(STARTED, first_frame=42),
        replace(STARTED, session=3),
        replace(STARTED, source_id="door"),
    ]
    names = {episode_event(episode, run)["episode"] for episode in [STARTED, *others]}
    names.add(episode_event(STARTED, replace(run, run_id="1f"))["episode"])
    assert len(names) == 6
