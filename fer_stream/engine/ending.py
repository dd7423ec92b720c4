"""The end of a run: the states it goes through, who waits for whom, and for how long.

    running    Sources are read.
    stopping   They are read no more; what was read still goes all the way to the sinks.
    aborted    What is not classified is thrown away; sinks still take what waits for them.
    over       No more results are waited for. Windows are closed; the other sinks, then the
               readers, have a last moment to end, and who has not ended by then is left behind.

    running -> stopping            Somebody asks: a signal, a sink that has had enough, a sink's
                                   error that is to end the run. Or all sources are live, and the
                                   classifier's threads have ended.
    running, stopping -> aborted   A stage fails, which asks to stop too. Or the caller leaves:
                                   then it is over at once.
    any -> over                    The classifier's threads and the sinks' have ended, and nothing
                                   waits for the thread that runs the engine; unless it stops, no
                                   window lingers either. Or the run has been stopping for
                                   `STOP_S`; then it is aborted as well.

Over files that end by themselves a run never stops: a sink may take as long as it likes. From the
stop on, everybody is waited for no longer than the sum of the three times below.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Sequence

from fer_stream.engine.classifier_threads import ClassifierThreads
from fer_stream.engine.lane import Lane
from fer_stream.engine.main_sinks import MainSinks
from fer_stream.engine.sink_thread import SinkThread
from fer_stream.errors import SinkError

logger = logging.getLogger("fer_stream")

STOP_S = 3.0
"""How long sinks have to take what is under way, once the run is to stop."""
_FLUSH_S = 1.2  # how long the others have to close once a sink that hangs was given up
_READER_S = 0.5  # how long a reader that blocks in a camera or socket is waited for
_EXIT_S = 15.0  # how long a blocked reader is waited for when the program ends


class Ending:
    """Takes a run to its end, step by step, on the thread that runs the engine.

    `ask` and `abort` alone may be called from any thread.

    Args:
        lanes: The sources, each with the threads that serve it alone.
        classifying: The threads that serve them all.
        sinks: The sinks that have threads.
        main: What waits for the thread that runs the engine, if anything does.
    """

    def __init__(
        self,
        lanes: Sequence[Lane],
        classifying: ClassifierThreads,
        sinks: Sequence[SinkThread],
        main: MainSinks | None,
    ) -> None:
        self._lanes = lanes
        self._classifying = classifying
        self._sinks = sinks
        self._main = main
        self._asked = False
        self._stopped_s: float | None = None
        """Since when it stops, on the monotonic clock; None while it runs."""

    def ask(self) -> None:
        """Ask to stop, at the next step; safe in a signal handler too."""
        self._asked = True  # no more than this: whatever it interrupts may hold a lock

    def abort(self) -> None:
        """Read and classify no more; sinks still take the results that wait for them."""
        self._classifying.abort()
        for lane in self._lanes:
            lane.abort()
        for sink in self._sinks:
            sink.close()
        if self._main is not None:
            self._main.close()

    def is_over(self) -> bool:
        """Go a step on, if it is time; return whether nobody is waited for any more."""
        if self._asked:
            self._stop()
        if not self.busy():
            return self._main is None or not (self._main.waiting.pending() or self._lingers())
        if not self._classifying.busy() and all(x.source.live for x in self._lanes):
            self._stop()  # on a live run no sink is waited for without end
        if self._stopped_s is None or time.monotonic() - self._stopped_s < STOP_S:
            return False
        self.abort()
        return True

    def _lingers(self) -> bool:
        """Whether a window still shows something, and nobody has asked to stop."""
        return self._stopped_s is None and self._main is not None and self._main.lingers()

    def busy(self) -> list[threading.Thread]:
        """Return the threads behind the sources that have not ended."""
        return _alive([*self._classifying.busy(), *(sink.thread for sink in self._sinks)])

    def leave_sinks(self) -> list[SinkError]:
        """Give sinks a last moment to close; return what is wrong with them in the end."""
        self._stop()
        # Where one sink hangs, the others have begun to flush only now.
        grace_s = time.monotonic() + _FLUSH_S
        join_until(self.busy(), max((self._stopped_s or 0.0) + STOP_S, grace_s))
        problems = [sink.error for sink in self._sinks if sink.error]
        if busy := self.busy():
            names = ", ".join(thread.name for thread in busy)
            problems.append(SinkError(f"{names} did not finish in time and was left"))
        return problems

    def leave_readers(self) -> list[threading.Thread]:
        """Wait for the sources' threads; return those that are blocked in a device."""
        threads = _alive([thread for lane in self._lanes for thread in lane.threads()])
        join_until(threads, time.monotonic() + _READER_S)
        blocked = _alive(threads)
        for thread in blocked:
            logger.debug("%s still waits for its device and is left behind", thread.name)
            # Python's end under a thread that is inside FFmpeg crashes; its time-outs are shorter.
            # Not `atexit`: that takes nothing more if the run itself is ended at the program's end.
            weakref.finalize(thread, _wait_for, weakref.ref(thread))
        return blocked

    def _stop(self) -> None:
        if self._stopped_s is None:
            self._stopped_s = time.monotonic()
            for lane in self._lanes:
                lane.stop()
            if self._main is not None:
                self._main.hurry()


def _alive(threads: Sequence[threading.Thread]) -> list[threading.Thread]:
    """Return the threads to wait for: that have not ended, and are not the one that asks.

    Results that nobody holds end their run on whatever thread Python finds them, one of its own
    too if they were part of a cycle.
    """
    own = threading.current_thread()
    return [thread for thread in threads if thread.is_alive() and thread is not own]


def _wait_for(known: weakref.ref[threading.Thread]) -> None:
    """Wait for a thread at the program's end; where it ended before, it is not there any more."""
    thread = known()
    if thread is not None:
        thread.join(_EXIT_S)


def join_until(threads: Sequence[threading.Thread], deadline_s: float) -> None:
    """Wait for threads until a moment of the monotonic clock."""
    for thread in threads:
        thread.join(max(deadline_s - time.monotonic(), 0.0))
