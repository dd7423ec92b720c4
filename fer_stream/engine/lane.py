"""One source's way through the engine, up to the classifier: read, detect, track, crop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fer_stream.engine.blame import Blamed, at, refuse
from fer_stream.engine.channel import Channel, Closed, Tray
from fer_stream.engine.finder import Finder
from fer_stream.engine.schedule import AnalysisPace, DetectionSchedule
from fer_stream.engine.stats import RunStats
from fer_stream.engine.supervisor import Origin, Supervisor
from fer_stream.imaging import crop_face
from fer_stream.promises import answer_problem, labels_problem
from fer_stream.stages import Classifier, Detector, Filter, Tracker
from fer_stream.types import (
    EmotionScores,
    Face,
    Frame,
    FrameResult,
    GreyImage,
    SourceStatus,
    StreamInfo,
    Track,
)

GROUP = 4
"""Frames of a file that are classified together; each holds a picture."""
_GROUP_PX = 5_000_000  # of their pictures: two of 1920x1080, one of 4K
_AHEAD = 24
"""Frames of a file that may wait before the analysis, and after it: during a search, which takes as
long as twenty frames without one, the decoder and the classifier have something to do."""
AHEAD_PX = 8_000_000
"""Pixels of their pictures, for all files of a run: three of 1920x1080 in either place."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a lane is made of; sources, trackers and filters are made afresh for each session."""

    origin: Origin
    detector: Detector
    new_tracker: Callable[[], Tracker]
    new_filters: Callable[[], list[Filter]]
    detect_every: int | None = None
    """N: detect on every N-th frame; None: whenever the picture asks for it."""
    analyse_fps: float | None = None
    """How many frames of a second to analyse; None: all. The others' faces are not read."""


@dataclass(slots=True)
class Work:
    """A frame whose faces wait for their scores."""

    lane: Lane
    frame: Frame
    tracks: list[Track]
    crops: list[GreyImage]
    """One for each track; none if the frame is not analysed."""
    analysed: bool
    dropped: int


