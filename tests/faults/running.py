"""A run of fer-stream under test, and what it shows."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.programs import Program, environment, start, wait_until

PLUGIN = Path(__file__).with_name("sinks.py")
Entry = dict[str, Any]
"""A line of the diary; with `state` about a source, without it a result."""


class Running:
    """A started `fer-stream run` that keeps a diary beside the other sinks.

    Args:
        folder: Where it runs and writes; what it says goes to `said.txt`.
        arguments: Sources, sinks and flags.
        options: For `Popen`.
    """

    def __init__(self, folder: Path, *arguments: str, **options: Any) -> None:
        self.folder = folder
        self._diary, self._read = folder / "diary.jsonl", 0
        self._entries: list[Entry] = []
        self._said = folder / "said.txt"
        options.setdefault("env", environment(XDG_STATE_HOME=str(folder / "state")))
        options.setdefault("stdout", subprocess.DEVNULL)
        with self._said.open("wb") as said:
            self.program: Program = start(
                *("run", *arguments, "--plugin", str(PLUGIN), "--sink", f"diary:{self._diary}"),
                cwd=folder,
                stderr=said,
                **options,
            )

    @property
    def said(self) -> str:
        """Return what it has said on standard error."""
        return self._said.read_text()

    def diary(self, source: str = "") -> list[Entry]:
        """Return what is in the diary so far, all or of one source."""
        if self._diary.exists():
            with self._diary.open("rb") as file:
                file.seek(self._read)
                new = file.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._read += len(whole)
            self._entries += map(json.loads, whole.splitlines())
        return [entry for entry in self._entries if source in ("", entry["source"])]

    def frames(self, source: str = "") -> list[Entry]:
        """Return the results so far."""
        return [entry for entry in self.diary(source) if "state" not in entry]

    def statuses(self, source: str = "") -> list[Entry]:
        """Return the statuses so far."""
        return [entry for entry in self.diary(source) if "state" in entry]

    def states(self, source: str = "") -> list[str]:
        """Return the states so far, repetitions left out."""
        states = [entry["state"] for entry in self.statuses(source)]
        return [new for old, new in zip(["", *states], states, strict=False) if new != old]

    def wait_for(self, what: Callable[[], object]) -> None:
        """Wait until something is so; fail, with what the run has said, if it never is."""
        try:
            wait_until(what, self.program)
        except AssertionError as error:
            told = self.statuses()[-8:]
            raise AssertionError(f"{error}; it said:\n{self.said}\nlast statuses: {told}") from None

    def wait_for_frames(self, count: int, source: str = "") -> None:
        """Wait until so many more results are there."""
        before = len(self.frames(source))
        self.wait_for(lambda: len(self.frames(source)) >= before + count)

    def wait_for_state(self, state: str, source: str = "") -> Entry:
        """Wait until the last word on a source is this; return it."""
        self.wait_for(lambda: self.states(source)[-1:] == [state])
        return self.statuses(source)[-1]

    def stop(self, code: int | None = 0) -> list[str]:
        """Stop it as a service manager does; return the lines that it has said.

        It must exit with `code`, if there is one.
        """
        self.program.send_signal(signal.SIGTERM)
        self.program.wait(30)
        assert code in (None, self.program.returncode), self.said
        assert "Traceback" not in self.said, self.said
        return self.said.splitlines()

    def kill(self) -> None:
        """End it without a chance to do anything."""
        self.program.kill()
        self.program.wait(30)


def is_complete(frames: Sequence[Entry]) -> bool:
    """Whether results of one session are in order, and lack only what the source had dropped."""
    numbers = [frame["frame"] for frame in frames]
    missing = numbers[-1] + 1 - len(numbers)
    return numbers == sorted(set(numbers)) and missing <= frames[-1]["dropped"]
