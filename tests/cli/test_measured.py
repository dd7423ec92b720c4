"""The stages that `fer-stream bench` measures do what they do in a run."""

from __future__ import annotations

from collections.abc import Sequence

from fer_stream.cli.measured import CpuClock, MeasuredDetector, MeasuredTracker
from fer_stream.stages import Detector
from fer_stream.testing import make_frame
from fer_stream.trackers.iou import IouTracker
from fer_stream.types import Box, Detection, Frame


class Twice(Detector):
    """Finds a face in the first two frames, and then says that it has gone."""

    name = "twice"

    def __init__(self) -> None:
        self.left = 2

    def detect(self, frame: Frame) -> list[Detection]:
        self.left -= 1
        return [Detection(Box(8, 8, 24, 24))] if self.left >= 0 else []

    def look_again(self, frame: Frame, boxes: Sequence[Box]) -> list[float]:
        return [0.0] * len(boxes)


def test_a_measured_tracker_asks_the_detector_about_missed_faces() -> None:
    detector = MeasuredDetector(Twice(), CpuClock())
    tracker = MeasuredTracker(IouTracker(), CpuClock())
    tracker.look_again = detector.look_again
    image = make_frame().grey
    frames = [make_frame(index, index / 25, image=image) for index in range(3)]
    tracks = [tracker.update(frame, detector.detect(frame)) for frame in frames]
    assert [len(seen) for seen in tracks] == [0, 1, 0]
