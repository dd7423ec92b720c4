"""What every training says when it is stopped, begun again, or can read or write no more."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from fer_stream.errors import ConfigError


@contextmanager
def resumable(folder: Path, console: Console) -> Iterator[None]:
    """A block that keeps finished epochs in ``folder``: says so when Ctrl-C ends it.

    Raises ConfigError when it cannot write.
    """
    try:
        yield
    except KeyboardInterrupt:
        console.print(f"stopped; finished epochs are kept in {folder}; go on with --resume")
        raise
    except OSError as error:
        raise ConfigError(
            f"cannot write in {folder} ({error.strerror or error}); expected a folder to write in "
            "with 100 MB free; make room and go on with --resume, or choose another --out"
        ) from error


def require_no_run(path: Path) -> None:
    """Raise ConfigError where ``path``, the file that lets a run go on, is there already."""
    if path.exists():
        raise ConfigError(
            f"{path.parent} holds a run; expected a new folder; go on with --resume or choose "
            "another --out"
        )


@contextmanager
def earlier_run(path: Path, command: str) -> Iterator[None]:
    """A block that reads ``path``, which lets a run of ``fer-stream command`` go on.

    Raises ConfigError for a file that is missing, damaged or of another command.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise ConfigError(
            f"no run to resume in {path.parent}; expected {path.name}; start without --resume"
        ) from error
    except KeyError as error:
        raise ConfigError(
            f"{path} has no {error.args[0]}; expected a file of fer-stream {command}; choose "
            "another --out"
        ) from error
    except (OSError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise ConfigError(
            f"cannot read {path} ({error}); expected a file of fer-stream {command}; start again "
            "in another --out"
        ) from error
