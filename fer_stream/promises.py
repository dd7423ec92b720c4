"""What stages must answer, in words: said by a run that meets something else, and by the checks.

Each function returns what is wrong, or None. A run asks for every frame, so they are cheap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from fer_stream.labels import naming_problem
from fer_stream.stages import Classifier
from fer_stream.types import Box, Detection, EmotionScores, Face, Frame, Track

_NUMBER = (int, float)
_UTC = timedelta(0)
_SLACK = 1e-3  # of a probability, for rounding


def frame_problem(frame: object) -> str | None:
    """Return what is wrong with what a source yields, taken by itself."""
    if not isinstance(frame, Frame):
        return f"frames must yield Frame, got a {type(frame).__name__}"
    if not isinstance(frame.index, int) or frame.index < 0:
        return f"index must be an int that counts from 0, got {frame.index!r}"
    where, time_s = f"frame {frame.index}", frame.time_s
    if not (isinstance(time_s, _NUMBER) and 0 <= time_s < math.inf):  # no NaN either
        return f"{where}: time_s must be 0 or more, got {time_s!r}"
    size = (frame.info.height, frame.info.width)
    if frame.grey.shape != size:
        return f"{where}: grey is {frame.grey.shape}, its info says {size}"
    if frame.captured_at.utcoffset() != _UTC:
        return f"{where}: captured_at must be UTC, got {frame.captured_at}"
    return None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a frame stands in its stream."""

    session: int
    index: int
    time_s: float
    size: tuple[int, int]
    """(width, height) in pixels of that session."""

    @classmethod
    def of(cls, frame: Frame) -> Place:
        """Return a frame's place; a frame itself would hold its picture."""
        info = frame.info
        return cls(info.session, frame.index, frame.time_s, (info.width, info.height))


def order_problem(frame: Frame, before: Place | None) -> str | None:
    """Return what is wrong with a frame after the one before it, if there was one."""
    if before is None:
        return None
    session, index, time_s = frame.info.session, frame.index, frame.time_s
    if index <= before.index:
        return f"index must rise, got {index} after {before.index}"
    if session < before.session:
        return f"frame {index}: session must never fall, got {session} after {before.session}"
    # A live stream counts its seconds from its session's start.
    if time_s < before.time_s and not (frame.info.live and session > before.session):
        return f"frame {index}: time_s must never fall, got {time_s} after {before.time_s}"
    (width, height), info = before.size, frame.info
    resized = (info.width, info.height) != before.size
    if resized and session == before.session and not info.stills:
        got = f"{info.width}x{info.height} after {width}x{height}"
        return f"frame {index}: a new size needs a new session, got {got} in session {session}"
    return None


def answer_problem(
    answer: object, kind: type[Detection | Track | Face], method: str, frame: Frame
) -> str | None:
    """Return what is wrong with what a detector, tracker or filter says of a frame."""
    if not isinstance(answer, list):
        got = type(answer).__name__
        return f"{method} must return a list, [] if there is no face; got {got}"
    height, width = frame.grey.shape
    for one in answer:
        if not isinstance(one, kind):
            return f"{method} must return a list of {kind.__name__}, got {one!r} in it"
        if problem := _box_problem(one.box, width, height) or _confidence_problem(one.confidence):
            return problem
        if isinstance(one, Face) and (problem := _face_problem(one)):
            return problem
    return None if kind is Detection else _ids_problem([one.track_id for one in answer])


def labels_problem(faces: Sequence[Face], labels: tuple[str, ...]) -> str | None:
    """Return what is wrong with the labels of what a filter reports, where `labels` are the run's.

    Sinks begin with the run's labels, such as a CSV's header, before they see a face.
    """
    for face in faces:
        if face.scores.labels != labels:
            return f"apply must keep the run's labels {labels}, got {face.scores.labels}"
    return None


def second_look_problem(said: object, count: int) -> str | None:
    """Return what is wrong with what a detector says of so many boxes at a second look."""
    if said is None:
        return None
    if not isinstance(said, list) or len(said) != count:
        return f"look_again must return None or a list with a number for each box, got {said!r}"
    for likely in said:
        if not (isinstance(likely, float) and 0 <= likely <= 1):
            return f"look_again must return numbers 0..1, got {likely!r}"
    return None


def scores_problem(scores: object, count: int, labels: tuple[str, ...]) -> str | None:
    """Return what is wrong with what a classifier says of so many crops."""
    if not isinstance(scores, list):
        return f"classify must return a list, got {type(scores).__name__}"
    if len(scores) != count:
        return f"classify must return a score for each crop: expected {count}, got {len(scores)}"
    for one in scores:
        if not isinstance(one, EmotionScores):
            return f"classify must return a list of EmotionScores, got {one!r} in it"
        if one.labels != labels:
            return f"expected scores with the labels {labels}, got {one.labels}"
        if problem := _probabilities_problem(one.probabilities):
            return problem
    return None


def classifier_problem(classifier: Classifier) -> str | None:
    """Return what is wrong with what a classifier says of itself."""
    labels: Any = getattr(classifier, "labels", None)
    size: Any = getattr(classifier, "input_size", None)
    named = isinstance(labels, tuple) and all(isinstance(label, str) for label in labels)
    if not (labels and named):
        return f"labels must be a tuple of names, got {labels!r}"
    if problem := naming_problem(labels):
        return problem
    sides = size if isinstance(size, tuple | list) else ()
    if len(sides) != 2 or not all(isinstance(side, int) and side > 0 for side in sides):
        return f"input_size must be (height, width) in px, got {size!r}"
    for key in ("model_name", "model_sha256"):
        if not isinstance(getattr(classifier, key), str):
            return f"{key} must be text, got {getattr(classifier, key)!r}"
    return None


def _box_problem(box: object, width: int, height: int) -> str | None:
    if not isinstance(box, Box):
        return f"expected a Box, got {box!r}"
    x, y, w, h = box.x, box.y, box.width, box.height
    whole = isinstance(x, int) and isinstance(y, int) and isinstance(w, int) and isinstance(h, int)
    if not whole:  # NumPy's numbers are no int: json, for one, refuses them
        return f"a box must be in whole pixels (int), got {box}"
    if x + w > width or y + h > height:
        return f"{box} reaches out of the {width}x{height} frame"
    return None


def _face_problem(face: Face) -> str | None:
    if not isinstance(face.scores, EmotionScores):
        return f"a face's scores must be EmotionScores, got {face.scores!r}"
    return _probabilities_problem(face.scores.probabilities)


def _probabilities_problem(said: npt.NDArray[Any]) -> str | None:
    """That they sum to 1 was seen to when the scores were made."""
    if said.dtype != np.float32:
        return f"probabilities must be float32, got {said.dtype}"
    if not (said.min() >= -_SLACK and said.max() <= 1 + _SLACK):
        return f"probabilities must be 0 to 1, got {said}"
    return None


def _confidence_problem(confidence: object) -> str | None:
    if confidence is None or (isinstance(confidence, _NUMBER) and 0.0 <= confidence <= 1.0):
        return None
    return f"confidence must be None or a float from 0 to 1, got {confidence!r}"


def _ids_problem(ids: Sequence[object]) -> str | None:
    known = [one for one in ids if one is not None]
    for one in known:
        if not isinstance(one, int) or one < 1:
            return f"a track id must be None or an int that counts from 1, got {one!r}"
    if len(set(known)) < len(known):
        return f"two faces share a track id: {known}"
    return None
