"""How a connection to the broker ends, and why."""

from __future__ import annotations

import ssl

_NOT_THE_CA = (9, 10, 62, 64)
"""OpenSSL's numbers for: not valid yet, expired, for another host name, for another address."""


class Lost(Exception):  # noqa: N818 - also what ends a connection that never stood
    """The connection ended; the message says why, without a password."""


class TooLarge(Lost):
    """It ended over a message that is too large for the broker; the next one goes on without."""


class Refused(Lost):
    """It ended over a retained message that the broker does not allow us.

    `topic` is the message's.
    """

    def __init__(self, told: str, topic: str) -> None:
        super().__init__(told)
        self.topic = topic


def reason_of(error: OSError, tls: bool) -> str:
    """Return why the broker could not be reached; `tls`: whether it was to speak TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        found = f"its certificate is not trusted ({error.verify_message.rstrip('.')})"
        return found if error.verify_code in _NOT_THE_CA else f"{found}; name its CA with ?ca=FILE"
    if isinstance(error, ssl.SSLError | ConnectionResetError) and tls:
        return "TLS failed; does this port speak TLS?"
    if isinstance(error, TimeoutError):
        return "it does not answer"
    return error.strerror or str(error) or type(error).__name__
