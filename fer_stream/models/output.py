"""Writing a model file: it gets its name when it is whole and proven, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fer_stream.errors import ConfigError


def require_folder(out: Path) -> None:
    """Raise `ConfigError` for an `out` that has no folder to be in."""
    if not out.parent.is_dir():
        raise ConfigError(f"cannot write {out}: there is no folder {out.parent}; make it first")


@contextmanager
def unfinished(out: Path) -> Iterator[Path]:
    """A path beside an `--out` to write to: it becomes `out` at the end, or goes after an error.

    Raises `ConfigError` when it cannot be written.
    """
    path = out.with_name(f"{out.name}.unfinished")
    try:
        yield path
        path.replace(out)
    except OSError as error:
        raise ConfigError(
            f"cannot write {out} ({error.strerror or error}); expected a file in a folder to write "
            "in; choose another --out"
        ) from error
    finally:
        # Where it could not be made, as on a read-only file system, it cannot be removed either.
        with suppress(OSError):
            path.unlink(missing_ok=True)
