"""Numbers in messages."""

from __future__ import annotations

import pytest

from fer_stream.words import counted


@pytest.mark.parametrize(
    ("count", "noun", "said"),
    [(0, "frame", "0 frames"), (1, "frame", "1 frame"), (2, "class", "2 classes")],
)
def test_one_is_told_from_several(count: int, noun: str, said: str) -> None:
    assert counted(count, noun) == said


def test_thousands_are_parted_where_asked() -> None:
    assert counted(28709, "image", ",") == "28,709 images"
    assert counted(28709, "image") == "28709 images"
