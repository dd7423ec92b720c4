"""Where the broker is: `mqtt://user:password@host:1883/prefix`, `mqtts://` with TLS."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from fer_stream.errors import ConfigError
from fer_stream.urls import without_login

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_EXAMPLE = "expected mqtt://host or mqtts://user:password@host:8883/prefix"
_WILDCARDS = set("+#\0")


@dataclass(frozen=True, slots=True)
class Address:
    """A broker, and whom to say we are."""

    host: str
    port: int
    tls: bool
    prefix: str
    """First levels of every topic."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """Return what messages call it; never a password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def read_address(url: str, default_prefix: str) -> Address:
    """Read a URL; raises `ConfigError`, without its password.

    What is special in a URL is written as %40 (@), %3A (:), %2F (/), %3F (?), %23 (#).
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # its own message may quote the password
        host, port = None, None
    if not host or parts.scheme not in _PORTS or parts.query or parts.fragment:
        raise ConfigError(f"mqtt cannot read the address '{without_login(url)}'; {_EXAMPLE}")
    if "@" in parts.path:  # nothing of it is shown: it may be most of a password
        raise ConfigError("mqtt: there is an '@' behind a '/'; write a '/' in a password as %2F")
    prefix = unquote(parts.path).strip("/") or default_prefix
    if set(prefix) & _WILDCARDS or prefix.startswith("$"):
        raise ConfigError(f"mqtt: '{prefix}' cannot begin a topic; leave out '+', '#' and '$'")
    return Address(
        host=host,
        port=port or _PORTS[parts.scheme],
        tls=parts.scheme == "mqtts",
        prefix=prefix,
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )
