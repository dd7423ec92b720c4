"""A sink that comes back after an error, step by step: nobody who serves it waits with it."""

from __future__ import annotations

import time
from collections.abc import Callable

from fer_stream.engine.backoff import Backoff
from fer_stream.engine.outlets import Caller
from fer_stream.errors import FerStreamError, SinkError, StopStream
from fer_stream.types import FrameResult, RunInfo, SourceStatus


class ReturningSink:
    """A sink, and what becomes of it.

    open -> resting   It failed, and the run goes on all the same: it is closed for a while.
    resting -> open   The while is over. It is told how the sources are, for some may have changed
                      since; what came meanwhile is lost to it, and counted.

    Args:
        caller: The sink.
        failed: Called with the `SinkError` that broke it off, and whether it is a new trouble or
            goes on from the last; returns whether to try the sink again.
        stop: Called when the sink asks to finish the run.
    """

    def __init__(
        self, caller: Caller, failed: Callable[[SinkError, bool], bool], stop: Callable[[], None]
    ) -> None:
        self.caller = caller
        self.error: SinkError | None = None
        """Why it did not work, or not close, last; None once it has taken a result again."""
        self.is_open = False
        self._failed = failed
        self._stop = stop
        self._run: RunInfo | None = None
        self._states: dict[str, SourceStatus] = {}
        self._backoff = Backoff()
        self._turned_s = 0.0
        """When it was opened or closed last, on the monotonic clock."""
        self._rest_s = 0.0

    @property
    def rest_left_s(self) -> float | None:
        """How long until it is to be opened again, s; None while it is open."""
        return None if self.is_open else max(self._turned_s + self._rest_s - time.monotonic(), 0.0)

    def open(self, run: RunInfo) -> None:
        """Open the sink; raises as `Caller.open` does."""
        self.caller.open(run)
        self._run, self.is_open, self._turned_s = run, True, time.monotonic()

    def serve(self, item: FrameResult | SourceStatus | None) -> bool:
        """Give the sink what comes, or, for None, time for itself; open it again if it is time.

        Returns whether to go on; else it asked to finish, or failed and is not to be tried again.
        """
        try:
            self._serve(item)
        except StopStream:
            self._stop()
            return False
        except SinkError as error:
            if not self._failed(error, self.error is None):
                self.error = None  # the run has it
                return False
            worked_s = time.monotonic() - self._turned_s
            self._close()
            self._rest(error, worked_s)
        return True

    def end(self) -> None:
        """Close the sink, if it is open; what went wrong is left in `error`."""
        # Opened again, but given nothing since: then it has not shown that it works.
        self.error = self._close() or self.error

    def _serve(self, item: FrameResult | SourceStatus | None) -> None:
        if isinstance(item, SourceStatus):
            self._states[item.source_id] = item
        if not self.is_open:
            if self._open_again():
                for status in self._states.values():
                    self.caller.take(status)
        elif isinstance(item, SourceStatus):
            self.caller.take(item)
        elif item is None:
            self.caller.idle()
        if isinstance(item, FrameResult):
            self._write(item)

    def _write(self, result: FrameResult) -> None:
        if not self.is_open:
            self.caller.stats.results["failed"] += 1
            return
        self.caller.take(result)
        if self.error is not None:
            self.error = None
            self.caller.works_again()

    def _open_again(self) -> bool:
        """Open the sink if it has rested for long enough; return whether it is open."""
        assert self._run is not None
        if self.rest_left_s:
            return False
        try:
            self.open(self._run)
        except StopStream:
            raise
        except FerStreamError as error:
            self._rest(self.caller.blamed(error, "cannot be opened again"), worked_s=0.0)
            return False
        self.caller.stats.restarts += 1
        return True

    def _rest(self, error: SinkError, worked_s: float) -> None:
        self.error = error
        self._turned_s, self._rest_s = time.monotonic(), self._backoff.wait_s(worked_s)

    def _close(self) -> SinkError | None:
        is_open, self.is_open = self.is_open, False
        return self.caller.close() if is_open else None
