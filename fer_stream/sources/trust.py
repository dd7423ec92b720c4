"""Whom a network source trusts: servers with a certificate that a CA of the user's has signed."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

from fer_stream.errors import ConfigError


class Trust:
    """A file of certificates, of CAs or of servers that signed their own.

    Args:
        ca: Its path; PEM.

    Raises:
        ConfigError: It cannot be used.
    """

    def __init__(self, ca: str) -> None:
        self.options = {"ca_file": ca, "tls_verify": "1"}
        """What makes FFmpeg check a server's certificate, and that it is for the URL's host."""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            self._context.load_verify_locations(ca)
        except OSError as error:
            reason = "is no PEM certificate" if isinstance(error, ssl.SSLError) else error.strerror
            raise ConfigError(f"network cannot use the CA file {ca}: {reason}") from None

    def problem(self, url: str, default_port: int, timeout_s: float) -> str:
        """Return why a URL's server is not trusted, which FFmpeg keeps to itself; "" if it is."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or default_port
            with (
                socket.create_connection((host, port), timeout_s) as plain,
                self._context.wrap_socket(plain, server_hostname=host),
            ):
                return ""
        except ssl.SSLCertVerificationError as error:
            return f"its certificate is not trusted ({error.verify_message.rstrip('.')})"
        except (OSError, ValueError):
            return ""
