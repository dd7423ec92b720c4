"""Click's own complaints in one line, as all of ours are."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

import click

from fer_stream.errors import FerStreamError

# The help that a group shows when it is called without a command; click 8.1 shows it by itself.
_JUST_HELP = getattr(click.exceptions, "NoArgsIsHelpError", ())
_LONGEST = 250
_NUMBERS = ((click.types.IntParamType, "a whole number"), (click.types.FloatParamType, "a number"))


@contextmanager
def in_one_line() -> Iterator[None]:
    """Turn an exception of click's into a `FerStreamError` with its exit code."""
    try:
        yield
    except click.ClickException as error:
        if isinstance(error, _JUST_HELP):
            raise
        ours = FerStreamError("; ".join([_what(error), *_hints(error)]))
        ours.exit_code = error.exit_code
        raise ours from None


def _what(error: click.ClickException) -> str:
    from fer_stream.urls import without_password

    # With nearest names click says two sentences; those are a hint of ours.
    text = error.message if _nearest(error) else error.format_message()
    if isinstance(error, click.BadParameter) and error.param:
        for kind, words in _NUMBERS:
            if isinstance(error.param.type, kind):
                text = text.replace(f"a valid {error.param.type.name}", words)
    text = text[:1].lower() + text[1:]
    # A pattern that the shell has spelt out may be a thousand superfluous arguments.
    return textwrap.shorten(without_password(text.rstrip(".")), _LONGEST, placeholder=" ...")


def _hints(error: click.ClickException) -> Iterator[str]:
    """Yield what was expected and where to read on."""
    if isinstance(error, click.MissingParameter) and (about := getattr(error.param, "help", None)):
        yield f"expected: {about.rstrip('.')}"
    if nearest := _nearest(error):
        yield f"did you mean {' or '.join(sorted(nearest))}?"
    if isinstance(error, click.UsageError) and error.ctx is not None:
        yield f"see {_named(error.ctx)} --help"


def _nearest(error: click.ClickException) -> list[str] | None:
    return getattr(error, "possibilities", None)


def _named(context: click.Context) -> str:
    """Return the command as it is typed, however the program was started."""
    if context.parent is None:
        return "fer-stream"
    return f"{_named(context.parent)} {context.info_name}"
