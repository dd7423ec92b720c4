"""One connection to the broker, from the first packet to its end.

Each attempt gets a client of its own: paho would send what an old one has kept once more, beside
the spool and out of its order. There is no thread here; `pump` does the network's work.

MQTT 5, because a broker then says why: a publish that its access rules refuse is answered with a
reason (3.1.1 acknowledges it and throws it away), and so is a second client with our name.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections import deque
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from fer_stream_mqtt.address import Address
from fer_stream_mqtt.limit import SizeLimit
from fer_stream_mqtt.lost import Lost, Refused, TooLarge, reason_of

KEEPALIVE_S = 15
"""After 1.5 times of this without a word the broker says `offline` for us."""
WINDOW = 100
"""Messages under way at once, unless the broker allows fewer."""
_CONNECT_S = 5.0
_UNREADABLE = "Protocol error"
"""What paho calls it when it ends a connection over a packet that it cannot read."""
_ANOTHER_CLIENT = "Session taken over"
"""What MQTT 5 calls it when a client with our name has connected."""


class Connection:
    """A client that sends with QoS 1 and tells what has arrived.

    Args:
        address: The broker.
        client_id: The same for each run of an instance, so that the broker ends a dead one's
            connection, and sends its `offline`, before and not after our `online`.
        will_topic: Where the broker says `offline` when we vanish.
        tls: For `mqtts`.
        limit: What is too large for the broker.
    """

    def __init__(
        self,
        address: Address,
        client_id: str,
        will_topic: str,
        tls: ssl.SSLContext | None,
        limit: SizeLimit,
    ) -> None:
        self.arrived: deque[int] = deque()
        """Numbers of the messages that the broker has taken, in order."""
        self.received: deque[str] = deque()
        """Texts of the messages for `subscribe`."""
        self._address = address
        self._client_id = client_id
        self._limit = limit
        self._window, self._widest = 1, WINDOW
        self._last_number = 0
        self._waiting: deque[tuple[int, str, bytes, bool]] = deque()
        """Number, topic, payload, retain of what the window has no room for."""
        self._under_way: dict[int, tuple[int, str, int, bool]] = {}
        """MQTT's message id to our number, topic, the payload's size, retain; oldest first."""
        self._connected = False
        self._problem: Lost | None = None
        client = Client(CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv5)
        client.connect_timeout = _CONNECT_S
        client.username_pw_set(address.user, address.password)
        if tls is not None:
            client.tls_set_context(tls)
        client.max_inflight_messages = 0  # the window is ours: the broker says how large
        client.will_set(will_topic, "offline", qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        self._client = client

    def open(self) -> None:
        """Connect; raises `Lost` with the reason if that fails."""
        try:
            self._client.connect(self._address.host, self._address.port, KEEPALIVE_S)
        except OSError as error:
            raise Lost(reason_of(error, self._address.tls)) from None
        except UnicodeError:
            raise Lost("this is no host name") from None
        deadline = time.monotonic() + _CONNECT_S
        while not self._connected:
            if time.monotonic() > deadline:
                raise Lost("it does not answer")
            self.pump(0.1)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None:
        """Send a message once there is room; return the number that will be in `arrived`.

        Returns None for one that is too large for the broker: it is not sent.
        """
        if not self._limit.allows(topic, payload):
            return None
        self._last_number += 1
        self._waiting.append((self._last_number, topic, payload, retain))
        self._send()
        return self._last_number

    def widen(self) -> None:
        """Have many messages under way from now on.

        One by one is for a connection that may not stand: when a broker breaks it over a message,
        those behind that one would cost us its answer.
        """
        self._window = self._widest

    def subscribe(self, topic: str) -> None:
        """Receive what others publish there."""
        self._client.subscribe(topic, qos=1)

    @property
    def unfinished(self) -> bool:
        """Whether a message has not arrived yet."""
        return bool(self._under_way or self._waiting)

    def pump(self, timeout_s: float, wake: socket.socket | None = None) -> None:
        """Send and receive what can be, waiting for at most `timeout_s` or until `wake` rings."""
        self._check()
        link = self._client.socket()
        assert link is not None
        reading = [link] if wake is None else [link, wake]
        writing = [link] if self._client.want_write() else []
        if isinstance(link, ssl.SSLSocket) and link.pending():  # decrypted already
            timeout_s = 0.0
        readable, writable, _ = select.select(reading, writing, [], timeout_s)
        if link in readable or timeout_s == 0.0:
            self._client.loop_read()
        if link in writable:
            self._client.loop_write()
        self._client.loop_misc()
        self._check()
        self._send()

    def close(self) -> None:
        """Say goodbye if the broker still listens, so that it does not say `offline` for us."""
        self._client.on_disconnect = None
        if self._client.disconnect() != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return
        if (link := self._client.socket()) is not None:  # not all went out: nobody reads
            link.close()

    def _send(self) -> None:
        while self._waiting and len(self._under_way) < self._window:
            number, topic, payload, retain = self._waiting.popleft()
            mid = self._client.publish(topic, payload, qos=1, retain=retain).mid
            self._under_way[mid] = number, topic, len(payload), retain

    def _check(self) -> None:
        if self._problem is not None:
            raise self._problem
        if self._client.socket() is None:
            raise Lost("it closed the connection")

    def _on_connect(self, _c: Client, _u: Any, _flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._problem = Lost(f"it refuses us: {reason}")
            return
        self._connected = True
        self._widest = min(getattr(properties, "ReceiveMaximum", WINDOW), WINDOW)
        self._limit.announced(getattr(properties, "MaximumPacketSize", None))

    def _on_disconnect(self, _c: Client, _u: Any, flags: Any, reason: Any, _p: Any) -> None:
        if self._problem is not None:
            return
        told = flags.is_disconnect_packet_from_server
        if self._under_way and not told and reason == _UNREADABLE:
            self._problem = self._refused()
            return
        self._limit.forget_learned()
        if reason == _ANOTHER_CLIENT:
            self._problem = Lost(
                f"another client is called {self._client_id} too, and took our place; give each "
                'run a name of its own (instance = "NAME" in a --config file), and each broker one '
                "sink"
            )
            return
        self._problem = Lost(
            f"it ended the connection: {reason}" if told else "the connection broke"
        )

    def _refused(self) -> Lost:
        _, topic, size, _ = next(iter(self._under_way.values()))  # a broker answers in order
        kind = TooLarge if self._limit.refused(size) else Lost
        return kind(f"it answers a message of {size} bytes on {topic} with what is not MQTT 5")

    def _on_publish(self, _c: Client, _u: Any, mid: int, reason: Any, _p: Any) -> None:
        number, topic, size, retain = self._under_way.pop(mid)
        if reason.is_failure:
            told = f"it refuses messages on {topic}: {reason}"
            self._problem = Refused(told, topic) if retain else Lost(told)
        else:
            self._limit.took(size)
            self.arrived.append(number)

    def _on_message(self, _c: Client, _u: Any, message: Any) -> None:
        self.received.append(message.payload.decode(errors="replace"))


def tls_context(ca: str) -> ssl.SSLContext:
    """Return what checks a broker's certificate; raises OSError for an unusable CA file."""
    context = ssl.create_default_context(cafile=ca or None)
    if ca:
        # Python 3.13 asks CAs to say what they are for, which few home-made ones do.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.sslsocket_class = _TidySocket
    return context


class _TidySocket(ssl.SSLSocket):
    """Closed when the handshake fails; paho leaves it open."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise
