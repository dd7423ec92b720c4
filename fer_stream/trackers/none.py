"""Tracker `none`: every frame by itself."""

from __future__ import annotations

from collections.abc import Sequence

from fer_stream.stages import Tracker
from fer_stream.types import Detection, Frame, Track


class NoTracker(Tracker):
    """Reports what the detector finds, frame by frame, without ids."""

    name = "none"
    follows = False

    @property
    def wants_detection(self) -> bool:
        """Always: there is nothing to follow."""
        return True

    def update(self, frame: Frame, detections: Sequence[Detection] | None) -> list[Track]:  # noqa: ARG002
        """Return the detections as they are."""
        return [Track(found.box, None, found.confidence) for found in detections or ()]