class Lane:
    """A source with the threads that serve it alone: its supervisor's, and one that analyses.

    Args:
        plan: The stages.
        classifier: Says which crops it wants, and with which labels it will answer.
        tray: Where frames with cropped faces, and statuses, are handed on.
        ahead_px: How many pixels of a file's pictures may wait before the analysis, and after it.
        failed: Called, on the thread concerned, with an exception that ended a thread, and whether
            the frames before it still go on.
        stats: The run's numbers.
    """

    def __init__(
        self,
        plan: Plan,
        classifier: Classifier,
        tray: Tray[Work | SourceStatus],
        ahead_px: int,
        failed: Callable[[BaseException, bool], None],
        stats: RunStats,
    ) -> None:
        self._crop_size, self._labels = classifier.input_size, classifier.labels
        self._tray = tray
        self._ahead_px = ahead_px
        self._failed = failed
        self._stages = stats.stages
        self._inbox: Channel[Frame | SourceStatus] = Channel(1, about=source_of)
        self.source = Supervisor(plan.origin, self._inbox, self._make_room, failed, stats)
        self.stats = self.source.stats
        self.group = GROUP
        """How many of its frames are classified together, and may wait for each sink."""
        # Given to the thread and not kept, as a session's source.
        self._analyser = threading.Thread(target=self._analyse, args=[plan], daemon=True)
        self._new_filters = plan.new_filters
        self._reads_all = plan.analyse_fps is None
        # What `finish` remembers of the session that it is in, whose first frame is analysed:
        self._session = -1
        self._filters: list[Filter] = []
        self._last_read: dict[int | None, Face] = {}
        """By track: the face as it was when its emotion was last read."""

    def start(self) -> None:
        """Start reading and analysing."""
        self._analyser.name = f"analyse {self.source.source_id}"
        self._analyser.start()
        self.source.start()

    def stop(self) -> None:
        """Read no more; what was read is still analysed."""
        self.source.stop()

    def abort(self) -> None:
        """Throw away what was read, and read no more."""
        self._inbox.abort()
        self.source.stop()

    def threads(self) -> list[threading.Thread]:
        """Return the threads to wait for once it is stopped."""
        return [self._analyser, *self.source.threads()]

    # -- the threads that read and analyse ---------------------------------------------------

    def _make_room(self, info: StreamInfo) -> None:
        if info.live:
            return  # one in either place, as there is from the start: nothing may lag
        if info.stills:  # they may be huge, and each has a group of faces
            self._tray.collect_by(1)
            return
        picture_px = info.width * info.height
        self.group = max(min(GROUP, _GROUP_PX // picture_px), 1)
        self._inbox.capacity = ahead = max(min(_AHEAD, self._ahead_px // picture_px), 2)
        self._tray.collect_by(self.group, ahead)

    def _analyse(self, plan: Plan) -> None:
        try:
            finder, session = None, -1
            for item in self._inbox:
                if isinstance(item, SourceStatus):
                    self._tray.put_note(item)
                    continue
                if finder is None or item.info.session != session:
                    finder, session = self._new_finder(plan), item.info.session
                self._tray.put(self._work(item, *finder.find(item)))
        except Closed:
            pass
        except BaseException as error:
            self._failed(error, False)
        finally:
            self._inbox.abort()  # wakes a reader that waits for room
            self._tray.close()

    def _new_finder(self, plan: Plan) -> Finder:
        schedule, pace = DetectionSchedule(plan.detect_every), AnalysisPace(plan.analyse_fps)
        return Finder(plan.detector, plan.new_tracker(), schedule, pace, self._stages)

    def _work(self, frame: Frame, tracks: list[Track], analysed: bool) -> Work:
        cut = tracks if analysed else []
        crops = [crop_face(frame, track.box, self._crop_size) for track in cut]
        return Work(self, frame, tracks, crops, analysed, self.stats.frames_dropped["late"])

    # -- the classifier threads --------------------------------------------------------------

    def finish(self, work: Work, scores: list[EmotionScores], latency_ms: float) -> FrameResult:
        """Run the filters over a frame's faces; called in order, on any classifier thread."""
        frame = work.frame
        if frame.info.session != self._session or frame.info.stills:
            self._session = frame.info.session
            self._filters = self._new_filters()
        faces = self._analysed(work, scores) if work.analysed else self._followed(work)
        self.stats.frames_processed += 1
        return FrameResult(frame, tuple(faces), latency_ms, work.dropped, work.analysed)

    def _analysed(self, work: Work, scores: list[EmotionScores]) -> list[Face]:
        where = at(work.frame)
        faces = [
            Face(track.box, score, track.confidence, track.track_id)
            for track, score in zip(work.tracks, scores, strict=True)
        ]
        with self._stages["filter"].time():
            for stage in self._filters:
                with Blamed(stage, where):
                    faces = stage.apply(work.frame, faces)
                refuse(stage, where, answer_problem(faces, Face, "apply", work.frame))
                refuse(stage, where, labels_problem(faces, self._labels))
        if not self._reads_all:
            self._last_read = {face.track_id: face for face in faces if face.track_id is not None}
        return faces

    def _followed(self, work: Work) -> list[Face]:
        """Return the faces that were read before, where they are now."""
        return [
            replace(self._last_read[track.track_id], box=track.box)
            for track in work.tracks
            if track.track_id in self._last_read
        ]


def source_of(item: object) -> str | None:
    """Return which source a status is about; None for anything else."""
    return item.source_id if isinstance(item, SourceStatus) else None


def stacked(works: list[Work]) -> np.ndarray | None:
    """Return all crops as (N, height, width) uint8, or None if there are none."""
    crops = [crop for work in works for crop in work.crops]
    return np.stack(crops) if crops else None
