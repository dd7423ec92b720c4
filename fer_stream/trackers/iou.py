"""Tracker `iou`: the same face keeps its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fer_stream.errors import ConfigError
from fer_stream.imaging import shrink
from fer_stream.stages import Tracker
from fer_stream.trackers.template import Template
from fer_stream.types import Box, Detection, Frame, Track

Corners = tuple[float, float, float, float]
"""Left, top, right, bottom in px."""

# A detection that shares more than this with a face is that face, badly framed: two people's
# faces do not cover one another that far and stay detectable.
_SAME = 0.3
_DOUBT_S = 0.1
"""How long a doubtful face waits for its second detection: what looks a little like a face looks
the same on the very next frame."""
_ROUNDING_S = 0.001  # time stamps are rounded
_CERTAIN = 0.8
"""The confidence from which a new face is reported before its second detection: on the labelled
frames of benchmarks/labels that finds faces earlier and adds no false one; 0.7 adds some."""
# What a detector may say of a followed face that it did not find: chosen on the labelled frames of
# benchmarks/labels, where 0.08 and 0.4 do as well.
_GONE = 0.1
_THERE = 0.5


@dataclass(slots=True)
class _Face:
    """A face being followed; `x, y, width, height` in the frame's px."""

    x: float
    y: float
    width: float
    height: float
    confidence: float | None
    template: Template
    is_sure: bool
    """Whether any detection was free of doubt."""
    found_s: float
    """Media time of the first detection."""
    detected_s: float
    """Media time of the last detection."""
    seen_s: float
    """Media time at which it was last detected or followed with a good match."""
    hits: int = 1
    track_id: int | None = None
    visible: bool = True

    @property
    def corners(self) -> Corners:
        return (self.x, self.y, self.x + self.width, self.y + self.height)

    def box(self, frame: Frame) -> Box:
        return Box.inside(self.x, self.y, self.width, self.height, frame)

    def move(self, x: float, y: float, width: float, height: float) -> None:
        self.x, self.y, self.width, self.height = x, y, width, height


