"""Filter `smooth`: calms each face's scores over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_stream.errors import ConfigError
from fer_stream.stages import Filter
from fer_stream.types import EmotionScores, Face, Frame

_FORGET_S = 5.0  # a track that was gone for longer starts afresh


@dataclass(slots=True)
class _Memory:
    probabilities: npt.NDArray[np.float32]
    shown: int
    uncertain: bool
    time_s: float


class SmoothFilter(Filter):
    """Exponential smoothing of the scores per track, and a shown label that does not flicker.

    Options: `time` in seconds, the time constant (after it, 63 % of a sudden change has come
    through); `hysteresis`, by how much another emotion's smoothed score must exceed the shown
    one's before it is shown instead, and by how much the shown one's must pass the score under
    which it counts as uncertain before that changes (at most half of the way to 0 or 1, so that
    every face can become certain again). Faces without a track id pass unchanged.
    """

    name = "smooth"

    def __init__(self, target: str = "", *, time: float = 0.3, hysteresis: float = 0.12) -> None:
        super().__init__(target)
        if time <= 0 or not 0 <= hysteresis < 1:
            raise ConfigError("smooth: time must be above 0, and hysteresis 0 or more and below 1")
        self._time_s = time
        self._hysteresis = hysteresis
        self._memories: dict[int, _Memory] = {}

    def apply(self, frame: Frame, faces: Sequence[Face]) -> list[Face]:
        """Return the faces with smoothed scores."""
        now = frame.time_s
        self._memories = {k: m for k, m in self._memories.items() if now - m.time_s <= _FORGET_S}
        return [self._smoothed(face, now) for face in faces]

    def _smoothed(self, face: Face, now: float) -> Face:
        if face.track_id is None:
            return face
        scores = face.scores
        new = scores.probabilities
        memory = self._memories.get(face.track_id)
        if memory is None or memory.probabilities.shape != new.shape:
            memory = _Memory(new, scores.top_index, scores.uncertain, now)
            self._memories[face.track_id] = memory
        # The weight depends on the time since the last score, so that the frame rate does not.
        weight = np.float32(1.0 - math.exp((memory.time_s - now) / self._time_s))
        smoothed = memory.probabilities + weight * (new - memory.probabilities)
        best = int(smoothed.argmax())
        if smoothed[best] > smoothed[memory.shown] + self._hysteresis:
            memory.shown = best
        limit = self._limit(scores.uncertain_below, memory.uncertain)
        scores = EmotionScores(scores.labels, smoothed, memory.shown, limit)
        memory.probabilities, memory.uncertain, memory.time_s = smoothed, scores.uncertain, now
        return Face(face.box, scores, face.confidence, face.track_id)

    def _limit(self, below: float, uncertain: bool) -> float:
        margin = min(self._hysteresis, below / 2, (1.0 - below) / 2)
        return below + margin if uncertain else below - margin
