"""The stages that `fer-stream bench` measures do what they do in a run."""

from __future__ import annotations

from collections.abc import Sequence

from fer_stream.cli.measured import Clocks, CpuClock, MeasuredDetector, MeasuredTracker
from fer_stream.engine.lane import Plan
from fer_stream.engine.supervisor import Origin
from fer_stream.filters.smooth import SmoothFilter
from fer_stream.stages import Detector
from fer_stream.testing import FakeSource, make_frame
from fer_stream.trackers.iou import IouTracker
from fer_stream.trackers.none import NoTracker
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


def test_what_is_measured_is_called_and_treated_as_what_it_measures() -> None:
    plan = Clocks().measured(Plan(Origin(FakeSource), Twice(), NoTracker, lambda: [SmoothFilter()]))
    tracker, (filters,) = plan.new_tracker(), plan.new_filters()
    assert [stage.name for stage in (plan.detector, tracker, filters)] == [
        "twice",
        "none",
        "smooth",
    ]
    assert not tracker.follows
