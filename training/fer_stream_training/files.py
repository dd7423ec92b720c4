"""Writing a run's files: each is there whole or not at all, whenever the run is killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write to: it takes its place in one step when the block ends.

    A kill or power cut at any moment leaves the old file or the new one, never a part; an error
    leaves the old one.
    """
    # In front, for the ending stays: Keras and NumPy go by it.
    temporary = path.with_name(f"unfinished-{path.name}")
    try:
        yield temporary
        with temporary.open("r+b") as file:  # Windows flushes no file that is only read
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        # On a full disk it would take the room that is needed to go on.
        temporary.unlink(missing_ok=True)
    _flush_folder(path.parent)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in one step."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write a text file in one step."""
    # A path that the text names need not be Unicode.
    write_whole(path, text.encode("utf-8", errors="backslashreplace"))


def _flush_folder(folder: Path) -> None:
    """Wait until a folder's list of files is on the disk."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
