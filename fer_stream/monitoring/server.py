"""The HTTP server of `--metrics`: `/metrics`, `/healthz` and `/readyz`."""

from __future__ import annotations

import logging
import os
import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from fer_stream import __version__
from fer_stream.engine.stats import RunStats
from fer_stream.errors import ConfigError, FerStreamError
from fer_stream.monitoring.health import Health
from fer_stream.urls import without_password

logger = logging.getLogger("fer_stream")

_POLL_S = 0.1  # how long the end of a run may wait for the server
_PATIENCE_S = 10.0  # how long a client may be silent
_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Page:
    """An answer."""

    status: int
    content: bytes
    content_type: str = _TEXT


Pages = Mapping[str, Callable[[str], Page]]
"""By path: what makes the page, given the request's Accept header."""


@contextmanager
def monitored(stats: RunStats, address: str) -> Iterator[Callable[[], None]]:
    """Serve a run's metrics and health at HOST:PORT while the block lasts.

    Yields what the run's loop has to call each time that it turns. Raises
    `FerStreamError` if it cannot be served, before the block is entered.
    """
    health = Health(stats)
    with _bound(address, make_pages(stats, health)) as server:
        logger.info("metrics are at http://%s/metrics", server.place)
        thread = threading.Thread(
            target=server.serve_forever, args=(_POLL_S,), name="serve metrics", daemon=True
        )
        thread.start()
        try:
            yield health.tick
        finally:
            server.shutdown()
            thread.join()


def make_pages(stats: RunStats, health: Health) -> Pages:
    """Return the pages; raises `ConfigError` where prometheus-client is missing."""
    try:
        from prometheus_client.exposition import choose_encoder

        from fer_stream.monitoring.metrics import make_registry
    except ModuleNotFoundError as error:
        if error.name != "prometheus_client":
            raise
        raise ConfigError(
            'metrics need prometheus-client; install it with: pip install "fer-stream[metrics]"'
        ) from None
    registry = make_registry(stats)

    def metrics(accept: str) -> Page:
        if starting := health.starting():  # sources have no names yet
            return _verdict(starting)
        encode, content_type = choose_encoder(accept)
        return Page(200, encode(registry), content_type)

    return {
        "/metrics": metrics,
        "/healthz": lambda _: _verdict(health.dead()),
        "/readyz": lambda _: _verdict(health.faults()),
    }


def _verdict(faults: list[str]) -> Page:
    lines = "".join(f"{fault}\n" for fault in faults or ["ok"])
    return Page(503 if faults else 200, lines.encode(errors="backslashreplace"))


def _bound(address: str, pages: Pages) -> _Server:
    """Return a server that listens at HOST:PORT."""
    host, _, port = address.rpartition(":")
    bare = host[1:-1] if host[:1] + host[-1:] == "[]" else host
    # The system takes `*` for one address of this machine, and not for all.
    if (
        bare in ("", "*")
        or (":" in host and bare == host)
        or not port.isdecimal()
        or int(port) > 65535
    ):
        shown = without_password(address)
        raise ConfigError(
            "metrics must be HOST:PORT, such as 127.0.0.1:9464 or [::1]:9464, with 0.0.0.0 for all "
            f"addresses; got '{shown}'"
        )
    try:
        family, *_, place = socket.getaddrinfo(bare, int(port), type=socket.SOCK_STREAM)[0]
        return _Server(family, place, pages)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "no such host"
        # No wrong setting: while a machine starts, its address may come later than the service,
        # which systemd tries again then.
        raise FerStreamError(
            f"cannot serve metrics at {address}: {reason}; give --metrics another HOST:PORT"
        ) from None


class _Server(socketserver.ThreadingTCPServer):  # http.server's own asks the DNS for its name
    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # there, two programs would share the port

    def __init__(self, family: int, place: Any, pages: Pages) -> None:
        self.address_family = family
        super().__init__(place, partial(_Handler, pages))

    @property
    def place(self) -> str:
        """Where it listens, as in a URL; the port is a real one if 0 was asked for."""
        host, port = self.socket.getsockname()[:2]
        return f"[{host}]:{port}" if self.address_family == socket.AF_INET6 else f"{host}:{port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # a client that went away is no news
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection, on a thread of its own."""

    server_version, sys_version = f"fer-stream/{__version__}", ""
    timeout = _PATIENCE_S

    def __init__(self, pages: Pages, *arguments: Any) -> None:
        self._pages = pages
        super().__init__(*arguments)

    def do_HEAD(self) -> Page:
        """Answer with a page's head."""
        make = self._pages.get(_path(self.path))
        accept = self.headers.get("Accept", "")
        known = " ".join(self._pages)
        page = make(accept) if make else Page(404, f"no such page; there are {known}\n".encode())
        self.send_response(page.status)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Content-Length", str(len(page.content)))
        self.end_headers()
        return page

    def do_GET(self) -> None:
        """Answer with a page."""
        self.wfile.write(self.do_HEAD().content)

    def log_message(self, *_: Any) -> None:
        """Say nothing: a request a second is nobody's news."""


def _path(target: str) -> str:
    """The path of a request's target, which may be a whole URL, and anything at all."""
    try:
        return urlsplit(target).path
    except ValueError:  # such as http://[
        return target
