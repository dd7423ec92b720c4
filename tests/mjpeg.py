"""A camera with an HTTP server in it, to be unplugged, frozen and plugged in again."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2
import numpy as np

FPS = 25.0
BOUNDARY = "frame"


class MjpegCamera:
    """Serves Motion JPEG on 127.0.0.1, at the same port whenever it is plugged in.

    Each picture's grey level is its number modulo 200, so that an old one can be told.
    """

    def __init__(self, size: tuple[int, int] = (160, 120)) -> None:
        self.size = size
        """(width, height) in px; may be changed while it serves."""
        self.spoiled = False
        """Whether its pictures cannot be decoded; may be changed while it serves."""
        self.clients = 0
        """How many have connected."""
        self._goes_on = threading.Event()
        self._goes_on.set()
        self._server: ThreadingHTTPServer | None = None
        self._sockets: list[socket.socket] = []
        self._number = 0
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    @property
    def url(self) -> str:
        """Where it serves, with a password that must never be seen."""
        return f"http://user:secret@127.0.0.1:{self.port}/camera"

    def plug_in(self) -> None:
        """Begin to serve."""
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *arguments: object) -> None:
                pass

            def do_GET(self) -> None:
                camera._serve(self)

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *arguments: object) -> None:
                pass  # who has seen enough hangs up

        self._server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="camera", daemon=True
        ).start()

    def pull_out(self) -> None:
        """Hang up on everybody and serve no more."""
        server, self._server = self._server, None
        if server is None:
            return
        server.shutdown()
        server.server_close()
        for connection in self._sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._sockets.clear()

    def freeze(self) -> None:
        """Keep the connections and send nothing."""
        self._goes_on.clear()

    def thaw(self) -> None:
        """Send again."""
        self._goes_on.set()

    def _serve(self, handler: Any) -> None:
        server = self._server
        self._sockets.append(handler.connection)
        self.clients += 1
        handler.send_response(200)
        handler.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        handler.end_headers()
        with suppress(OSError):
            while self._server is server:
                self._goes_on.wait()
                handler.wfile.write(self._part())
                time.sleep(1 / FPS)

    def _part(self) -> bytes:
        self._number += 1
        width, height = self.size
        picture = np.full((height, width), self._number % 200, np.uint8)
        jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
        if self.spoiled:
            jpeg = jpeg[:2] + bytes(len(jpeg) - 4) + jpeg[-2:]
        head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        return head.encode() + jpeg + b"\r\n"


@contextmanager
def mjpeg_camera() -> Iterator[MjpegCamera]:
    """Give a camera that serves, and pull it out in the end."""
    camera = MjpegCamera()
    camera.plug_in()
    try:
        yield camera
    finally:
        camera.thaw()
        camera.pull_out()
