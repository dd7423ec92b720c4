"""Measures the core installation: a new virtual environment with fer-stream, in MB on disk.

python benchmarks/install_size.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def size_mb(folder: Path) -> float:
    return sum(p.stat().st_blocks * 512 for p in folder.rglob("*") if not p.is_symlink()) / 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = str(Path(folder) / "bin" / "python")
        empty = size_mb(Path(folder))
        subprocess.run([python, "-m", "pip", "install", "-q", str(ROOT)], check=True)
        packages = next(Path(folder).glob("lib/python*/site-packages"))
        print(f"the whole environment: {size_mb(Path(folder)):.0f} MB (empty: {empty:.0f} MB)")
        largest = sorted((size_mb(p), p.name) for p in packages.iterdir() if p.is_dir())[-8:]
        for megabytes, name in reversed(largest):
            print(f"{megabytes:8.1f}  {name}")


if __name__ == "__main__":
    main()
