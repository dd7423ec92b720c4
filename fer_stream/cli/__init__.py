"""The command line: one module per command, each importing what it needs when it runs."""

from __future__ import annotations

import atexit
import io
import os
import sys
from typing import Any

# numpy starts a pool of threads that nothing here uses: 0.1 s of CPU at every start.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# OpenCV's warnings would stand beside our one line; its functions for that differ by version.
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")

import click

from fer_stream import __version__
from fer_stream.cli.bench import bench
from fer_stream.cli.doctor import doctor
from fer_stream.cli.models import models
from fer_stream.cli.plugins import plugins
from fer_stream.cli.run import ignore_signals, run, when_late
from fer_stream.cli.telling import hold_places, tell
from fer_stream.cli.train import STAND_INS
from fer_stream.cli.usage import in_one_line
from fer_stream.errors import FerStreamError
from fer_stream.plugins import installed


class _Commands(click.Group):
    """Our commands and those that plugins add."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._added()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        if own is None or own in STAND_INS:
            return self._added().get(cmd_name, own)
        return own

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if hint := installed().failure_hint():
                raise click.UsageError(f"{error.message.rstrip('.')}{hint}", ctx) from None
            raise

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        with in_one_line():
            return super().make_context(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        with in_one_line():  # what a command of ours or a plugin's says of its arguments
            return super().invoke(ctx)

    @staticmethod
    def _added() -> dict[str, click.Command]:
        return {command.name or "": command for command in installed().commands()}


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fer-stream")
def cli() -> None:
    """Read faces' emotions from video as it streams.

    \b
    fer-stream run --source 0 --sink overlay
    fer-stream run --source talk.mp4 --sink csv:talk.csv
    """


for _command in (run, bench, plugins, models, doctor, *STAND_INS):
    cli.add_command(_command)


def main() -> None:
    """Run the command line; a `FerStreamError` ends it with one line and its exit code."""
    hold_places()
    # Registered first, called last: what others wait for at the end can still be broken off.
    atexit.register(ignore_signals)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that the output cannot spell must not end a run: in a pipe Windows has a few
        # hundred letters, and a file's name on Linux need not be text at all.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        cli(obj=when_late)  # the program ends with its command
    except FerStreamError as error:
        message = " ".join(str(error).split())
        tell(f"fer-stream: {message}")
        sys.exit(error.exit_code)
