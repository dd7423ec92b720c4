"""Emotions as spans of time: which face showed which emotion from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fer_stream.types import UNCERTAIN, Face, Frame, FrameResult, SourceStatus

LEAST_S = 0.5
"""An emotion that is shown for a shorter time makes no episode, and interrupts none."""
GAP_S = 1.0
"""A face that is missing for longer has left."""

_ROUNDING_S = 1e-6  # 0.7 - 0.2 < 0.5


@dataclass(frozen=True, slots=True)
class Episode:
    """One face showing one emotion; said twice, when it has started and when it has ended."""

    source_id: str
    session: int
    track_id: int
    emotion: str
    first_frame: int
    """Index of the frame that it began with."""
    begin_s: float
    """Media time in seconds, as `Frame.time_s`."""
    begin_at: datetime
    """Aware UTC wall-clock time."""
    end_s: float | None
    """Media time of the last frame that showed it; None when it has only started."""
    end_at: datetime | None
    score: float
    """Mean score of the emotion over the frames that showed it so far, 0..1."""
    frames: int
    """How many those are."""


class EpisodeTracker:
    """Turns frames into episodes.

    An episode starts once a face has shown an emotion for `LEAST_S`; its begin is then the first
    of those frames. It ends when another emotion has lasted as long, when the face is missing for
    more than `GAP_S`, or with its session or source; its end is the last frame that showed it.

    While an emotion is uncertain a face shows none. Faces without a track id and unrelated pictures
    have no episodes. Only faces seen within the last `GAP_S` are remembered.
    """

    def __init__(self) -> None:
        self._sources: dict[str, _Source] = {}

    def update(self, result: FrameResult) -> list[Episode]:
        """Take a frame's faces; return what ended and started with it, in this order."""
        info = result.frame.info
        if info.stills:
            return []
        source = self._sources.setdefault(info.source_id, _Source(info.session))
        changes: list[Episode] = []
        if source.session != info.session:
            changes = self._end(info.source_id)
            source = self._sources[info.source_id] = _Source(info.session)
        return changes + source.update(result)

    def status(self, status: SourceStatus) -> list[Episode]:
        """Take a source's change of state; return the episodes that end, nobody being seen."""
        return [] if status.state == "online" else self._end(status.source_id)

    def close(self) -> list[Episode]:
        """Return the episodes that end with the run."""
        return [episode for source_id in list(self._sources) for episode in self._end(source_id)]

    def _end(self, source_id: str) -> list[Episode]:
        source = self._sources.pop(source_id, None)
        return source.end() if source else []


class _Span:
    """Frames of a face that show one emotion."""

    def __init__(self, track_id: int, face: Face, frame: Frame) -> None:
        self._track_id = track_id
        self._info = frame.info
        self._first_frame = frame.index
        self._begin_s, self._begin_at = frame.time_s, frame.captured_at
        self._total = 0.0
        self._frames = 0
        self.emotion = face.scores.word
        self.add(face, frame)

    @property
    def lasted(self) -> bool:
        """Whether it has gone on for long enough to count."""
        return self._end_s - self._begin_s >= LEAST_S - _ROUNDING_S

    def add(self, face: Face, frame: Frame) -> None:
        """Take another frame."""
        self._end_s, self._end_at = frame.time_s, frame.captured_at
        self._total += face.scores.top_score
        self._frames += 1

    def episode(self, *, ended: bool) -> Episode:
        """Return it as others see it."""
        return Episode(
            source_id=self._info.source_id,
            session=self._info.session,
            track_id=self._track_id,
            emotion=self.emotion,
            first_frame=self._first_frame,
            begin_s=self._begin_s,
            begin_at=self._begin_at,
            end_s=self._end_s if ended else None,
            end_at=self._end_at if ended else None,
            score=self._total / self._frames,
            frames=self._frames,
        )


class _Person:
    """What one track shows."""

    def __init__(self, track_id: int) -> None:
        self._track_id = track_id
        self.seen_s = 0.0
        self._shown: _Span | None = None
        self._next: _Span | None = None
        """Another emotion, as long as it might be a flicker."""

    def see(self, face: Face, frame: Frame) -> list[Episode]:
        """Take the face in another frame."""
        self.seen_s = frame.time_s
        emotion = face.scores.word
        if self._shown is not None and self._shown.emotion == emotion:
            self._shown.add(face, frame)
            self._next = None
            return []
        if self._next is None or self._next.emotion != emotion:
            self._next = _Span(self._track_id, face, frame)
        else:
            self._next.add(face, frame)
        if not self._next.lasted:
            return []
        ended = self.leave()
        self._shown, self._next = self._next, None
        return [*ended, *self._episode(ended=False)]

    def leave(self) -> list[Episode]:
        """Return the episode that ends."""
        return self._episode(ended=True)

    def _episode(self, *, ended: bool) -> list[Episode]:
        if self._shown is None or self._shown.emotion == UNCERTAIN:
            return []
        return [self._shown.episode(ended=ended)]


class _Source:
    """The people in one session of one source."""

    def __init__(self, session: int) -> None:
        self.session = session
        self._people: dict[int, _Person] = {}

    def update(self, result: FrameResult) -> list[Episode]:
        """Take a frame."""
        frame = result.frame
        changes: list[Episode] = []
        for track_id, person in list(self._people.items()):
            if frame.time_s - person.seen_s > GAP_S + _ROUNDING_S:
                changes += person.leave()
                del self._people[track_id]
        for face in result.faces:
            if face.track_id is not None:
                person = self._people.setdefault(face.track_id, _Person(face.track_id))
                changes += person.see(face, frame)
        return changes

    def end(self) -> list[Episode]:
        """Return the episodes that end, because nobody is seen any more."""
        return [episode for person in self._people.values() for episode in person.leave()]
