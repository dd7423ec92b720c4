"""Numbers in messages."""

from __future__ import annotations


def counted(count: int, noun: str, style: str = "") -> str:
    """Return how many there are: "1 frame", "2 frames", "2 classes".

    Args:
        count: How many.
        noun: One of them; its plural ends in s or, after an s, in es.
        style: The number's format; "," parts its thousands.
    """
    ending = "" if count == 1 else "es" if noun.endswith("s") else "s"
    return f"{count:{style}} {noun}{ending}"
