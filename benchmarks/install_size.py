"""Measures the core installation: a new virtual environment with fer-stream, in MB on disk.

python benchmarks/install_size.py
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def size_mb(files: Iterable[Path]) -> float:
    return sum(p.stat().st_blocks * 512 for p in files if not p.is_symlink()) / 1e6


def main() -> None:
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        before = set(home.rglob("*"))
        python = str(home / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "-q", str(ROOT)], check=True)
        ours = set(home.rglob("*")) - before
        compiled = {p for p in ours if p.suffix == ".pyc"}
        print(f"the whole environment:         {size_mb(home.rglob('*')):4.0f} MB")
        print(f"without Python's own pip:      {size_mb(ours):4.0f} MB")
        print(f"and without compiled byte code:{size_mb(ours - compiled):4.0f} MB")
        packages = next(home.glob("lib/python*/site-packages"))
        sizes = [(size_mb(set(p.rglob("*")) & ours), p.name) for p in packages.iterdir()]
        for megabytes, name in sorted(sizes, reverse=True)[:10]:
            print(f"{megabytes:8.1f}  {name}")


if __name__ == "__main__":
    main()
