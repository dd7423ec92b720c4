"""Names of people's own in a picture: which of the installed fonts have their letters."""

from __future__ import annotations

from dataclasses import dataclass

_NO_LETTERS = "Last Resort"  # matplotlib's font of empty boxes, which claims to have every letter


@dataclass(frozen=True, slots=True)
class Fonts:
    """``families`` are matplotlib's own and those that are needed beside it, in that order;
    ``lacking`` are the letters that no installed font has."""

    families: list[str]
    lacking: frozenset[str]

    def can_write(self, text: str) -> bool:
        """Whether there is a font for each letter of ``text``."""
        return self.lacking.isdisjoint(text)


def fonts_for(texts: tuple[str, ...]) -> Fonts:
    """The fonts to write ``texts`` with; of the installed ones those that have most of the rest."""
    from matplotlib.font_manager import FontProperties, findfont, fontManager

    families = list(FontProperties().get_family())
    lacking = set("".join(texts)) - _letters(findfont(FontProperties()))
    others = [
        (entry.name, lacking & _letters(entry.fname))
        for entry in (fontManager.ttflist if lacking else ())
        if not entry.name.startswith(_NO_LETTERS)
    ]
    while others and lacking:
        name, letters = max(others, key=lambda font: len(font[1] & lacking))
        if not letters & lacking:
            break
        families.append(name)
        lacking -= letters
    return Fonts(families, frozenset(lacking))


def _letters(path: str) -> set[str]:
    from matplotlib.font_manager import get_font

    try:
        return set(map(chr, get_font(path).get_charmap()))
    except (OSError, RuntimeError):  # removed since matplotlib listed it, or damaged
        return set()
