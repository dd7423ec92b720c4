"""A sink on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from fer_stream.engine.channel import Closed
from fer_stream.engine.outlets import Caller, Outlet
from fer_stream.engine.returning_sink import ReturningSink
from fer_stream.errors import SinkError, StopStream
from fer_stream.types import FrameResult, RunInfo, SourceStatus


class SinkThread(Outlet):
    """A sink and its thread: whatever it does, it costs only itself.

    Args:
        caller: The sink.
        failed: What `ReturningSink` asks when it breaks off.
        stop: Called when the sink asks to finish the run.
    """

    def __init__(
        self, caller: Caller, failed: Callable[[SinkError, bool], bool], stop: Callable[[], None]
    ) -> None:
        super().__init__()
        self._sink = ReturningSink(caller, failed, stop)
        self._stop = stop
        self._opened = threading.Event()
        self._open_error: BaseException | None = None
        self._run: RunInfo | None = None
        self.thread = threading.Thread(target=self._work, name=f"sink {caller.name}", daemon=True)

    @property
    def error(self) -> SinkError | None:
        """Why it did not work, or not close, last; None once it works again."""
        return self._sink.error

    def start(self, run: RunInfo) -> None:
        """Open the sink on its thread; raises what `open` raised."""
        self._run = run
        self.thread.start()
        self._opened.wait()
        if self._open_error is not None:
            raise self._open_error

    def deliver(self, item: FrameResult | SourceStatus) -> int:
        """Hand on a result or status, and count what was dropped for it."""
        if not self._sink.caller.takes(item):
            return 0
        dropped = super().deliver(item)
        self._sink.caller.stats.results["dropped"] += dropped
        return dropped

    def _work(self) -> None:
        try:
            assert self._run is not None
            self._sink.open(self._run)
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

    def _serve(self) -> None:
        """Hand the sink what comes until no more does, or it has had enough."""
        goes_on = True
        while goes_on:
            try:
                item = self.waiting.get(self._sink.rest_left_s)
            except TimeoutError:
                item = None
            except Closed:
                break
            goes_on = self._sink.serve(item)
        self.waiting.abort()  # nobody is to wait for it while it closes
        self._sink.end()
