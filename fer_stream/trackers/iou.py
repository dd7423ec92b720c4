"""Tracker `iou`: the same face keeps its number."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fer_stream.errors import ConfigError
from fer_stream.imaging import shrink
from fer_stream.stages import Tracker
from fer_stream.trackers.followed import FollowedFace, Small
from fer_stream.types import Box, Detection, Frame, Track

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


class IouTracker(Tracker):
    """Joins detections to faces by overlap, follows them by template matching in between.

    A new face is reported, and numbered, at its second detection, or at the first one if the
    detector is certain; if it is in doubt both times, the second must come 0.1 s after the first.
    What is not detected a second time is forgotten. A face that a later search does not find is
    followed on while the detector, asked about its place, says that it is there, for `trust`
    seconds if it cannot tell, and no longer if it says that it has gone. A face that is lost keeps
    its number for `patience` seconds, and as long over a gap, in which there is no picture at all,
    unless it looks the same after it. Where pictures are always further apart, as those of a
    folder may be, a face that is in the very next one keeps its number.

    Options: `min_iou`, the overlap that joins a detection to a face; `sure`, the confidence from
    which there is no doubt, 0 to 1 (a detector that gives none has none either); `patience` in
    seconds; `trust` in seconds, past one search and not past two, how long a face may be followed
    by template alone; `follow_size`, the long side in px of the shrunk frame that faces are
    followed on.
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
        self._faces: list[FollowedFace] = []
        # No time is longer than no number: there is no gap before the third frame.
        self._now_s = self._step_s = math.nan
        self._next_id = 1
        self._wants_detection = True

    @property
    def wants_detection(self) -> bool:
        """Whether a face was just lost, or a new one may have its second detection now."""
        return self._wants_detection

    def update(self, frame: Frame, detections: Sequence[Detection] | None) -> list[Track]:
        """Return the visible faces, oldest first."""
        small = Small(*shrink(frame.grey, self._follow_size), frame.time_s)
        were_visible = self._count_visible()
        self._follow(small)
        if detections is not None:
            self._join(detections, small)
            self._ask_about_missed(frame)
        self._forget(frame.time_s)
        lost = self._count_visible() < were_visible
        waiting = any(
            _is_new(face) and _may_be_confirmed(face, frame.time_s) for face in self._faces
        )
        self._wants_detection = waiting or (lost and detections is None)
        return [
            Track(face.box(frame), face.track_id, face.confidence)
            for face in self._faces
            if face.is_visible and face.track_id is not None
        ]

    def _follow(self, small: Small) -> None:
        """Follow all faces; forget those that are not the same after a gap."""
        step_s = small.now_s - self._now_s
        over_gap = step_s > self._patience_s + self._step_s  # a slow film has no gaps
        self._now_s, self._step_s = small.now_s, step_s
        self._faces = [
            face for face in self._faces if face.follow(small, self._trust_s) or not over_gap
        ]

    def _count_visible(self) -> int:
        return sum(face.is_visible for face in self._faces)

    def _join(self, detections: Sequence[Detection], small: Small) -> None:
        """Give each detection to the face that it shows, or make a new face of it."""
        pairs = self._pairs(detections)
        for i, j in pairs.items():
            self._confirm(self._faces[i], detections[j], small)
        for i, face in enumerate(self._faces):
            if i not in pairs and _is_new(face):
                face.has_gone = True
        for detection in detections:
            if not self._is_known(detection.box):
                self._add(detection, small)

    def _pairs(self, detections: Sequence[Detection]) -> dict[int, int]:
        """Return places of faces and of the detections that show them, the best overlap first."""
        overlaps = sorted(
            (
                (overlap, i, j)
                for i, face in enumerate(self._faces)
                for j, detection in enumerate(detections)
                if (overlap := face.iou(detection.box)) >= self._min_iou
                # A lost face has moved since; else a detection here would be nobody's.
                or (not face.is_visible and face.shared(detection.box) > _SAME)
            ),
            reverse=True,
        )
        pairs: dict[int, int] = {}
        for _, i, j in overlaps:  # greedy is exact enough for a few faces
            if i not in pairs and j not in pairs.values():
                pairs[i] = j
        return pairs

    def _confirm(self, face: FollowedFace, detection: Detection, small: Small) -> None:
        face.detected(detection, small, self._is_sure(detection))
        face.is_confirmed = True
        if face.track_id is None and _may_be_confirmed(face, small.now_s):
            self._number(face)

    def _add(self, detection: Detection, small: Small) -> None:
        face = FollowedFace(detection, small, self._is_sure(detection))
        self._faces.append(face)
        if detection.confidence is not None and detection.confidence >= _CERTAIN:
            self._number(face)

    def _number(self, face: FollowedFace) -> None:
        face.track_id = self._next_id
        self._next_id += 1

    def _ask_about_missed(self, frame: Frame) -> None:
        """Ask the detector about the followed faces that it did not find just now.

        A template also matches the wall that a face has left, or a turned face that is still there.
        """
        missed = [
            face
            for face in self._faces
            if face.is_visible and not face.has_gone and face.detected_s < frame.time_s
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
                face.has_gone = True

    def _is_sure(self, detection: Detection) -> bool:
        return detection.confidence is None or detection.confidence >= self._sure

    def _is_known(self, box: Box) -> bool:
        """Return whether a box shows a face that is known, badly framed."""
        return any(face.shared(box) > _SAME for face in self._faces if not face.has_gone)

    def _forget(self, now_s: float) -> None:
        self._faces = [
            face
            for face in self._faces
            if not face.has_gone and now_s - face.seen_s <= self._patience_s
        ]


def _is_new(face: FollowedFace) -> bool:
    """Return whether a face needs another detection, or will be forgotten."""
    return face.track_id is None or not face.is_confirmed


def _may_be_confirmed(face: FollowedFace, now_s: float) -> bool:
    """Return whether a detection now is the second that a new face needs."""
    return face.is_sure or now_s - face.found_s >= _DOUBT_S - _ROUNDING_S
