"""The card of the shipped face detector speaks of the file that ships."""

from __future__ import annotations

import re

from fer_stream.models import FACE_MODEL
from fer_stream.models.face import describe_face_model
from fer_stream.models.info import load_session


def test_the_figures_are_of_this_file() -> None:
    info = describe_face_model(FACE_MODEL, load_session(FACE_MODEL))
    card = FACE_MODEL.with_suffix(".md").read_text(encoding="utf-8")
    (block,) = re.findall(r"<!-- file -->\n(.*?)<!-- end -->", card, re.DOTALL)
    assert f"{info.size_bytes:,} bytes" in block
    assert f"`{info.sha256[:16]}`" in block
    assert f"{info.threshold:.2f} or more" in block
    for count in re.findall(r"[\d,]+(?= faces)", info.trained_on):
        assert count in card
