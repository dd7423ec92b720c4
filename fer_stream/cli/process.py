"""What a command that runs the engine does to its process first."""

from __future__ import annotations

import sys
from contextlib import suppress

_M_ARENA_MAX = -8  # of glibc's malloc.h
_HEAPS = 2


def prepare_process() -> None:
    """Set OpenCV, the interpreter and the log up for a run on a command line."""
    import cv2

    from fer_stream.cli.log import log_to_standard_error

    # The engine's threads keep the cores busy; OpenCV's own would only get in their way.
    cv2.setNumThreads(1)
    # Stages hand small things to each other: 5 ms, the default, is half a frame's time.
    sys.setswitchinterval(0.001)
    _limit_heaps()
    log_to_standard_error()


def _limit_heaps() -> None:
    """Keep memory from creeping up for hours while cameras come and go.

    The C library of most Linux systems opens up to eight heaps a core, one after the other as
    threads come and go, and each keeps the room of the pictures that were in it.
    """
    if sys.platform == "linux":
        import ctypes

        with suppress(AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _HEAPS)
