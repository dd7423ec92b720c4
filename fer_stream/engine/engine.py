"""The engine: sources through detector, tracker, classifier and filters to sinks.

A frame's way, one direction: reader thread -> analysis thread (both per source) -> classifier
threads -> a thread per sink, joined by bounded queues. Files lose nothing: a full queue makes the
stage before it wait. A live source never lags: its newest frame replaces one that waits. What a
source's supervisor has to say of it travels the same way, in its place between the frames.
How a run ends is told in `ending.py`.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Literal

from fer_stream.engine.channel import Closed
from fer_stream.engine.classifier_threads import ClassifierThreads
from fer_stream.engine.ending import STOP_S, Ending, join_until
from fer_stream.engine.lane import AHEAD_PX, Lane, Plan
from fer_stream.engine.main_sinks import MainSinks
from fer_stream.engine.outlets import Caller, Outlet
from fer_stream.engine.sink_thread import SinkThread
from fer_stream.engine.stats import RunStats
from fer_stream.errors import ConfigError, SinkError
from fer_stream.stages import Classifier, Sink
from fer_stream.types import FrameResult, RunInfo, SourceStatus

logger = logging.getLogger("fer_stream")

_IDLE_S = 0.02  # how often the calling thread looks after windows and signals


class Engine:
    """One run. Call `start`, then `run` or iterate `results`, on one thread, once.

    Args:
        plans: One for each source.
        classifier: Serves all sources.
        sinks: Take all results.
        run: What the sinks are told.
        collect: Whether `results` yields the results themselves, for callers without a sink.
        on_sink_error: `stop` the run at a sink's error, `continue` and try the sink again, or
            `auto`: stop over files, where a silent hole is worse than a stop, continue if all
            sources are live.
    """

    def __init__(
        self,
        plans: Sequence[Plan],
        classifier: Classifier,
        sinks: Sequence[Sink],
        run: RunInfo,
        *,
        collect: bool = False,
        on_sink_error: Literal["auto", "stop", "continue"] = "auto",
    ) -> None:
        self.stats = RunStats()
        self._run_info = run
        self._on_sink_error = on_sink_error
        callers = [Caller(sink, self.stats) for sink in sinks]
        windows = [caller for caller in callers if caller.sink.main_thread]
        self._main: MainSinks | None = None
        if collect or windows:
            self._main = MainSinks(windows, self._sink_failed, self.request_stop)
        self._threads = [
            SinkThread(caller, self._sink_failed, self.request_stop)
            for caller in callers
            if not caller.sink.main_thread
        ]
        self._outlets: list[Outlet] = [*self._threads, *([self._main] if self._main else [])]
        self._classifying = ClassifierThreads(classifier, self._outlets, self._failed, self.stats)
        ahead_px = AHEAD_PX // len(plans)
        self.lanes = [
            Lane(plan, classifier, self._classifying.new_tray(), ahead_px, self._failed, self.stats)
            for plan in plans
        ]
        self._errors: list[BaseException] = []
        self._ending = Ending(self.lanes, self._classifying, self._threads, self._main)
        self._has_ended = False
        self.has_begun = False
        """Whether something may have been read: from then on an end has to be asked for."""
        self.left_behind: list[threading.Thread] = []
        """Readers that were blocked in a device or connection when the run ended."""

    # -- the caller's side -------------------------------------------------------------------

    def start(self) -> None:
        """Open files, then sinks, and start; on an error all that was opened is closed.

        A live source is opened once the run goes, for as long and as often as that takes.
        """
        try:
            for lane in self.lanes:
                if not lane.source.live:
                    lane.source.open()
            for outlet in self._outlets:
                outlet.waiting.capacity = sum(lane.group for lane in self.lanes)
            self._name_run()
            self._open_sinks()
        except BaseException:
            for lane in self.lanes:
                lane.source.release()
            raise
        self.has_begun = True
        self._classifying.start()
        for lane in self.lanes:
            lane.start()

    def run(self, tick: Callable[[], None] = lambda: None) -> None:
        """Wait until the run ends; raise the error that ended it.

        `tick` is called in between, about every 20 ms.
        """
        for _ in self.results():
            tick()

    def results(self) -> Generator[FrameResult | None, None, None]:
        """Yield results as they come, None about every 20 ms without one, until the run ends.

        The main-thread sinks are served in between. Closing the iterator ends the run. Raises the
        error that ended the run, or, after everything was delivered, the first error of a source,
        or of a sink that did not work in the end.
        """
        try:
            while not self._ending.is_over():
                item = self._next_item()
                if self._main is not None:
                    self._main.serve(item)
                yield item if isinstance(item, FrameResult) and item.analysed else None
        except BaseException:  # the caller closed us, or was interrupted
            self.close()
            raise
        self._end()
        if self._errors:
            for error in self._errors[1:]:
                logger.error("%s", error)
            raise self._errors[0]

    def close(self) -> None:
        """End a started run at once; what went wrong in it is only logged."""
        if not self._has_ended:
            self._ending.abort()
            self._end()
            for error in self._errors:
                logger.error("%s", error)

    def request_stop(self) -> None:
        """Ask for an orderly end; safe from any thread and from a signal handler."""
        self._ending.ask()

    @property
    def frames_done(self) -> int:
        """How many frames were handed on, to whoever takes them."""
        return self._classifying.frames_done

    @property
    def frames_with_faces(self) -> int:
        """How many of them showed a face."""
        return self._classifying.frames_with_faces

    @property
    def live(self) -> bool:
        """Whether all sources are live: then no sink is waited for."""
        return all(lane.source.live for lane in self.lanes)

    # -- opening -----------------------------------------------------------------------------

    def _name_run(self) -> None:
        names = [lane.source.source_id for lane in self.lanes]
        for number, name in enumerate(names):
            if name in names[:number]:
                raise ConfigError(
                    f"two sources are called '{name}'; their rows could not be told apart: "
                    "name one, as in --source door=rtsp://camera/1"
                )
        # Files give the same ids in each run; of a camera no frame comes twice.
        is_live = any(lane.source.live for lane in self.lanes)
        run_id = os.urandom(4).hex() if is_live else ""
        infos = [lane.source.info for lane in self.lanes]
        stills = frozenset(info.source_id for info in infos if info and info.stills)
        self._run_info = replace(self._run_info, sources=tuple(names), run_id=run_id, stills=stills)

    def _open_sinks(self) -> None:
        if self._main is not None:
            self._main.open(self._run_info)
        try:
            for thread in self._threads:
                thread.start(self._run_info)
        except BaseException:
            if self._main is not None:
                self._main.end()
            for thread in self._threads:
                thread.close()
            join_until(self._ending.busy(), time.monotonic() + STOP_S)
            raise

    # -- running -----------------------------------------------------------------------------

    def _next_item(self) -> FrameResult | SourceStatus | None:
        """Wait for what the main-thread sinks or the caller are to get; None after a while."""
        if self._main is not None:
            try:
                return self._main.waiting.get(_IDLE_S)
            except TimeoutError:
                return None
            except Closed:
                pass
        if busy := self._ending.busy():
            busy[0].join(_IDLE_S)
        else:
            time.sleep(_IDLE_S)  # a window lingers
        return None

    def _end(self) -> None:
        """Close what is open, and wait for everybody, once nothing is waited for any more."""
        self._has_ended = True
        if self._main is not None:
            self._main.end()
            self._errors += self._main.problems
        self._errors += self._ending.leave_sinks()
        self.left_behind = self._ending.leave_readers()

    # -- errors ------------------------------------------------------------------------------

    def _failed(self, error: BaseException, late: bool) -> None:
        self._errors.append(error)
        if not late:
            self._ending.abort()
            self.request_stop()  # from now on a sink that hangs is waited for no longer

    def _sink_failed(self, error: SinkError, is_new: bool) -> bool:
        if self._goes_on():
            if is_new:
                logger.error("%s; trying it again", error)
            return True
        self._errors.append(error)
        self.request_stop()
        return False

    def _goes_on(self) -> bool:
        return self._on_sink_error == "continue" or (self._on_sink_error == "auto" and self.live)
