"""What our topics are called."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_LONGEST = 48

# A level of a topic may hold any letter; `+`, `#` and `/` mean something.
_NO_LEVEL = re.compile(r"[^\w.-]+")
# A locale need not have other letters than these.
_NO_FILE = re.compile(_NO_LEVEL.pattern, re.ASCII)
# Home Assistant allows no others in an id.
_NO_ID = re.compile(r"[^a-zA-Z0-9_-]+")
_JOINT = "_"


def topic_level(name: str) -> str:
    """Return one level of a topic for any name: the same for the same, another for another."""
    return _readable(name, _NO_LEVEL)


def file_part(name: str) -> str:
    """Return a part of a file's name that any locale can write: the same for the same name only."""
    return _readable(name, _NO_FILE)


def plain_id(name: str) -> str:
    """Return an id of ASCII letters, digits, `_` and `-`: the same for the same name only."""
    return _readable(name, _NO_ID)


def device_id(instance: str, source: str) -> str:
    """Return an id for Home Assistant: the same for the same instance and source only."""
    # The first joint ends the instance, which must have none itself.
    part = _readable(instance, re.compile(f"{_JOINT}+"))
    return plain_id(f"fer-stream{_JOINT}{part}{_JOINT}{source}")


def _readable(name: str, forbidden: re.Pattern[str]) -> str:
    short = forbidden.sub("-", name).strip("-")[:_LONGEST]
    if short == name and name:
        return name
    # What was cut away may be the only difference between two names.
    mark = hashlib.sha256(name.encode(errors="backslashreplace")).hexdigest()[:8]
    return f"{short}-{mark}" if short else mark


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one run."""

    prefix: str
    instance: str

    @property
    def availability(self) -> str:
        """`online` or `offline`, retained; the broker says `offline` when we vanish."""
        return f"{self.prefix}/{topic_level(self.instance)}/availability"

    def status(self, source: str) -> str:
        """How the source is; retained."""
        return self._of(source, "status")

    def state(self, source: str) -> str:
        """Who is seen and shows what; retained."""
        return self._of(source, "state")

    def event(self, source: str) -> str:
        """A frame's event, `fer.event/1`."""
        return self._of(source, "event")

    def episode(self, source: str) -> str:
        """An episode's event, `fer.episode/1`."""
        return self._of(source, "episode")

    def _of(self, source: str, what: str) -> str:
        return f"{self.prefix}/{topic_level(self.instance)}/{topic_level(source)}/{what}"
