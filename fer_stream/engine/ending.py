"""Waiting for threads, for a while."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Sequence

logger = logging.getLogger("fer_stream")

_EXIT_S = 15.0  # how long a blocked reader is waited for when the program ends


def join_until(threads: Sequence[threading.Thread], deadline: float) -> None:
    """Wait for threads until a moment of the monotonic clock."""
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0.0))


def join_or_leave(readers: Sequence[threading.Thread], seconds: float) -> list[threading.Thread]:
    """Wait for readers; return those that are blocked in a device or connection."""
    join_until(readers, time.monotonic() + seconds)
    blocked = [thread for thread in readers if thread.is_alive()]
    for thread in blocked:
        logger.debug("%s still waits for its device and is left behind", thread.name)
        # Python's end under a thread that is inside FFmpeg crashes; its time-outs are shorter.
        atexit.register(thread.join, _EXIT_S)
    return blocked
