"""The sinks on the thread that runs the engine: windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fer_stream.engine.outlets import Caller, Outlet, is_between
from fer_stream.engine.returning_sink import ReturningSink
from fer_stream.errors import SinkError, StopStream
from fer_stream.types import FrameResult, RunInfo, SourceStatus


class MainSinks(Outlet):
    """What waits for the engine's own thread, and the sinks that take it there.

    Args:
        callers: The sinks, possibly none: then it serves whoever iterates the results.
        failed: What `ReturningSink` asks when one of them breaks off.
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
        self._sinks = [ReturningSink(caller, failed, stop) for caller in callers]
        self._stop = stop

    def open(self, run: RunInfo) -> None:
        """Open the sinks; on an error those that were opened are closed."""
        opened: list[ReturningSink] = []
        try:
            for sink in self._sinks:
                try:
                    sink.open(run)
                    opened.append(sink)
                except StopStream:
                    self._stop()
        except BaseException:
            for sink in opened:
                sink.end()
            raise
        self._sinks = opened

    def deliver(self, item: FrameResult | SourceStatus) -> int:
        """Hand on a result or status, and count what was dropped for it."""
        if is_between(item) and not any(sink.caller.takes(item) for sink in self._sinks):
            return 0
        dropped = super().deliver(item)
        for sink in self._sinks:
            sink.caller.stats.results["dropped"] += dropped
        return dropped

    def serve(self, item: FrameResult | SourceStatus | None) -> None:
        """Give the sinks a result or status, or time for themselves."""
        for sink in list(self._sinks):
            if (item is None or sink.caller.takes(item)) and not sink.serve(item):
                self._retire(sink)

    def lingers(self) -> bool:
        """Return whether one still shows what it was given."""
        return any(sink.is_open and sink.caller.sink.lingers for sink in self._sinks)

    def hurry(self) -> None:
        """Tell them that the run is to stop."""
        for sink in self._sinks:
            sink.caller.sink.stopping = True

    def end(self) -> None:
        """Close the sinks that are still open."""
        for sink in list(self._sinks):
            self._retire(sink)

    def _retire(self, sink: ReturningSink) -> None:
        self._sinks.remove(sink)
        sink.end()
        if sink.error is not None:
            self.problems.append(sink.error)
