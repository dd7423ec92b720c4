"""Texts that a benchmark keeps up to date inside a page, and the pages."""

from __future__ import annotations

import re
from pathlib import Path

FIGURES = Path(__file__).with_name("README.md")
"""The page of this folder, for figures that stand nowhere else."""

SPEED = Path(__file__).parents[1] / "docs" / "speed.md"
"""The page about speed, for users."""


def put(page: Path, name: str, text: str) -> None:
    """Put `text` in the place of what stands between `<!-- name -->` and `<!-- end -->`."""
    block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    before = page.read_text(encoding="utf-8")
    if len(block.findall(before)) != 1:
        raise SystemExit(f"{page}: expected one block <!-- {name} --> ... <!-- end -->")
    after = block.sub(lambda found: f"{found[1]}{text.strip()}\n{found[2]}", before)
    page.write_text(after, encoding="utf-8")
