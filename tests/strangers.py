"""A virtual environment as a stranger has it: fer-stream installed, our checkout elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path


class Stranger:
    """A new virtual environment that sees the packages of the one that runs the tests.

    `pip`, entry points and scripts are its own and real; only the download is saved.
    """

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        self.bin = folder / "venv" / "bin"
        packages = next((folder / "venv").glob("lib/python*/site-packages"))
        ours = sysconfig.get_paths()["purelib"]
        # Through addsitedir, so that an editable installation's own .pth files count too.
        (packages / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
        script = "from fer_stream.cli import main; main()"
        (self.bin / "fer-stream").write_text(f"#!{self.bin / 'python'}\n{script}\n")
        (self.bin / "fer-stream").chmod(0o755)

    def install(self, folder: Path) -> None:
        """`pip install FOLDER`, with the build tools that are already there."""
        self.run(f"pip install --quiet --no-build-isolation {folder}")

    def run(self, command: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a shell command in the stranger's home; with `check`, it must exit with 0."""
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            command,
            shell=True,
            cwd=self.home,
            env={**os.environ, "PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
            capture_output=True,
            text=True,
            timeout=180,
        )
        if check:
            assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
        return done
