"""Standard error, where a command tells a person how it goes."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import click

_LAST_PLACE = 2  # of standard input, output and error


def tell(text: str) -> None:
    """Write a text and a new line, if anybody can read it: the work does not depend on that."""
    with suppress(OSError):
        click.echo(text, err=True)


def hold_places() -> None:
    """Give closed standard streams nothing to read or write, and standard error somewhere to go.

    A file would be opened in their place otherwise, and libraries write to standard error's.
    """
    while (place := os.open(os.devnull, os.O_RDWR)) <= _LAST_PLACE:
        pass
    os.close(place)
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - stays open
