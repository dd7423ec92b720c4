"""What is so now: a source's status and who is seen. Only the latest counts, so it is retained.

One thread posts, another takes what is due.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fer_stream.events import rfc3339
from fer_stream.types import Face, FrameResult, RunInfo, SourceStatus
from fer_stream_mqtt.payloads import as_json
from fer_stream_mqtt.topics import Topics

STATE_SCHEMA = "fer.state/1"
STATUS_SCHEMA = "fer.status/1"
LEAST_S = 1.0
"""At least so long from one state to the next."""
HEARTBEAT_S = 30.0
"""A state is said again after so long, changed or not."""
_NOTHING_YET = "nothing has been read yet"


@dataclass(slots=True)
class _Source:
    status: dict[str, Any] | None = None
    state: dict[str, Any] | None = None
    shown: object = None
    """What is compared to see whether a state differs: its faces and their emotions."""
    status_due: bool = False
    said: object = field(default_factory=object)
    """What `shown` was when the state was last said."""
    said_s: float = float("-inf")

    def next_state_s(self) -> float:
        """Return when the state is due, on the monotonic clock."""
        if self.state is None:
            return float("inf")
        return self.said_s + (HEARTBEAT_S if self.said == self.shown else LEAST_S)


class Board:
    """The latest of each source.

    Args:
        topics: What the topics are called.
        changed: Called when something may be due earlier than it was.
    """

    def __init__(self, topics: Topics, changed: Callable[[], None]) -> None:
        self._topics = topics
        self._changed = changed
        self._lock = threading.Lock()
        self._sources: dict[str, _Source] = {}

    def begin(self, run: RunInfo) -> None:
        """Post that nothing has been read yet: of a run before, other things may be retained."""
        now = datetime.now(UTC)
        for source in run.sources:
            self.tell(
                SourceStatus(
                    source, "reconnecting", 0, now, _NOTHING_YET, stills=source in run.stills
                )
            )

    def sources(self) -> list[str]:
        """Return the ids of the sources of which something is known."""
        with self._lock:
            return list(self._sources)

    def see(self, result: FrameResult) -> None:
        """Post who is seen; unrelated pictures have no state."""
        info = result.frame.info
        if info.stills:
            return
        # The largest face first: who wants one face wants the nearest.
        faces = sorted(result.faces, key=lambda face: -face.box.width * face.box.height)
        state = _state(info.source_id, info.session, rfc3339(result.frame.captured_at), faces)
        shown = frozenset((face.track_id, face.scores.word) for face in faces)
        with self._lock:
            source = self._sources.setdefault(info.source_id, _Source())
            if source.status is None or source.status["state"] != "online":  # nobody told us
                source.status = _status(
                    info.source_id, "online", info.session, rfc3339(result.frame.captured_at)
                )
                source.status_due = True
            source.state, source.shown = state, shown
            changed = source.said != shown
        if changed:
            self._changed()

    def tell(self, status: SourceStatus) -> None:
        """Post how a source is, unless it gives single pictures; not online, nobody is seen."""
        at = rfc3339(status.at)
        with self._lock:
            # What was not known from the start to give pictures has a status, which must be true.
            if status.stills and status.source_id not in self._sources:
                return
            source = self._sources.setdefault(status.source_id, _Source())
            source.status = _status(
                status.source_id, status.state, status.session, at, status.reason
            )
            source.status_due = True
            if status.state != "online":
                source.state = _state(status.source_id, status.session, at, [])
                source.shown = frozenset()
        self._changed()

    def clear(self) -> None:
        """Post that nobody is seen any more."""
        with self._lock:
            for source in self._sources.values():
                if source.state is not None:
                    source.state = {**source.state, "faces": []}
                    source.shown = frozenset()

    def forget_said(self) -> None:
        """Make everything due: the broker may have forgotten it."""
        with self._lock:
            for source in self._sources.values():
                source.status_due = source.status is not None
                source.said, source.said_s = object(), float("-inf")

    def due(self, now_s: float, *, last: bool = False) -> list[tuple[str, bytes]]:
        """Return the messages (topic, payload) that are due on the monotonic clock, as said.

        With `last` a changed state is due whenever the one before it was said.
        """
        messages = []
        with self._lock:
            for source_id, source in self._sources.items():
                if source.status_due:
                    source.status_due = False
                    messages.append((self._topics.status(source_id), as_json(source.status)))
                changed = last and source.state is not None and source.said != source.shown
                if changed or source.next_state_s() <= now_s:
                    source.said, source.said_s = source.shown, now_s
                    messages.append((self._topics.state(source_id), as_json(source.state)))
        return messages

    def next_due_s(self) -> float:
        """Return when the next state is due, on the monotonic clock."""
        with self._lock:
            return min((s.next_state_s() for s in self._sources.values()), default=float("inf"))


def _state(source_id: str, session: int, at: str, faces: list[Face]) -> dict[str, Any]:
    return {
        "schema": STATE_SCHEMA,
        "source": source_id,
        "session": session,
        "at": at,
        "faces": [
            {
                "track_id": face.track_id,
                "emotion": face.scores.top,
                "score": round(face.scores.top_score, 4),
                "uncertain": face.scores.uncertain,
            }
            for face in faces
        ],
    }


def _status(source_id: str, state: str, session: int, at: str, reason: str = "") -> dict[str, Any]:
    return {
        "schema": STATUS_SCHEMA,
        "source": source_id,
        "state": state,
        "session": session,
        "at": at,
        "reason": reason,
    }
