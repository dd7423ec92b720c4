"""A web server of our own, for what the network source reads."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Handler(SimpleHTTPRequestHandler):
    """Serves a folder; `/drop/NAME` hangs up after 60 % of a file that it promised whole."""

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        if not self.path.startswith("/drop/"):
            super().do_GET()
            return
        data = (Path(self.directory) / self.path.removeprefix("/drop/")).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) * 6 // 10])


class _Server(ThreadingHTTPServer):
    def handle_error(self, *arguments: object) -> None:
        pass  # a reader that has seen enough hangs up


@contextmanager
def serving(folder: Path, certificates: Path | None = None) -> Iterator[str]:
    """Serve a folder, with TLS if `make_certificates` was given one; yields `127.0.0.1:PORT`."""
    server = _Server(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
    if certificates:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "server.crt", certificates / "server.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, name="web server", daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
