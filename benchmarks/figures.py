"""Where measured figures stand: blocks of benchmarks/README.md that the commands write anew."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).with_name("README.md")


def write_figures(name: str, text: str) -> None:
    """Put text between the page's `<!-- NAME -->` and `<!-- end -->`."""
    block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    page = PAGE.read_text(encoding="utf-8")
    if len(block.findall(page)) != 1:
        raise SystemExit(f"{PAGE}: expected one block <!-- {name} --> ... <!-- end -->")
    new = block.sub(lambda found: f"{found[1]}{text.strip()}\n{found[2]}", page)
    PAGE.write_text(new, encoding="utf-8")
