"""Who takes part, and how they are reached."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contest.fer_venv import fer_python
from fer_stream.plugins import installed

HERE = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Entrant:
    """One row of the tables."""

    name: str
    title: str
    module: str
    argument: str = ""
    most: int | None = None
    """How many of a clip's frames it is timed on; None: all. The slow ones' later frames are like
    their first."""
    sees: bool = True
    """Whether it looks for faces."""
    searches_like: str = ""
    """Finds what another one finds: not measured again."""


def entrants() -> list[Entrant]:
    detectors = [name for name in ("haar", "onnx") if name in installed().table("detector")]
    return [
        Entrant("decode", "decoding alone, one thread", "decoding", "SLICE", sees=False),
        Entrant("decode-auto", "decoding alone, all threads", "decoding", "AUTO", sees=False),
        Entrant("plain", "plain loop", "plain", "default", most=60),
        Entrant("tuned", "plain loop, one thread", "plain", "one-thread", 60, True, "plain"),
        Entrant("demo", "the original demo's loop", "original", "", 12, True, "plain"),
        Entrant("fer", "`fer` package", "fer_package", "", 24),
        *(Entrant(f"ours-{d}", f"**fer-stream, {d}**", "ours", d) for d in detectors),
    ]


class Worker:
    """An entrant's process; raises `RuntimeError` with the reason if it does not start."""

    def __init__(self, entrant: Entrant) -> None:
        python = fer_python() if entrant.module == "fer_package" else sys.executable
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as we do
        self._process = subprocess.Popen(
            [python, "-m", "contest.worker", f"contest.{entrant.module}", entrant.argument],
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
        )
        self._answer()

    def look(
        self, path: Path, most: int | None = None, only: Collection[int] | None = None
    ) -> dict[str, Any]:
        """Do one job; see worker.py."""
        assert self._process.stdin is not None
        job = {"path": str(path), "most": most, "only": None if only is None else sorted(only)}
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = self._answer()
        return answer

    def close(self) -> None:
        self._process.communicate()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.communicate()
            self._said.seek(0)
            said = self._said.read().strip().splitlines()
            raise RuntimeError(said[-1] if said else "it ended without a word")
        return json.loads(line)
