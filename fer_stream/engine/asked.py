"""What detector and classifier answer, looked at as it comes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fer_stream.engine.blame import Blamed, at, refuse
from fer_stream.promises import answer_problem, scores_problem, second_look_problem
from fer_stream.stages import Classifier, Detector
from fer_stream.types import Box, Detection, EmotionScores, Frame
from fer_stream.words import counted


def detections(detector: Detector, frame: Frame) -> list[Detection]:
    """Search a frame; raises `StageError` for a bug or a broken contract, as the others here."""
    with Blamed(detector, at(frame)):
        found = detector.detect(frame)
    refuse(detector, at(frame), answer_problem(found, Detection, "detect", frame))
    return found


def second_look(detector: Detector, frame: Frame, boxes: Sequence[Box]) -> list[float] | None:
    """Have each box looked at again, as `Detector.look_again` does."""
    with Blamed(detector, at(frame)):
        said = detector.look_again(frame, boxes)
    refuse(detector, at(frame), second_look_problem(said, len(boxes)))
    return said


def scores(classifier: Classifier, crops: npt.NDArray[np.uint8]) -> list[EmotionScores]:
    """Classify crops, (N, height, width) uint8 grey, N >= 1."""
    where = f"with {counted(len(crops), 'face')}"
    with Blamed(classifier, where):
        said = classifier.classify(crops)
    refuse(classifier, where, scores_problem(said, len(crops), classifier.labels))
    return said
