"""The threads where all sources meet: they read the faces' emotions and hand the results on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

from fer_stream.cores import usable_cores
from fer_stream.engine.asked import scores
from fer_stream.engine.channel import Closed, Junction, Tray
from fer_stream.engine.lane import Work, source_of, stacked
from fer_stream.engine.outlets import Outlet
from fer_stream.engine.stats import RunStats
from fer_stream.engine.turns import Turns
from fer_stream.stages import Classifier
from fer_stream.types import EmotionScores, FrameResult, SourceStatus

Batch: TypeAlias = "list[Work | SourceStatus]"

_MOST = 4  # threads; from there on one source's decoding and analysis are slower


class ClassifierThreads:
    """Classify what the lanes put on their trays, and deliver the results to every outlet.

    Each thread takes a batch, classifies it, and delivers it when all that was taken before is
    delivered. They end when all trays are closed and empty, or aborted; the last one closes the
    outlets.

    Args:
        classifier: Serves all sources.
        outlets: Take the results, and the statuses that come between them.
        failed: Called, on a thread of these, with an exception that ended it, and False: nothing
            that waits for it goes on.
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
        self._outlets = outlets
        self._failed = failed
        self._durations = stats.stages["classify"]
        self._junction: Junction[Work | SourceStatus] = Junction(source_of)
        self._turns = Turns(self._junction.batches())
        count = thread_count(classifier)
        self._threads = [
            threading.Thread(
                target=self._work, args=[classifier], name=f"classify {number}", daemon=True
            )
            for number in range(1, count + 1)
        ]
        self._working = count
        self._leaving = threading.Lock()

    def start(self) -> None:
        """Start, once every lane has its tray."""
        for thread in self._threads:
            thread.start()

    def new_tray(self) -> Tray[Work | SourceStatus]:
        """Return where one more lane puts its frames, before the threads are started."""
        return self._junction.open()

    def abort(self) -> None:
        """Throw away what waits, and take no more; wakes whoever waits for room or for work."""
        self._junction.abort()
        self._turns.abort()

    def busy(self) -> list[threading.Thread]:
        """Return the threads that have not ended."""
        return [thread for thread in self._threads if thread.is_alive()]

    def _work(self, classifier: Classifier) -> None:
        try:
            while True:
                turn, batch = self._turns.take()
                try:
                    said = self._scores(classifier, batch)
                finally:  # an error waits, too: what was taken before is delivered first
                    self._turns.wait(turn)
                self._deliver(batch, said)
                self._turns.done()
        except Closed:
            pass
        except BaseException as error:
            self._failed(error, False)
            self.abort()
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._leaving:
            self._working -= 1
            if not self._working:
                for outlet in self._outlets:
                    outlet.close()

    def _scores(self, classifier: Classifier, batch: Batch) -> list[EmotionScores]:
        crops = stacked([item for item in batch if isinstance(item, Work)])
        if crops is None:
            return []
        with self._durations.time():
            return scores(classifier, crops)

    def _deliver(self, batch: Batch, said: list[EmotionScores]) -> None:
        each = iter(said)
        for item in batch:
            if isinstance(item, Work):
                self._hand_on(self._result(item, [next(each) for _ in item.crops]))
            else:
                self._hand_on(item)

    def _hand_on(self, item: FrameResult | SourceStatus) -> None:
        for outlet in self._outlets:
            outlet.deliver(item)

    def _result(self, work: Work, said: list[EmotionScores]) -> FrameResult:
        latency_ms = (time.monotonic_ns() - work.frame.captured_ns) / 1e6
        result = work.lane.finish(work, said, latency_ms)
        self.frames_done += 1
        self.frames_with_faces += bool(result.faces)
        return result


def thread_count(classifier: Classifier) -> int:
    """Return on how many threads a run on this machine classifies."""
    return min(usable_cores(), _MOST) if classifier.concurrent else 1