class IouTracker(Tracker):
    """Joins detections to faces by overlap, follows them by template matching in between.

    A new face is reported, and numbered, at its second detection, or at the first one if the
    detector is certain; if it is in doubt both times, the second must come 0.1 s after the first.
    What is not detected a second time is forgotten. A face that a later search does not find is
    followed on while the detector, asked about its place, says that it is there, for `trust`
    seconds if it cannot tell, and no longer if it says that it has gone. A face that is lost keeps
    its number for `patience` seconds. Options: `min_iou`, the overlap
    that joins a detection to a face; `sure`, the confidence from which there is no doubt, 0 to 1 (a
    detector that gives none has none either); `patience` in seconds; `trust` in seconds, past one
    search and not past two, how long a face may be followed by template alone; `follow_size`, the
    long side in px of the shrunk frame that faces are followed on.
    """

    name = "iou"

    def __init__(
        self,
        target: str = "",
        *,
        min_iou: float = 0.3,
        sure: float = 0.6,
        patience: float = 1.0,
        trust: float = 1.2,
        follow_size: int = 320,
    ) -> None:
        super().__init__(target)
        if not 0.0 < min_iou <= 1.0:
            raise ConfigError(f"iou: min_iou must be above 0 and at most 1, got {min_iou}")
        if not 0.0 <= sure <= 1.0:
            raise ConfigError(f"iou: sure must be between 0 and 1, got {sure}")
        if patience < 0 or trust < 0 or follow_size < 24:
            raise ConfigError("iou: patience, trust must be at least 0 and follow_size at least 24")
        self._min_iou = min_iou
        self._sure = sure
        self._patience_s = patience
        self._trust_s = trust
        self._follow_size = follow_size
        self._faces: list[_Face] = []
        self._next_id = 1
        self._wants_detection = True

    @property
    def wants_detection(self) -> bool:
        """Whether a face was just lost, or a new one may have its second detection now."""
        return self._wants_detection

    def update(self, frame: Frame, detections: Sequence[Detection] | None) -> list[Track]:
        """Return the visible faces, oldest first."""
        small, scale = shrink(frame.grey, self._follow_size)
        was_visible = sum(face.visible for face in self._faces)
        for face in self._faces:
            self._follow(face, small, scale, frame.time_s)
        if detections is not None:
            self._join(detections, small, scale, frame.time_s)
            self._ask_about_missed(frame)
        self._forget(frame)
        lost = sum(face.visible for face in self._faces) < was_visible
        waiting = any(
            _is_new(face) and _may_be_confirmed(face, frame.time_s) for face in self._faces
        )
        self._wants_detection = waiting or (lost and detections is None)
        return [
            Track(f.box(frame), f.track_id, f.confidence)
            for f in self._faces
            if f.visible and f.track_id is not None
        ]

    def _follow(self, face: _Face, small: np.ndarray, scale: float, now: float) -> None:
        moved = face.template.find(
            small, *(v / scale for v in (face.x, face.y, face.width, face.height))
        )
        face.visible = moved is not None and now - face.detected_s <= self._trust_s
        if moved is not None and face.visible:
            face.move(moved[0] * scale, moved[1] * scale, face.width, face.height)
            face.seen_s = now

    def _join(
        self, detections: Sequence[Detection], small: np.ndarray, scale: float, now: float
    ) -> None:
        boxes = [d.box for d in detections]
        overlaps = sorted(
            (
                (overlap, i, j)
                for i, face in enumerate(self._faces)
                for j, box in enumerate(boxes)
                if (overlap := _iou(face.corners, box)) >= self._min_iou
                # A lost face has moved since; else a detection here would be nobody's.
                or (not face.visible and _shared(face.corners, box) > _SAME)
            ),
            reverse=True,
        )
        taken_faces: set[int] = set()
        taken_boxes: set[int] = set()
        for _, i, j in overlaps:  # best overlap first: greedy is exact enough for a few faces
            if i not in taken_faces and j not in taken_boxes:
                taken_faces.add(i)
                taken_boxes.add(j)
                self._detected(self._faces[i], detections[j], small, scale, now)
        for i, face in enumerate(self._faces):
            if i not in taken_faces and _is_new(face):
                face.hits = 0  # forgotten at once
        for j, detection in enumerate(detections):
            known = any(_shared(f.corners, detection.box) > _SAME for f in self._faces if f.hits)
            if j not in taken_boxes and not known:
                template = _template(detection.box, small, scale)
                face = _new_face(detection, template, self._is_sure(detection), now)
                self._faces.append(face)
                if detection.confidence is not None and detection.confidence >= _CERTAIN:
                    self._number(face)

    def _detected(
        self, face: _Face, detection: Detection, small: np.ndarray, scale: float, now: float
    ) -> None:
        box = detection.box
        face.move(box.x, box.y, box.width, box.height)
        face.confidence = detection.confidence
        face.template = _template(box, small, scale)
        face.detected_s = face.seen_s = now
        face.visible = True
        face.hits += 1
        face.is_sure = face.is_sure or self._is_sure(detection)
        if face.track_id is None and _may_be_confirmed(face, now):
            self._number(face)

    def _number(self, face: _Face) -> None:
        face.track_id = self._next_id
        self._next_id += 1

    def _ask_about_missed(self, frame: Frame) -> None:
        """Ask the detector about the followed faces that it did not find just now.

        A template also matches the wall that a face has left, or a turned face that is still there.
        """
        missed = [
            face
            for face in self._faces
            if face.visible and face.track_id is not None and face.detected_s < frame.time_s
        ]
        if not missed or self.look_again is None:
            return
        said = self.look_again(frame, [face.box(frame) for face in missed])
        if said is None:
            return
        for face, likely in zip(missed, said, strict=True):
            if likely >= _THERE:
                face.detected_s = frame.time_s
            elif likely < _GONE:
                face.hits = 0  # forgotten at once

    def _is_sure(self, detection: Detection) -> bool:
        return detection.confidence is None or detection.confidence >= self._sure

    def _forget(self, frame: Frame) -> None:
        self._faces = [
            face
            for face in self._faces
            if face.hits > 0 and frame.time_s - face.seen_s <= self._patience_s
        ]


def _is_new(face: _Face) -> bool:
    """Return whether a face needs another detection, or will be forgotten."""
    return face.track_id is None or face.hits == 1


def _may_be_confirmed(face: _Face, time_s: float) -> bool:
    """Return whether a detection at `time_s` is the second that a new face needs."""
    return face.is_sure or time_s - face.found_s >= _DOUBT_S - _ROUNDING_S


def _new_face(detection: Detection, template: Template, is_sure: bool, now: float) -> _Face:
    box = detection.box
    return _Face(
        box.x, box.y, box.width, box.height, detection.confidence, template, is_sure, now, now, now
    )


def _template(box: Box, small: np.ndarray, scale: float) -> Template:
    return Template(small, *(v / scale for v in (box.x, box.y, box.width, box.height)))


def _common(corners: Corners, box: Box) -> tuple[float, float, float]:
    """Return the areas of the intersection, of the first and of the second rectangle, in px."""
    left, top, right, bottom = corners
    width = min(right, box.x + box.width) - max(left, box.x)
    height = min(bottom, box.y + box.height) - max(top, box.y)
    common = max(width, 0.0) * max(height, 0.0)
    return common, (right - left) * (bottom - top), float(box.width * box.height)


def _iou(corners: Corners, box: Box) -> float:
    """Return intersection over union, 0..1."""
    common, first, second = _common(corners, box)
    return common / (first + second - common)


def _shared(corners: Corners, box: Box) -> float:
    """Return the share of the smaller rectangle that lies in the other, 0..1."""
    common, first, second = _common(corners, box)
    return common / min(first, second)
