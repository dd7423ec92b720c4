"""Events, `fer.event/1` and `fer.episode/1`: what JSON lines and message brokers carry."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fer_stream.episodes import Episode
from fer_stream.types import Face, FrameResult, RunInfo

SCHEMA = "fer.event/1"
EPISODE_SCHEMA = "fer.episode/1"


def event(result: FrameResult, run: RunInfo) -> dict[str, Any]:
    """Return a frame's event, ready for `json.dumps`.

    `id` is the same whenever the same frame is sent again: consumers de-duplicate on it.
    `box_px` is [x, y, width, height] in px, `box_norm` the same as shares of the frame.
    """
    frame, info = result.frame, result.frame.info
    return {
        "schema": SCHEMA,
        "id": _frame_id(run, info.source_id, info.session, frame.index),
        "captured_at": rfc3339(frame.captured_at),
        "time_s": round(frame.time_s, 3),
        "source": info.source_id,
        "session": info.session,
        "frame": frame.index,
        "size": [info.width, info.height],
        "latency_ms": round(result.latency_ms, 1),
        "dropped": result.dropped,
        "model": {"name": run.model_name, "sha256": run.model_sha256},
        "faces": [_face(face, info.width, info.height) for face in result.faces],
    }


def episode_event(episode: Episode, run: RunInfo) -> dict[str, Any]:
    """Return an episode's event, ready for `json.dumps`.

    `episode` pairs what started with what ended; `id` is another for each of the two, and the
    same whenever one is sent again.
    """
    name = _frame_id(run, episode.source_id, episode.session, episode.first_frame)
    name = f"{name}:{episode.track_id}"
    state = "started" if episode.end_at is None else "ended"
    return {
        "schema": EPISODE_SCHEMA,
        "id": f"{name}:{state}",
        "episode": name,
        "state": state,
        "source": episode.source_id,
        "session": episode.session,
        "track_id": episode.track_id,
        "emotion": episode.emotion,
        "begin_s": round(episode.begin_s, 3),
        "begin_at": rfc3339(episode.begin_at),
        "end_s": None if episode.end_s is None else round(episode.end_s, 3),
        "end_at": None if episode.end_at is None else rfc3339(episode.end_at),
        "score": round(episode.score, 4),
        "frames": episode.frames,
    }


def rfc3339(moment: datetime) -> str:
    """Return an aware UTC datetime as RFC 3339 with milliseconds and `Z`."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _frame_id(run: RunInfo, source_id: str, session: int, frame: int) -> str:
    # A live run that was started again counts its sessions from 0 again.
    own_session = f"{run.run_id}-{session}" if run.run_id else f"{session}"
    return f"{run.instance}:{source_id}:{own_session}:{frame}"


def _face(face: Face, width: int, height: int) -> dict[str, Any]:
    box = face.box
    return {
        "track_id": face.track_id,
        "box_px": [box.x, box.y, box.width, box.height],
        "box_norm": [
            round(box.x / width, 4),
            round(box.y / height, 4),
            round(box.width / width, 4),
            round(box.height / height, 4),
        ],
        # A plugin's detector may have NumPy's numbers, which json refuses.
        "confidence": None if face.confidence is None else float(face.confidence),
        "emotion": face.scores.top,
        "score": round(face.scores.top_score, 4),
        "uncertain": face.scores.uncertain,
        "scores": {label: round(p, 4) for label, p in face.scores.as_dict().items()},
    }
