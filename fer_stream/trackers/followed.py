"""One face that a tracker follows from frame to frame."""

from __future__ import annotations

from typing import NamedTuple

from fer_stream.trackers.template import Template
from fer_stream.types import Box, Detection, Frame, GreyImage


class Small(NamedTuple):
    """A frame as faces are followed on it."""

    grey: GreyImage
    """(H, W) uint8, shrunk."""
    scale: float
    """The frame's px for each px of `grey`."""
    now_s: float
    """The frame's media time."""


class FollowedFace:
    """Where a face is, what it looks like, and what speaks for it.

    Args:
        detection: The first one.
        small: The frame in which it was found.
        is_sure: Whether that is free of doubt.
    """

    def __init__(self, detection: Detection, small: Small, is_sure: bool) -> None:
        self.track_id: int | None = None
        self.found_s = small.now_s
        self.is_sure = False
        """Whether any detection was free of doubt."""
        self.is_confirmed = False
        """Whether it was detected a second time."""
        self.has_gone = False
        """Whether to forget it at once."""
        self.detected(detection, small, is_sure)

    def detected(self, detection: Detection, small: Small, is_sure: bool) -> None:
        """Take what a detector has found for where and what the face is."""
        box = detection.box
        self._x, self._y = float(box.x), float(box.y)
        self._width, self._height = float(box.width), float(box.height)
        self._template = Template(small.grey, *self._place(small.scale))
        self.confidence = detection.confidence
        self.is_sure = self.is_sure or is_sure
        self.detected_s = self.seen_s = small.now_s
        self.is_visible = True

    def follow(self, small: Small, trust_s: float) -> bool:
        """Move to where the face looks the same, if it was detected in the last `trust_s` s.

        Returns whether it looks the same anywhere near, however long ago it was detected.
        """
        moved = self._template.find(small.grey, *self._place(small.scale))
        self.is_visible = moved is not None and small.now_s - self.detected_s <= trust_s
        if moved is not None and self.is_visible:
            self._x, self._y = moved[0] * small.scale, moved[1] * small.scale
            self.seen_s = small.now_s
        return moved is not None

    def box(self, frame: Frame) -> Box:
        """Return where it is, cut to the frame."""
        return Box.inside(self._x, self._y, self._width, self._height, frame)

    def iou(self, box: Box) -> float:
        """Return intersection over union with a box, 0..1."""
        common, own, other = self._areas(box)
        return common / (own + other - common)

    def shared(self, box: Box) -> float:
        """Return the share of the smaller of it and a box that lies in the other, 0..1."""
        common, own, other = self._areas(box)
        return common / min(own, other)

    def _areas(self, box: Box) -> tuple[float, float, float]:
        """Return those of the intersection with a box, of itself and of the box, in px."""
        width = min(self._x + self._width, box.x + box.width) - max(self._x, box.x)
        height = min(self._y + self._height, box.y + box.height) - max(self._y, box.y)
        common = max(width, 0.0) * max(height, 0.0)
        return common, self._width * self._height, float(box.width * box.height)

    def _place(self, scale: float) -> tuple[float, float, float, float]:
        """Return x, y, width and height on the shrunk frame, in its px."""
        return self._x / scale, self._y / scale, self._width / scale, self._height / scale
