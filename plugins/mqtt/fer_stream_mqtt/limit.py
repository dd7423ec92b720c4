"""How large a message the broker takes: what it says, and what its answers show."""

from __future__ import annotations

import logging
import math
import time

from fer_stream.words import counted
from fer_stream_mqtt.address import Address

logger = logging.getLogger("fer_stream.mqtt")

_COMPLAIN_S = 60.0


class SizeLimit:
    """Tells what is too large for the broker, and says how much of it was dropped.

    MQTT 5 forbids to send larger packets than the broker has announced. mosquitto's
    `message_size_limit` is not announced; its answer to a larger message is one that paho cannot
    read, which ends the connection. That is taken for a limit if the message was larger than all
    that the broker took.

    Args:
        broker: Who it is, for messages.
    """

    def __init__(self, broker: Address) -> None:
        self.dropped = 0
        """How many messages were too large so far."""
        self.lost = 0
        """How many of them were events or episodes, which are said only once."""
        self._broker = broker
        self._announced: float = math.inf
        """Packets of so many bytes are taken."""
        self._learned: float = math.inf
        """Messages of so many bytes are not taken."""
        self._taken = 0
        self._reason = ""
        self._largest = 0
        self._complained_of = 0
        self._complained_s = -math.inf

    def announced(self, largest_packet: int | None) -> None:
        """Take what a new connection begins with: bytes, or None for no limit."""
        self._announced = largest_packet or math.inf

    def took(self, payload_bytes: int) -> None:
        """Note that the broker has confirmed a message."""
        self._taken = max(self._taken, payload_bytes)

    def refused(self, payload_bytes: int) -> bool:
        """Return whether a message, whose answer ended the connection, was too large."""
        too_large = payload_bytes > self._taken
        if too_large:
            self._learned = payload_bytes
        return too_large

    def forget_learned(self) -> None:
        """Begin anew: the broker may come back with other settings."""
        self._learned, self._taken = math.inf, 0

    def allows(self, topic: str, payload: bytes) -> bool:
        """Return whether a message may be sent."""
        if packet_bytes(topic, payload) > self._announced:
            self._reason = f"packets above {self._announced} bytes (mosquitto: max_packet_size)"
        elif len(payload) >= self._learned:
            self._reason = (
                f"messages of {self._learned} bytes, it seems (mosquitto: message_size_limit)"
            )
        else:
            return True
        self._largest = max(self._largest, len(payload))
        return False

    def complain(self, *, last: bool = False) -> None:
        """Say what was dropped: at most once in a while, and at last."""
        if self.dropped == self._complained_of:
            return
        if last or time.monotonic() - self._complained_s >= _COMPLAIN_S:
            self._complained_s, self._complained_of = time.monotonic(), self.dropped
            logger.warning(
                "mqtt: broker %s takes no %s: what is too large is dropped, %s so far, the "
                "largest of %d bytes; allow more there",
                *(self._broker, self._reason, counted(self.dropped, "message"), self._largest),
            )


def packet_bytes(topic: str, payload: bytes) -> int:
    """Return how large the packet is that carries a message with QoS 1 and without properties."""
    # Each: the topic's length, the topic, the packet's number, the length of no properties.
    rest = 2 + len(topic.encode()) + 2 + 1 + len(payload)
    # The kind of packet, and the length of the rest, of which a byte holds seven bits.
    return 1 + math.ceil(rest.bit_length() / 7) + rest
