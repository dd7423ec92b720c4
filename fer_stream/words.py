"""Numbers and names in messages."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def counted(count: int, noun: str, style: str = "") -> str:
    """Return how many there are: "1 frame", "2 frames", "2 classes".

    Args:
        count: How many.
        noun: One of them; its plural ends in s or, after an s, in es.
        style: The number's format; "," parts its thousands.
    """
    ending = "" if count == 1 else "es" if noun.endswith("s") else "s"
    return f"{count:{style}} {noun}{ending}"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return, for a message, which known name was probably meant; "" if none is like it."""
    found = get_close_matches(name, list(known), n=1)
    return f"did you mean {found[0]}?; " if found else ""
