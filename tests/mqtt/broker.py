"""A real mosquitto on a free port, and a subscriber that hears everything."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from tests.certificates import make_certificates
from tests.needs import require_program
from tests.programs import free_port, wait_until

USER, PASSWORD = "camera", "s3cret&more"


class Broker:
    """A mosquitto that keeps its messages over a restart; `start` it, `kill` it, as needed.

    Args:
        folder: Where its files go.
        users: Ask for `USER` and `PASSWORD`.
        tls: Speak TLS, with a certificate for localhost from a CA of our own.
        rules: Lines of an access control file.
        careful: Save what it knows with each change, not only when it is stopped.
        settings: More lines of its configuration.
    """

    def __init__(
        self,
        folder: Path,
        *,
        users: bool = False,
        tls: bool = False,
        rules: str = "",
        careful: bool = False,
        settings: str = "",
    ) -> None:
        self._program = require_program("mosquitto")
        self.port = free_port()
        self.ca = folder / "ca.crt"
        self._tls = tls
        self._users = users
        self.log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._config = folder / "mosquitto.conf"
        lines = [
            f"listener {self.port} 127.0.0.1",
            f"allow_anonymous {'false' if users else 'true'}",
            "persistence true",
            f"persistence_location {folder}/",
            "max_queued_messages 0",  # its default drops what a slow subscriber has not fetched
            "user root",
            settings,
        ]
        if careful:
            lines += ["autosave_on_changes true", "autosave_interval 1"]
        if users:
            passwords = folder / "passwords"
            command = [require_program("mosquitto_passwd"), "-b", "-c", str(passwords)]
            subprocess.run([*command, USER, PASSWORD], check=True, capture_output=True)
            lines.append(f"password_file {passwords}")
        if rules:
            (folder / "rules").write_text(rules)
            lines.append(f"acl_file {folder / 'rules'}")
        if tls:
            make_certificates(folder)
            lines += [f"certfile {folder / 'server.crt'}", f"keyfile {folder / 'server.key'}"]
        self._config.write_text("\n".join(lines) + "\n")

    @property
    def address(self) -> str:
        """The URL without a user."""
        return f"mqtts://localhost:{self.port}" if self._tls else f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with self.log.open("ab") as log:
            command = [self._program, "-c", str(self._config)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(self._listens, self._process)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(10)
            self._process = None

    def kill(self) -> None:
        """End it without a chance to do anything."""
        self.stop(signal.SIGKILL)

    def subscriber(self, *topics: str) -> Subscriber:
        """Return a new subscriber."""
        found = Subscriber(self.port, topics or ("#",), users=self._users, ca=self._ca)
        wait_until(found.ready.is_set)
        return found

    @property
    def _ca(self) -> Path | None:
        return self.ca if self._tls else None

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


class Heard(NamedTuple):
    """A message as it came."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    """It was kept from before the subscription."""

    @property
    def value(self) -> Any:
        """The payload's JSON."""
        return json.loads(self.payload)


class Subscriber:
    """Hears with QoS 1; after a broken connection it goes on where it was."""

    def __init__(self, port: int, topics: tuple[str, ...], *, users: bool, ca: Path | None) -> None:
        self.heard: list[Heard] = []
        self.ready = threading.Event()
        self._topics = topics
        self._client = Client(
            CallbackAPIVersion.VERSION2, f"subscriber-{id(self)}", clean_session=False
        )
        self._client.reconnect_delay_set(1, 1)
        if users:
            self._client.username_pw_set(USER, PASSWORD)
        if ca is not None:
            self._client.tls_set(str(ca))
        self._client.on_connect = self._subscribe
        self._client.on_subscribe = lambda *_: self.ready.set()
        self._client.on_message = self._hear
        self._client.connect("localhost" if ca else "127.0.0.1", port)
        self._client.loop_start()

    def on(self, ending: str) -> list[Heard]:
        """Return what came on topics with this ending."""
        return [message for message in list(self.heard) if message.topic.endswith(ending)]

    def wait_for(self, what: Callable[[], object]) -> None:
        """Wait until something is so; fail, with what was heard last, if it never is."""
        try:
            wait_until(what)
        except AssertionError:
            raise AssertionError(f"heard {len(self.heard)}, last {self.heard[-5:]}") from None

    def publish(self, topic: str, payload: str) -> None:
        """Say something, as another client would."""
        self._client.publish(topic, payload, qos=1).wait_for_publish(10)

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _subscribe(self, client: Client, *_: Any) -> None:
        client.subscribe([(topic, 1) for topic in self._topics])

    def _hear(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        payload = bytes(message.payload)
        self.heard.append(Heard(message.topic, payload, message.qos, message.retain))
