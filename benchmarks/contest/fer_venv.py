"""The `fer` package in an environment of its own: its requirements bear no others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

VENV = Path(__file__).parents[2] / ".venv-fer"
PACKAGE = "fer==25.10.3"
# What `from fer.fer import FER` imports. Its declared requirements bring 3 GB of PyTorch and CUDA
# besides, for a detector that is not the default.
IMPORTED = ("tensorflow", "opencv-python<5", "requests", "pillow", "setuptools<81")


def fer_python() -> str:
    """Return its Python, installing it at first; raises `RuntimeError` with the reason."""
    python = VENV / "bin" / "python"
    ready = VENV / ".installed"
    if not ready.exists():
        print(f"installing {PACKAGE} into {VENV.name}: some minutes", file=sys.stderr)
        pip = (str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
        _run(sys.executable, "-m", "venv", str(VENV))
        _run(*pip, *IMPORTED)
        _run(*pip, "--no-deps", PACKAGE)
        ready.touch()
    return str(python)


def printed(problem: str, *command: str) -> str:
    """Return what a command prints; raises `RuntimeError` with the `problem` and its last line."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise RuntimeError(f"{problem}: {said[-1] if said else done.returncode}")
    return done.stdout


def _run(*command: str) -> None:
    printed("cannot be installed", *command)
