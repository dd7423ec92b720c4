"""Markdown tables that are also readable as they are, in a terminal."""

from __future__ import annotations

from rich.cells import cell_len


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    """A table with its columns padded: the first to the left, the others to the right."""
    header, *rows = [[cell.replace("|", r"\|") for cell in row] for row in (header, *rows)]
    widths = [max(map(cell_len, column)) for column in zip(header, *rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(_line(cells, widths) for cells in (header, rule, *rows))


def _line(cells: list[str], widths: list[int]) -> str:
    # What a terminal gives a letter, two places to those of Chinese, Japanese and Korean.
    gaps = [" " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=True)]
    others = [gap + cell for gap, cell in zip(gaps[1:], cells[1:], strict=True)]
    return f"| {' | '.join([cells[0] + gaps[0], *others])} |"
