"""The thread where all sources meet: it reads the faces' emotions and hands the results on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from fer_stream.engine.blame import Blamed, refuse
from fer_stream.engine.channel import Junction, Tray
from fer_stream.engine.lane import Work, source_of, stacked
from fer_stream.engine.outlets import Outlet
from fer_stream.engine.stats import RunStats
from fer_stream.promises import scores_problem
from fer_stream.stages import Classifier
from fer_stream.types import EmotionScores, FrameResult, SourceStatus
from fer_stream.words import counted


class ClassifierThread:
    """Classifies what the lanes put on its trays, and delivers the results to every outlet.

    It ends when all trays are closed and empty, or aborted, and closes the outlets then.

    Args:
        classifier: Serves all sources.
        outlets: Take the results, and the statuses that come between them.
        failed: Called, on this thread, with an exception that ended it, and False: nothing that
            waits for it goes on.
        stats: The run's numbers.
    """

    def __init__(
        self,
        classifier: Classifier,
        outlets: Sequence[Outlet],
        failed: Callable[[BaseException, bool], None],
        stats: RunStats,
    ) -> None:
        self.frames_done = 0
        self.frames_with_faces = 0
        self._classifier = classifier
        self._outlets = outlets
        self._failed = failed
        self._durations = stats.stages["classify"]
        self._junction: Junction[Work | SourceStatus] = Junction(source_of)
        self.thread = threading.Thread(target=self._work, name="classify", daemon=True)

    def new_tray(self) -> Tray[Work | SourceStatus]:
        """Return where one more lane puts its frames, before the thread is started."""
        return self._junction.open()

    def abort(self) -> None:
        """Throw away what waits, and take no more; wakes whoever waits for room or for work."""
        self._junction.abort()

    def _work(self) -> None:
        try:
            for batch in self._junction.batches():
                works = [item for item in batch if isinstance(item, Work)]
                crops = stacked(works)
                scores = iter(self._scores(crops) if crops is not None else ())
                for item in batch:
                    if isinstance(item, SourceStatus):
                        self._deliver(item)
                    else:
                        self._deliver(self._result(item, [next(scores) for _ in item.crops]))
        except BaseException as error:
            self._failed(error, False)
        finally:
            self.abort()
            for outlet in self._outlets:
                outlet.close()

    def _scores(self, crops: npt.NDArray[np.uint8]) -> list[EmotionScores]:
        classifier, where = self._classifier, f"with {counted(len(crops), 'face')}"
        with self._durations.time(), Blamed(classifier, where):
            scores = classifier.classify(crops)
        refuse(classifier, where, scores_problem(scores, len(crops), classifier.labels))
        return scores

    def _result(self, work: Work, scores: list[EmotionScores]) -> FrameResult:
        latency_ms = (time.monotonic_ns() - work.frame.captured_ns) / 1e6
        result = work.lane.finish(work, scores, latency_ms)
        self.frames_done += 1
        self.frames_with_faces += bool(result.faces)
        return result

    def _deliver(self, item: FrameResult | SourceStatus) -> None:
        for outlet in self._outlets:
            outlet.deliver(item)
