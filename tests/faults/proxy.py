"""A wire between a client and a server that can damage what it carries."""

from __future__ import annotations

import random
import socket
import threading
from contextlib import suppress


class BadWire:
    """Carries TCP connections to a port of 127.0.0.1; see `damage`.

    Args:
        port: Where the server listens.
        seed: Of what is damaged.
    """

    def __init__(self, port: int, seed: int = 0) -> None:
        self.damage = 0.0
        """What share, 0..1, of the bytes from the server are changed."""
        self.swaps: dict[bytes, bytes] = {}
        """What is replaced, in what the server says, by something of the same length."""
        self.damaged = 0
        """How many bytes were changed so far."""
        self._target = port
        self._random = random.Random(seed)
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def close(self) -> None:
        """Cut every connection."""
        for one in (self._listener, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, what: object, *arguments: object) -> None:
        thread = threading.Thread(target=what, args=arguments, name="wire", daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                try:
                    server = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    client.close()
                    continue
                self._sockets.append(server)
                self._start(self._carry, client, server, False)
                self._start(self._carry, server, client, True)

    def _carry(self, source: socket.socket, target: socket.socket, may_damage: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(self._damaged(data) if may_damage else data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _damaged(self, data: bytes) -> bytes:
        for old, new in self.swaps.items():
            data = data.replace(old, new)
        changed = bytearray(data)
        for _ in range(self._count(len(data))):
            changed[self._random.randrange(len(data))] ^= self._random.randrange(1, 256)
        return bytes(changed)

    def _count(self, length: int) -> int:
        wanted = self.damage * length
        count = int(wanted) + (self._random.random() < wanted % 1)
        self.damaged += count
        return count
