"""The thread that talks to the broker: it empties the spool and says what is on the board."""

from __future__ import annotations

import logging
import random
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from fer_stream.errors import SinkError
from fer_stream_mqtt.address import Address
from fer_stream_mqtt.board import Board
from fer_stream_mqtt.connection import Connection
from fer_stream_mqtt.delivery import Delivery
from fer_stream_mqtt.homeassistant import BIRTH_TOPIC
from fer_stream_mqtt.limit import SizeLimit
from fer_stream_mqtt.lost import Lost, Refused, TooLarge
from fer_stream_mqtt.spool import Spool
from fer_stream_mqtt.topics import Topics, topic_level

logger = logging.getLogger("fer_stream.mqtt")

_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 30.0
_STEADY_S = 10.0  # a connection that stood for longer was no failed attempt
_TICK_S = 1.0
_FLUSH_S = 1.5  # for what is left when the run ends
_GOODBYE_S = 0.5

Announce = Callable[[str], tuple[str, bytes]]
"""Gives the retained message (topic, payload) that announces a source."""


class Sender:
    """Sends the spool's messages in their order, each until the broker has confirmed it.

    Args:
        address: The broker.
        topics: What the topics are called.
        spool: What is to be sent.
        tls: For `mqtts`.
        announce: For Home Assistant, if it should know.
    """

    def __init__(
        self,
        address: Address,
        topics: Topics,
        spool: Spool,
        tls: ssl.SSLContext | None,
        announce: Announce | None,
    ) -> None:
        self.board = Board(topics, self.wake)
        self.error: Exception | None = None
        """What ended the thread, if it should not have."""
        self._address = address
        self._topics = topics
        self._spool = spool
        self._tls = tls
        self._announce = announce
        self._announced: set[str] = set()
        self._refused: set[str] = set()
        """Topics of retained messages that the broker does not allow us: events go on without."""
        self._limit = SizeLimit(address)
        self._problems: set[str] = set()
        """What was said to be wrong since the last connection that stood."""
        self._closing_s: float | None = None
        self._left: int | None = None
        """How many messages the thread had to leave in the spool, once it has ended."""
        self._next_tick_s = 0.0
        self._listening = False
        self._rung = False
        self._bell, self._rope = socket.socketpair()
        for end in (self._bell, self._rope):
            end.setblocking(False)
        self._thread = threading.Thread(target=self._work, name="mqtt sender", daemon=True)

    @property
    def lost(self) -> int:
        """How many events and episodes were dropped so far as too large for the broker."""
        return self._limit.lost

    def start(self) -> None:
        """Begin; a broker that is not there is looked for again and again."""
        self._thread.start()

    def wake(self) -> None:
        """Say that there is something to send; without a connection nobody needs to know."""
        if self._listening and not self._rung:
            self._ring()

    def close(self) -> int:
        """Send what is left, for a short time, then say `offline` and end.

        Returns how many messages are still in the spool.
        """
        self._closing_s = time.monotonic() + _FLUSH_S
        self._ring()
        # An attempt to connect that is under way ends by itself, later.
        self._thread.join(_FLUSH_S + 2 * _GOODBYE_S)
        if self._left is None:
            with suppress(SinkError):  # the attempt ended just now, and closed the spool
                return self._spool.waiting()
        return self._left or 0

    def _ring(self) -> None:
        self._rung = True
        with suppress(OSError):  # nobody is there any more
            self._rope.send(b".")

    def _work(self) -> None:
        try:
            wait_s = _FIRST_WAIT_S
            while True:
                began_s = time.monotonic()
                try:
                    self._talk()
                except TooLarge:  # what is dropped is said; each time the limit is lower
                    continue
                except Refused as problem:  # each time there is one less to be sent
                    self._refused.add(problem.topic)
                    self._complain(f"{problem}; they are left out")
                    continue
                except Lost as problem:
                    self._complain(f"{problem}; events are kept, trying again")
                if time.monotonic() - began_s > _STEADY_S:
                    wait_s = _FIRST_WAIT_S
                    self._refused.clear()  # the broker may come back with other rules
                # Not all at the same moment, when a broker is back for many.
                if self._pause(wait_s * random.uniform(0.5, 1.0)):
                    break
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            self._limit.complain(last=True)
            self._left = self._spool.waiting()
        except Exception as error:
            self.error = error
        finally:
            self._spool.close()
            self._bell.close()
            self._rope.close()

    def _talk(self) -> None:
        """Connect and send until the run ends; raises `Lost`."""
        connection = Connection(
            self._address,
            f"fer-stream-{topic_level(self._topics.instance)}",
            self._topics.availability,
            self._tls,
            self._limit,
        )
        try:
            connection.open()
            self._announced.clear()
            self.board.forget_said()
            self._listening = True
            self._retain_due(connection)  # first: what is retained from before may be untrue
            self._retain(connection, self._topics.availability, b"online")
            if self._announce is not None:
                connection.subscribe(BIRTH_TOPIC)
            self._serve(connection)
        finally:
            self._listening = False
            connection.close()

    def _serve(self, connection: Connection) -> None:
        delivery = Delivery(self._spool, connection, self._limit)
        try:
            self._exchange(connection, delivery)
            self._say_goodbye(connection)
        finally:
            delivery.finish()

    def _exchange(self, connection: Connection, delivery: Delivery) -> None:
        """Send what there is until the run ends."""
        steady_s = time.monotonic() + _TICK_S
        while True:
            self._tick()
            if time.monotonic() > steady_s:
                connection.widen()
                self._say_it_stands()
            closing_s = self._closing_s  # read before the spool: nothing is added after it
            delivery.advance()
            self._post(connection)
            if closing_s is not None and (not delivery.unfinished or time.monotonic() > closing_s):
                break
            wake_s = min(self._next_tick_s, self.board.next_due_s())
            if delivery.unfinished or closing_s is not None:
                wake_s = min(wake_s, time.monotonic() + 0.1)
            self._listen(connection, wake_s)

    def _post(self, connection: Connection) -> None:
        """Send what is retained and due."""
        while connection.received:
            if connection.received.popleft() == "online":  # Home Assistant has begun anew
                self._announced.clear()
                self.board.forget_said()
        if self._announce is not None:
            for source in self.board.sources():
                if source not in self._announced:
                    self._announced.add(source)
                    self._retain(connection, *self._announce(source))
        self._retain_due(connection)

    def _retain_due(self, connection: Connection, *, last: bool = False) -> None:
        for message in self.board.due(time.monotonic(), last=last):
            self._retain(connection, *message)

    def _retain(self, connection: Connection, topic: str, payload: bytes) -> None:
        if topic in self._refused:
            return
        if connection.publish(topic, payload, retain=True) is None:
            self._limit.dropped += 1

    def _say_goodbye(self, connection: Connection) -> None:
        self._retain_due(connection, last=True)
        self._retain(connection, self._topics.availability, b"offline")
        deadline_s = time.monotonic() + _GOODBYE_S
        while connection.unfinished and time.monotonic() < deadline_s:
            connection.pump(0.05)

    def _listen(self, connection: Connection, until_s: float) -> None:
        connection.pump(max(until_s - time.monotonic(), 0.0), self._bell)
        self._hush()

    def _pause(self, seconds: float) -> bool:
        """Wait before the next attempt; return True, at once, if the run ends."""
        until_s = time.monotonic() + seconds
        while self._closing_s is None and (left_s := until_s - time.monotonic()) > 0:
            select.select([self._bell], [], [], min(left_s, _TICK_S))
            self._hush()
            self._tick()
        return self._closing_s is not None

    def _hush(self) -> None:
        with suppress(BlockingIOError):
            self._bell.recv(4096)
        self._rung = False  # before the next look at what there is to send

    def _tick(self) -> None:
        """Once a second: make safe from a power cut what waits, and say what was dropped."""
        if time.monotonic() >= self._next_tick_s:
            self._next_tick_s = time.monotonic() + _TICK_S
            self._spool.checkpoint()
            self._limit.complain()

    def _say_it_stands(self) -> None:
        if self._problems:
            self._problems.clear()
            logger.warning("mqtt: broker %s: connected", self._address)

    def _complain(self, problem: str) -> None:
        """Say once what is wrong, not at each attempt."""
        if problem not in self._problems and self._closing_s is None:
            logger.warning("mqtt: broker %s: %s", self._address, problem)
        self._problems.add(problem)
