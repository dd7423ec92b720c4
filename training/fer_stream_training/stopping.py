"""What every training says when it is stopped, or can write no more."""

from __future__ import annotations

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
