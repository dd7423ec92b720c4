"""Running the training package in a process of its own, as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import fer_stream_training


def environment() -> dict[str, str]:
    """The environment in which a fresh interpreter finds what this one finds."""
    path = [str(Path(fer_stream_training.__file__).parents[1]), *filter(None, sys.path)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


def fer_stream_on_a_full_disk(
    limit: int, *arguments: str | Path
) -> subprocess.CompletedProcess[str]:
    """Run `fer-stream` where no file gets longer than ``limit`` bytes."""
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit})); "
        "from fer_stream.cli import main; main()"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=environment(),
        capture_output=True,
        text=True,
    )
