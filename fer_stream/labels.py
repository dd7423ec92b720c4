"""What a label may be called: it stands in tables, events, topics and model files."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

COLUMNS = (
    "source",
    "session",
    "frame",
    "time_s",
    "captured_at",
    "track_id",
    "x",
    "y",
    "width",
    "height",
    "confidence",
    "emotion",
    "score",
)
"""A table's columns of a face, before the one per label."""

_BREAKS = ("Cc", "Zl", "Zp")  # Unicode's categories: control characters, line and paragraph ends
_HALF = "Cs"  # of a letter; Python writes a byte that is not UTF-8 so


def naming_problem(labels: Sequence[str]) -> str | None:
    """Return what is wrong with what labels are called, and what was expected, or None."""
    for place, label in enumerate(labels):
        kinds = {unicodedata.category(letter) for letter in label}
        if not label.strip():
            return "a label is empty; expected a name for each"
        if label in labels[:place]:
            return f"the label {label!r} is there twice; expected names without a repetition"
        if label in COLUMNS:
            return (
                f"the label {label!r} is called like a column of the CSV sink's tables; expected "
                f"none of {', '.join(COLUMNS)}"
            )
        if _HALF in kinds:
            return f"the label {label!r} is not in UTF-8; expected a name that is"
        if kinds.intersection(_BREAKS):
            return (
                f"the label {label!r} holds a line break or another control character; expected "
                "one line of text"
            )
    return None
