"""Telling systemd that a run is well, so that it starts one anew that hangs (`WatchdogSec=`)."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from fer_stream.engine.stats import RunStats
from fer_stream.monitoring.health import Health

_ALIVE = b"WATCHDOG=1"  # sd_notify(3)
_TIMES = 4  # said in each of systemd's intervals; sd_watchdog_enabled(3) asks for two


@contextmanager
def watched(stats: RunStats) -> Iterator[Callable[[], None]]:
    """Tell the watchdog that started this process, if one did, while the block lasts.

    Yields what the run's loop has to call each time that it turns. The watchdog hears of it for
    as long as `/healthz` would say that the run works.
    """
    place, interval_s = _asked_for()
    if not place:
        yield lambda: None
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.setblocking(False)
        yield _Watchdog(stats, channel, place, interval_s / _TIMES).tick


def _asked_for() -> tuple[str, float]:
    """Return where a watchdog listens, and after how many silent seconds it acts; "" if none."""
    place, interval_us = os.environ.get("NOTIFY_SOCKET", ""), os.environ.get("WATCHDOG_USEC", "")
    # Said to somebody else if this is not the service's main process.
    is_ours = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    if not (place and interval_us.isdecimal() and is_ours):
        return "", 0.0
    return place.replace("@", "\0", 1) if place.startswith("@") else place, int(interval_us) / 1e6


class _Watchdog:
    def __init__(self, stats: RunStats, channel: socket.socket, place: str, every_s: float) -> None:
        self._health = Health(stats)
        self._channel = channel
        self._place = place
        self._every_s = every_s
        self._next_s = 0.0

    def tick(self) -> None:
        self._health.tick()
        now = time.monotonic()
        if now >= self._next_s and not self._health.dead():
            self._next_s = now + self._every_s
            with suppress(OSError):  # it is silent then, which is what systemd looks for
                self._channel.sendto(_ALIVE, self._place)
