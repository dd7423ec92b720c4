"""The log of a run on a command line; apart from the commands, for loading `logging` takes 3 ms."""

from __future__ import annotations

import logging

import click


def log_to_standard_error() -> None:
    """Write what fer-stream has to say, and nothing of the libraries', as lines of its own."""
    handler = _ToStandardError()
    handler.setFormatter(logging.Formatter("fer-stream: %(message)s"))
    logger = logging.getLogger("fer_stream")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


class _ToStandardError(logging.Handler):
    """Writes where standard error is now: a table in the terminal takes it over."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            click.echo(self.format(record), err=True)
        except Exception:
            self.handleError(record)
