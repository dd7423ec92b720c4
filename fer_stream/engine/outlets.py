"""Where results leave the engine: to a sink's own thread, or to the caller's."""

from __future__ import annotations

import logging
from collections.abc import Callable

from fer_stream.engine.blame import log_bug, named, reason
from fer_stream.engine.channel import Channel, Closed
from fer_stream.engine.lane import source_of
from fer_stream.engine.stats import RunStats, SinkStats
from fer_stream.errors import FerStreamError, SinkError, StopStream
from fer_stream.stages import Sink
from fer_stream.types import FrameResult, RunInfo, SourceStatus

logger = logging.getLogger("fer_stream")


class Outlet:
    """A queue of results and statuses for whoever takes them."""

    def __init__(self) -> None:
        # Files fill any room that is theirs too, and nothing of a file is lost for a live source.
        self.waiting: Channel[FrameResult | SourceStatus] = Channel(
            1, about=source_of, room=_is_live
        )
        """Its capacity, set before the first result, is how many results of files, and as many of
        live sources, a sink may be behind."""

    def deliver(self, item: FrameResult | SourceStatus) -> int:
        """Hand on a result: wait on a file, drop the oldest on a live source; or a status.

        Returns how many results were dropped for it.
        """
        try:
            if isinstance(item, SourceStatus):
                self.waiting.put_note(item)
            elif item.frame.info.live:
                return self.waiting.put_newest(item)
            else:
                self.waiting.put(item)
        except Closed:
            pass  # the sink failed, and was reported then
        return 0

    def close(self) -> None:
        """Say that no more results come."""
        self.waiting.close()


def is_between(item: FrameResult | SourceStatus) -> bool:
    """Return whether it is the result of a frame that was not analysed."""
    return isinstance(item, FrameResult) and not item.analysed


def _is_live(item: FrameResult | SourceStatus) -> bool:
    return isinstance(item, FrameResult) and item.frame.info.live


class Caller:
    """A sink as the engine calls it: measured, and with errors that name the sink.

    Args:
        sink: The sink.
        stats: The run's numbers.
    """

    def __init__(self, sink: Sink, stats: RunStats) -> None:
        self.sink = sink
        self.stats: SinkStats = stats.new_sink(sink.name)
        self.name = self.stats.name  # the second csv is csv-2 in all that is said of it
        self._durations = stats.stages["sink"]

    def open(self, run: RunInfo) -> None:
        """Open the sink; raises what it raises of ours, anything else as `SinkError`."""
        try:
            self._timed(lambda: self.sink.open(run))
        except (StopStream, FerStreamError):
            raise
        except BaseException as error:
            if self._is_interrupt(error, KeyboardInterrupt, SystemExit):
                raise
            raise self.blamed(error, "cannot be opened") from error
        self.stats.up = True

    def take(self, item: FrameResult | SourceStatus) -> None:
        """Write a result or tell a status; raises `StopStream`, or `SinkError` that says where."""
        if isinstance(item, SourceStatus):
            status = item
            self._checked(lambda: self.sink.status(status), f"at a status of {status.source_id}")
            return
        result, frame = item, item.frame
        try:
            with self._durations.time():
                self._checked(lambda: self.sink.write(result), f"at frame {frame.index}")
        except SinkError:
            self.stats.results["failed"] += 1
            raise
        self.stats.results["ok"] += 1
        if not frame.info.stills:
            self.stats.wrote(frame.info.source_id, frame.captured_ns)

    def takes(self, item: FrameResult | SourceStatus) -> bool:
        """Return whether an item is for this sink."""
        return self.sink.draws or not is_between(item)

    def idle(self) -> None:
        """Let the sink do what it does between results; raises as `take` does."""
        self._checked(self.sink.idle, "between two frames")

    def close(self) -> SinkError | None:
        """Close the sink; return, not raise, what went wrong."""
        self.stats.up = False
        try:
            self._timed(self.sink.close)
        except BaseException as error:
            if self._is_interrupt(error, KeyboardInterrupt):
                raise
            return self.blamed(error, "failed to close")
        return None

    def works_again(self) -> None:
        """Tell that the sink, which had failed, has taken a result."""
        logger.info("sink '%s' works again; it lost %d results so far", self.name, self.stats.lost)

    def blamed(self, error: BaseException, what: str) -> SinkError:
        """Return an error of the sink as one that names it; `what` is what it did."""
        if isinstance(error, SinkError):
            return error
        who = named(self.sink)
        log_bug(who, error)
        said = SinkError(f"{who} {what}: {reason(error)}")
        said.__cause__ = error  # one that is returned has it too
        return said

    def _checked(self, call: Callable[[], None], where: str) -> None:
        try:
            self._timed(call)
        except (StopStream, SinkError):
            raise
        except BaseException as error:  # a thread that "exits" or is "cancelled" would just vanish
            if self._is_interrupt(error, KeyboardInterrupt):
                raise
            raise self.blamed(error, f"failed {where}") from error

    def _is_interrupt(self, error: BaseException, *kinds: type[BaseException]) -> bool:
        """Whether it may be Ctrl-C that broke a call off; no signal arrives on a sink's thread."""
        return self.sink.main_thread and isinstance(error, kinds)

    def _timed(self, call: Callable[[], None]) -> None:
        self.stats.enter()
        try:
            call()
        finally:
            self.stats.leave()
            self.stats.results["lost"] = self.sink.lost
