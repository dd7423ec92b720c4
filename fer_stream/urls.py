"""What is a URL, and which part of it nobody may see."""

from __future__ import annotations

import os
import re

from fer_stream.errors import ConfigError

# Written after a stage's name and a colon, a URL may have lost its scheme: `csv://me@host`.
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]+:)+//|//[^/]", re.IGNORECASE)

# A login ends at the last @ before the path; a user alone may be a token. A password with a /, ? or
# hash in it (which should have been written %2F and so on) would be read as a path: where no host
# and port stand before that, it is hidden as well. Without a dot, `user:12/` is none.
_HOST_AND_PORT = r"(?:localhost|[^/?#:]*[.@][^/?#:]*):\d*[/?#]"
_PASSWORD = re.compile(
    r"((?:^|:)//)(?:"
    rf"([^/?#:\[]*:)[^/?#]*@|(?!{_HOST_AND_PORT})([^/?#:\[]*:).*@|[^/?#]+@"
    r")",
    re.DOTALL,
)

# Cameras also take their login in the query, by many names (`loginpas`, `access_token`), and some
# in the path: `/user=admin_password=secret_channel=1`. The short words are no endings: `spin`.
_KEY = (
    "(?:pass?|passw(?:or)?d|passphrase|passcode|pwd?|psw|psk|jwt|token|key|auth|authorization"
    "|secret|cred(?:ential)?s?|login|sig(?:nature)?|(?<![a-z0-9])(?:pin|sid|session))="
)
_SECRET = re.compile(
    rf"([?&;/][\w.-]*{_KEY})[^&#]*|(_{_KEY})(?:(?!_[a-z]+=)[^&#?/])*", re.IGNORECASE
)
_SHORT_USER = re.compile(r"[?&;]u(?:se?r)?=", re.IGNORECASE)
_SHORT_PASSWORD = re.compile(r"([?&;]p=)[^&#]*", re.IGNORECASE)  # else a page, or a port

# What was meant for a URL may lack its slashes: `rtsp:/user:secret@camera`, `user:secret@camera`.
# `C:/` is a disk.
_LOGIN = re.compile(r"(?<=[^:/\\]:)(?!(?<=^.:)[/\\]).*@", re.DOTALL)


def without_password(text: str) -> str:
    """Return a URL with its password replaced by `***`; anything else unchanged."""
    if not _is_url(text):
        return text
    return _without_named(_PASSWORD.sub(r"\1\2\3***@", text, count=1))


def without_login(text: str) -> str:
    """Return what was not understood, and may be a URL written wrongly, without a password."""
    if _is_url(text):
        return without_password(text)
    return _without_named(_LOGIN.sub("***@", text, count=1))


def _without_named(text: str) -> str:
    """Hide what a query's or path's own words call a secret."""
    text = _SECRET.sub(r"\1\2***", text)
    return _SHORT_PASSWORD.sub(r"\1***", text) if _SHORT_USER.search(text) else text


def _is_url(text: str) -> bool:
    return "://" in text or text.startswith("//")


def path_target(name: str, target: str, expected: str) -> str:
    """Return a stage's target if it can be a file's path.

    Args:
        name: The stage's name, for the message.
        target: What stands behind it.
        expected: What it needs, such as "a file, e.g. csv:out.csv".

    Raises:
        ConfigError: There is none, or it is a URL; a file that is there may be called anything.
    """
    if not target:
        raise ConfigError(f"{name} needs {expected}")
    exists = os.path.exists  # not Path: that raises for a name that is too long
    if _URL.match(target) and not exists(target):
        raise ConfigError(
            f"{name} cannot use a URL, got '{without_password(target)}'; it needs {expected}"
        )
    return target
