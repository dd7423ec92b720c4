"""A folder for files that are needed for a while."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fer_stream.errors import ConfigError


@contextmanager
def temporary_folder(needed: int) -> Iterator[Path]:
    """A folder that goes when the block ends, with room for ``needed`` bytes.

    Raises ConfigError when there is no such room, or the block cannot write in it.
    """
    try:
        _require_room(needed)
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
    except OSError as error:
        found = tempfile.tempdir  # None where none can be written in
        where = f"the temporary folder {found}" if found else "any temporary folder"
        raise ConfigError(
            f"cannot write in {where} ({error.strerror or error}); expected {needed / 1e6:.0f} MB "
            "free in it; make room, or name another folder in the variable TMPDIR"
        ) from error


def _require_room(needed: int) -> None:
    # Asked first: what others write with says nothing of a full disk, or says it at length.
    if shutil.disk_usage(tempfile.gettempdir()).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
