"""What of the spool is under way on one connection."""

from __future__ import annotations

import time
from collections import deque

from fer_stream_mqtt.connection import WINDOW, Connection
from fer_stream_mqtt.limit import SizeLimit
from fer_stream_mqtt.spool import Spool

_REMOVE_S = 0.25  # confirmed messages leave the disk together; a kill sends these once more
_REMOVE_COUNT = 64


class Delivery:
    """Publishes the spool's messages in their order, and removes what the broker has confirmed."""

    def __init__(self, spool: Spool, connection: Connection, limit: SizeLimit) -> None:
        self._spool = spool
        self._connection = connection
        self._limit = limit
        self._under_way: dict[int, int] = {}
        """The connection's number to the id in the spool, oldest first."""
        self._too_large: deque[int] = deque()
        """The ids of what is dropped, and still in the spool."""
        self._sent = 0
        self._removed = 0
        self._removed_s = time.monotonic()

    @property
    def unfinished(self) -> bool:
        """Whether something is still to be confirmed or removed."""
        return bool(self._under_way) or self._confirmed > self._removed

    @property
    def _confirmed(self) -> int:
        """Everything up to this id has arrived, or is too large for the broker."""
        return next(iter(self._under_way.values()), self._sent + 1) - 1

    def advance(self) -> None:
        """Take what has arrived, and send more."""
        self._settle()
        room = WINDOW - len(self._under_way)
        if room < WINDOW // 4:
            return
        for message in self._spool.after(self._sent, room):
            number = self._connection.publish(message.topic, message.payload)
            if number is None:
                self._too_large.append(message.id)
            else:
                self._under_way[number] = message.id
            self._sent = message.id

    def finish(self) -> None:
        """Remove what has arrived: the connection is over."""
        self._take_arrived()
        self._remove()

    def _settle(self) -> None:
        self._take_arrived()
        late = time.monotonic() - self._removed_s >= _REMOVE_S
        few = 1 if late or not self._under_way else _REMOVE_COUNT
        if self._confirmed - self._removed >= few:
            self._remove()

    def _take_arrived(self) -> None:
        while self._connection.arrived:
            self._under_way.pop(self._connection.arrived.popleft(), None)

    def _remove(self) -> None:
        self._removed, self._removed_s = self._confirmed, time.monotonic()
        self._spool.remove(self._removed)
        while self._too_large and self._too_large[0] <= self._removed:
            self._too_large.popleft()
            self._limit.dropped += 1
            self._limit.lost += 1
