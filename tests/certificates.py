"""Certificates for servers that speak TLS."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.needs import require_program


def make_certificates(folder: Path) -> None:
    """Make a CA (`ca.crt`) and a certificate for localhost (`server.crt`, `server.key`)."""
    openssl = require_program("openssl")
    key = ("-newkey", "rsa:2048", "-nodes")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    for command in (
        f"req -x509 -keyout ca.key -out ca.crt -days 2 -subj /CN=test-ca {' '.join(key)}",
        f"req -keyout server.key -out server.csr -subj /CN=localhost {' '.join(key)}",
        "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt "
        "-days 2 -extfile names",
    ):
        subprocess.run([openssl, *command.split()], cwd=folder, check=True, capture_output=True)
