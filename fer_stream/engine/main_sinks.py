"""The sinks that live on the thread that runs the engine: windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fer_stream.engine.outlets import Caller, Outlet, is_between
from fer_stream.errors import SinkError, StopStream
from fer_stream.types import FrameResult, RunInfo, SourceStatus


class MainSinks(Outlet):
    """What waits for the engine's own thread, and the sinks that take it there.

    Args:
        callers: The sinks, possibly none: then it serves whoever iterates the results.
        failed: Called with an error that ended one of them.
        stop: Called when one asks to finish the run.
    """

    def __init__(
        self,
        callers: Sequence[Caller],
        failed: Callable[[SinkError], None],
        stop: Callable[[], None],
    ) -> None:
        super().__init__()
        self.problems: list[SinkError] = []
        """What went wrong in closing."""
        self._callers = list(callers)
        self._failed = failed
        self._stop = stop

    def open(self, run: RunInfo) -> None:
        """Open the sinks; on an error those that were opened are closed."""
        opened: list[Caller] = []
        try:
            for caller in self._callers:
                try:
                    caller.open(run)
                    opened.append(caller)
                except StopStream:
                    self._stop()
        except BaseException:
            for caller in opened:
                caller.close()
            raise
        self._callers = opened

    def deliver(self, item: FrameResult | SourceStatus) -> int:
        """Hand on a result or status, and count what was dropped for it."""
        if is_between(item) and not any(caller.takes(item) for caller in self._callers):
            return 0
        dropped = super().deliver(item)
        for caller in self._callers:
            caller.stats.results["dropped"] += dropped
        return dropped

    def serve(self, item: FrameResult | SourceStatus | None) -> None:
        """Give the sinks a result or status, or time for themselves."""
        for caller in list(self._callers):
            try:
                if item is None:
                    caller.idle()
                elif caller.takes(item):
                    caller.take(item)
            except StopStream:
                self._retire(caller)
                self._stop()
            except SinkError as error:
                self._failed(error)
                self._retire(caller)

    def lingers(self) -> bool:
        """Return whether one still shows what it was given."""
        return any(caller.sink.lingers for caller in self._callers)

    def hurry(self) -> None:
        """Tell them that the run is to stop."""
        for caller in self._callers:
            caller.sink.stopping = True

    def end(self) -> None:
        """Close the sinks that are still open."""
        for caller in list(self._callers):
            self._retire(caller)

    def _retire(self, caller: Caller) -> None:
        self._callers.remove(caller)
        if problem := caller.close():
            self.problems.append(problem)
