"""The sinks on the thread that runs the engine, windows; they too come back after an error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from fer_stream.engine.backoff import Backoff
from fer_stream.engine.outlets import Caller, Outlet, is_between
from fer_stream.errors import SinkError, StopStream
from fer_stream.types import FrameResult, RunInfo, SourceStatus


class MainSinks(Outlet):
    """What waits for the engine's own thread, and the sinks that take it there.

    Args:
        callers: The sinks, possibly none: then it serves whoever iterates the results.
        failed: Called with the `SinkError` that broke one of them off, and whether it is a new
            trouble or goes on from the last; returns whether to try the sink again.
        stop: Called when one asks to finish the run.
    """

    def __init__(
        self,
        callers: Sequence[Caller],
        failed: Callable[[SinkError, bool], bool],
        stop: Callable[[], None],
    ) -> None:
        super().__init__()
        self.problems: list[SinkError] = []
        """What went wrong in closing, and with those that did not work in the end."""
        self._windows = [_Window(caller) for caller in callers]
        self._failed = failed
        self._stop = stop
        self._states: dict[str, SourceStatus] = {}

    def open(self, run: RunInfo) -> None:
        """Open the sinks; on an error those that were opened are closed."""
        opened: list[_Window] = []
        try:
            for window in self._windows:
                try:
                    window.open(run)
                    opened.append(window)
                except StopStream:
                    self._stop()
        except BaseException:
            for window in opened:
                window.close()
            raise
        self._windows = opened

    def deliver(self, item: FrameResult | SourceStatus) -> int:
        """Hand on a result or status, and count what was dropped for it."""
        if is_between(item) and not any(one.caller.takes(item) for one in self._windows):
            return 0
        dropped = super().deliver(item)
        for window in self._windows:
            window.caller.stats.results["dropped"] += dropped
        return dropped

    def serve(self, item: FrameResult | SourceStatus | None) -> None:
        """Give the sinks a result or status, or time for themselves."""
        if isinstance(item, SourceStatus):
            self._states[item.source_id] = item
        for window in list(self._windows):
            try:
                window.serve(item, self._states.values())
            except StopStream:
                self._retire(window)
                self._stop()
            except SinkError as error:
                if self._failed(error, window.error is None):
                    window.rest(error)
                else:
                    window.error = None  # the run has it
                    self._retire(window)

    def lingers(self) -> bool:
        """Return whether one still shows what it was given."""
        return any(window.lingers for window in self._windows)

    def hurry(self) -> None:
        """Tell them that the run is to stop."""
        for window in self._windows:
            window.caller.sink.stopping = True

    def end(self) -> None:
        """Close the sinks that are still open."""
        for window in list(self._windows):
            self._retire(window)

    def _retire(self, window: _Window) -> None:
        self._windows.remove(window)
        # Opened again, but given nothing since: then it has not shown that it works.
        if problem := window.close() or window.error:
            self.problems.append(problem)


class _Window:
    """A sink that is served step by step, for the engine's thread must not wait with it."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.error: SinkError | None = None
        """Why it did not work last; None once it works again."""
        self._run: RunInfo | None = None
        self._backoff = Backoff()
        self._is_open = False
        self._turned_s = 0.0
        """When it was opened or closed last, on the monotonic clock."""
        self._wait_s = 0.0

    @property
    def lingers(self) -> bool:
        """Whether the run is to wait for it."""
        return self._is_open and self.caller.sink.lingers

    def open(self, run: RunInfo) -> None:
        """Open the sink; raises as `Caller.open` does."""
        self.caller.open(run)
        self._run, self._is_open, self._turned_s = run, True, time.monotonic()

    def close(self) -> SinkError | None:
        """Close the sink, if it is open; return, not raise, what went wrong."""
        is_open, self._is_open = self._is_open, False
        return self.caller.close() if is_open else None

    def rest(self, error: SinkError) -> None:
        """Close the sink after an error, for a while."""
        worked_s = time.monotonic() - self._turned_s
        self.close()
        self.error = error
        self._rest(worked_s)

    def serve(
        self, item: FrameResult | SourceStatus | None, states: Iterable[SourceStatus]
    ) -> None:
        """Give the sink what comes, or time for itself, once it is open.

        Args:
            item: A result or status, or None.
            states: How the sources are; a status that is `item` is one of them.
        """
        if not self._is_open and self._open_again():
            for status in states:
                self.caller.take(status)
        elif isinstance(item, SourceStatus) and self._is_open:
            self.caller.take(item)
        if isinstance(item, FrameResult) and self.caller.takes(item):
            self._write(item)
        elif item is None and self._is_open:
            self.caller.idle()

    def _write(self, result: FrameResult) -> None:
        if not self._is_open:
            self.caller.stats.results["failed"] += 1
            return
        self.caller.take(result)
        if self.error is not None:
            self.error = None
            self.caller.works_again()

    def _open_again(self) -> bool:
        """Open the sink if it has rested for long enough; return whether it is open."""
        assert self._run is not None
        if time.monotonic() < self._turned_s + self._wait_s:
            return False
        try:
            self.open(self._run)
        except (StopStream, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            self.error = self.caller.blamed(error, "cannot be opened again")
            self._rest(worked_s=0.0)
            return False
        self.caller.stats.restarts += 1
        return True

    def _rest(self, worked_s: float) -> None:
        self._turned_s, self._wait_s = time.monotonic(), self._backoff.wait_s(worked_s)
