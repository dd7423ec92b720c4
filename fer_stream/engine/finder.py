"""Finds the faces of a session: searches for them when it is time, follows them in between."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from fer_stream.engine.asked import detections, second_look
from fer_stream.engine.blame import Blamed, at, refuse
from fer_stream.engine.schedule import AnalysisPace, DetectionSchedule
from fer_stream.engine.stats import Histogram
from fer_stream.promises import answer_problem
from fer_stream.stages import Detector, Tracker
from fer_stream.types import Detection, Frame, Track


class Finder:
    """Asks detector and tracker about a session's frames, one after the other.

    Args:
        detector: Searches.
        tracker: New; follows, and may ask the detector about what it follows.
        schedule: New; says when to search.
        pace: New; says which frames to analyse.
        durations: By stage: where to note how long `detect` and `track` take.
    """

    def __init__(
        self,
        detector: Detector,
        tracker: Tracker,
        schedule: DetectionSchedule,
        pace: AnalysisPace,
        durations: Mapping[str, Histogram],
    ) -> None:
        self._detector = detector
        self._tracker = tracker
        tracker.look_again = partial(second_look, detector)
        self._schedule = schedule
        self._pace = pace
        self._durations = durations
        self._tracks: list[Track] = []

    def find(self, frame: Frame) -> tuple[list[Track], bool]:
        """Return the faces of the session's next frame, and whether to read them."""
        if frame.info.stills:
            return [Track(face.box, None, face.confidence) for face in self._searched(frame)], True
        analysed = self._pace.due(frame)
        # Between analysed frames too: those alone may be seconds apart, and show no face twice.
        # What nobody follows would be searched for in vain.
        searchable = analysed or self._tracker.follows
        due = searchable and self._schedule.due(frame, self._tracker.wants_detection, self._tracks)
        self._tracks = self._updated(frame, self._searched(frame) if due else None)
        if searchable and not due and self._tracker.wants_detection:
            # On this very frame, not on the next: it may be the first after a cut.
            self._schedule.searched(frame)
            self._tracks = self._updated(frame, self._searched(frame))
        return self._tracks, analysed

    def _searched(self, frame: Frame) -> list[Detection]:
        with self._durations["detect"].time():
            return detections(self._detector, frame)

    def _updated(self, frame: Frame, detections: list[Detection] | None) -> list[Track]:
        with self._durations["track"].time(), Blamed(self._tracker, at(frame)):
            tracks = self._tracker.update(frame, detections)
        refuse(self._tracker, at(frame), answer_problem(tracks, Track, "update", frame))
        return tracks
