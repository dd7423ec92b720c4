"""A sink on a thread of its own, which comes back after an error."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from fer_stream.engine.backoff import Backoff
from fer_stream.engine.channel import Closed
from fer_stream.engine.outlets import Caller, Outlet
from fer_stream.errors import SinkError, StopStream
from fer_stream.types import FrameResult, RunInfo, SourceStatus


class SinkThread(Outlet):
    """A sink and its thread: whatever it does, it costs only itself.

    Args:
        caller: The sink.
        failed: Called with the `SinkError` that broke it off, and whether it is a new trouble or
            goes on from the last; returns whether to try the sink again.
        stop: Called when the sink asks to finish the run.
    """

    def __init__(
        self, caller: Caller, failed: Callable[[SinkError, bool], bool], stop: Callable[[], None]
    ) -> None:
        super().__init__()
        self.error: SinkError | None = None
        """Why it did not work, or not close, last; None once it works again."""
        self._caller = caller
        self._failed = failed
        self._stop = stop
        self._opened = threading.Event()
        self._open_error: BaseException | None = None
        self._run: RunInfo | None = None
        self._states: dict[str, SourceStatus] = {}
        self.thread = threading.Thread(target=self._work, name=f"sink {caller.name}", daemon=True)

    def start(self, run: RunInfo) -> None:
        """Open the sink on its thread; raises what `open` raised."""
        self._run = run
        self.thread.start()
        self._opened.wait()
        if self._open_error is not None:
            raise self._open_error

    def deliver(self, item: FrameResult | SourceStatus) -> int:
        """Hand on a result or status, and count what was dropped for it."""
        if not self._caller.takes(item):
            return 0
        dropped = super().deliver(item)
        self._caller.stats.results["dropped"] += dropped
        return dropped

    def _work(self) -> None:
        try:
            self._open()
        except StopStream:  # a closed pipe: nobody wants anything
            self._stop()
        except BaseException as error:
            self._open_error = error
        else:
            self._opened.set()
            self._serve()
        finally:
            self._opened.set()
            self.waiting.abort()

    def _open(self) -> None:
        assert self._run is not None
        self._caller.open(self._run)

    def _serve(self) -> None:
        """Hand the sink what comes, as often as it has to be opened again for that."""
        backoff = Backoff()
        while True:
            start_s = time.monotonic()
            failure = self._take_all()
            again = failure is not None and self._failed(failure, self.error is None)
            if not again:
                self.waiting.abort()
            problem = self._caller.close()
            if not again:
                # Opened again, but given nothing since: then it has not shown that it works.
                unsettled = self.error if failure is None else None
                self.error = problem or unsettled
                return
            self.error = failure
            if not self._open_again(backoff, time.monotonic() - start_s):
                return

    def _take_all(self) -> SinkError | None:
        """Hand the sink what comes until no more does, or it asks to finish; return its error."""
        try:
            for status in self._states.values():  # some may have come while it was closed
                self._caller.take(status)
            for item in self.waiting:
                self._remember(item)
                self._caller.take(item)
                if self.error and isinstance(item, FrameResult):
                    self.error = None
                    self._caller.works_again()
        except StopStream:
            self._stop()
        except SinkError as error:
            return error
        return None

    def _open_again(self, backoff: Backoff, worked_s: float) -> bool:
        """Open the sink again, however often it takes; return False if no more comes for it."""
        while self._rest(backoff.wait_s(worked_s)):
            worked_s = 0.0
            try:
                self._open()
            except StopStream:
                self._stop()
                return False
            except BaseException as error:
                self.error = self._caller.blamed(error, "cannot be opened again")
                continue
            self._caller.stats.restarts += 1
            return True
        return False

    def _rest(self, seconds: float) -> bool:
        """Wait, throwing away what comes meanwhile; return False if no more comes."""
        deadline = time.monotonic() + seconds
        while (left_s := deadline - time.monotonic()) > 0:
            try:
                item = self.waiting.get(left_s)
            except TimeoutError:
                break
            except Closed:
                return False
            self._remember(item)
            self._caller.stats.results["failed"] += isinstance(item, FrameResult)
        return True

    def _remember(self, item: FrameResult | SourceStatus) -> None:
        if isinstance(item, SourceStatus):
            self._states[item.source_id] = item
