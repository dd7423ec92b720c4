"""The tracker `none` adds nothing and always wants to look."""

from __future__ import annotations

from fer_stream.testing import make_frame
from fer_stream.trackers.none import NoTracker
from fer_stream.types import Box, Detection, Track


def test_detections_are_passed_on_without_numbers() -> None:
    tracker = NoTracker()
    assert tracker.wants_detection
    box = Box(1, 2, 3, 4)
    assert tracker.update(make_frame(), [Detection(box, 0.5)]) == [Track(box, None, 0.5)]
    assert tracker.update(make_frame(), None) == []
