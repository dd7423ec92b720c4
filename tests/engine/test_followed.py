"""What the tracker asks the detector for, and gets, beside the searches of the schedule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from fer_stream.testing import make_frame
from fer_stream.trackers.iou import IouTracker
from fer_stream.types import Box, Detection, Frame
from tests.engine.conftest import LabDetector, LabSource


class Still(LabSource):
    """Shows the same patterned picture in every frame, which a template can follow."""

    def frames(self) -> Iterator[Frame]:
        grey = np.random.default_rng(0).integers(0, 256, (48, 64), np.uint8)
        for index in range(self.count):
            yield make_frame(index, index / self.fps, image=grey, info=self.info)


class Once(LabDetector):
    """Finds a face in the first two frames that it sees, and says of any place what it is told."""

    def __init__(self, likely: float | None) -> None:
        super().__init__()
        self.likely = likely

    def detect(self, frame: Frame) -> list[Detection]:
        found = super().detect(frame)
        return found if len(self.seen) <= 2 else []

    def look_again(self, _frame: Frame, boxes: Sequence[Box]) -> list[float] | None:
        return None if self.likely is None else [self.likely] * len(boxes)


@pytest.mark.parametrize(("likely", "shown"), [(0.9, 79), (None, 31), (0.0, 10)])
def test_the_engine_lets_the_tracker_ask(lab: Any, likely: float | None, shown: int) -> None:
    """Searched: frames 0, 1, 11, 21 and so on, at 25 a second; the face is reported from 1 on."""
    sink = lab.Sink()
    lab.run(
        Still(count=80),
        [sink],
        detector=lambda: Once(likely),
        tracker=IouTracker,
        detect_every=10,
    )
    seen = [result.frame.index for result in sink.results if result.faces]
    assert seen == list(range(1, 1 + shown))


class Cut(LabSource):
    """Shows one picture, and from its frame `at` on another."""

    at = 30

    def frames(self) -> Iterator[Frame]:
        pictures = np.random.default_rng(0).integers(0, 256, (2, 48, 64), np.uint8)
        for index in range(self.count):
            grey = pictures[int(index >= self.at)]
            yield make_frame(index, index / self.fps, image=grey, info=self.info)


class Certain(LabDetector):
    """Finds a face in every frame, and is certain of it."""

    def detect(self, frame: Frame) -> list[Detection]:
        return [Detection(one.box, 0.9) for one in super().detect(frame)]


def test_at_a_cut_no_frame_is_without_the_faces_of_the_new_shot(lab: Any) -> None:
    sink, detector = lab.Sink(), Certain()
    lab.run(
        Cut(count=60),
        [sink],
        detector=lambda: detector,
        tracker=IouTracker,
        detect_every=25,
    )
    assert all(result.faces for result in sink.results)
    assert detector.seen == [0, 1, 26, 30, 55], "the second is for a new face, the fourth the cut's"
