"""Running `fer-stream` as its users do: as a program of its own."""

from __future__ import annotations

import os
import random
import select
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

FER_STREAM = (sys.executable, "-m", "fer_stream")
TIMEOUT_S = 60.0
"""After this a program counts as hanging."""


def environment(**changes: str | None) -> dict[str, str]:
    """Return our environment with changes; None removes a variable."""
    merged = {**os.environ, "COLUMNS": "200", "PYTHONUNBUFFERED": "1", **changes}
    return {key: value for key, value in merged.items() if value is not None}


def run(*arguments: str, cwd: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run `fer-stream ARGUMENTS` to its end."""
    defaults: dict[str, Any] = {
        "capture_output": True,
        "text": True,
        "errors": "replace",
        "timeout": TIMEOUT_S,
        "env": environment(),
        "stdin": subprocess.DEVNULL,
    }
    return subprocess.run([*FER_STREAM, *arguments], cwd=cwd, **{**defaults, **options})


def one_line(folder: Path, *arguments: str, code: int) -> str:
    """Run `fer-stream ARGUMENTS` to an error, and return the one line on standard error."""
    done = run(*arguments, cwd=folder)
    lines = done.stderr.splitlines()
    assert (done.returncode, len(lines)) == (code, 1), done.stderr
    assert lines[0].startswith("fer-stream: ")
    assert done.stdout == ""
    return lines[0].removeprefix("fer-stream: ")


def fer_stream_without(*packages: str, folder: Path) -> list[str]:
    """Return a command that runs fer-stream where some installed packages are missing.

    `packages` are their import names; what is left is linked in `folder`.
    """
    left = folder / "packages"
    left.mkdir()
    for item in Path(sysconfig.get_paths()["purelib"]).iterdir():
        package = item.name.removeprefix("_editable_impl_").split("-")[0].removesuffix(".pth")
        if package not in packages:
            (left / item.name).symlink_to(item)
    code = (
        "import site, sys\n"
        f"site.addsitedir({str(left)!r})\n"  # an editable package's .pth file counts
        "from fer_stream.cli import main\n"
        "sys.argv[0] = 'fer-stream'\n"
        "main()\n"
    )
    return [sys.executable, "-I", "-S", "-c", code]


class Program(subprocess.Popen[str]):
    """A started program; leaving its `with` block ends it, so that a failed test ends too."""

    def __exit__(self, *error: Any) -> None:
        if self.poll() is None:
            self.kill()
        super().__exit__(*error)


def start(*arguments: str, cwd: Path, **options: Any) -> Program:
    """Start `fer-stream ARGUMENTS`."""
    defaults: dict[str, Any] = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
        "env": environment(),
        "stdin": subprocess.DEVNULL,
    }
    return Program([*FER_STREAM, *arguments], cwd=cwd, **{**defaults, **options})


def in_terminal(*arguments: str, cwd: Path) -> str:
    """Run `fer-stream ARGUMENTS` to its end in a terminal of its own, and return what it shows."""
    import pty  # Unix's

    ours, theirs = pty.openpty()
    with Program(
        [*FER_STREAM, *arguments],
        cwd=cwd,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(TERM="xterm-256color", COLUMNS="100", LINES="40", NO_COLOR=None),
    ) as program:
        os.close(theirs)
        shown = _read_all(ours).decode()
        assert program.wait(20) == 0, shown
    os.close(ours)
    return shown


def _read_all(descriptor: int) -> bytes:
    data = b""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        if not select.select([descriptor], [], [], 1.0)[0]:
            continue
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:  # Linux's way to say that the other side is closed
            return data
        if not chunk:
            return data
        data += chunk
    raise AssertionError("the program did not end")


def wait_until(what: Callable[[], object], program: subprocess.Popen[Any] | None = None) -> None:
    """Wait until something is so; fail if it never is, or if the program ended without it."""
    deadline = time.monotonic() + TIMEOUT_S
    while not what():
        if program is not None and program.poll() is not None and not what():
            raise AssertionError(f"ended with {program.returncode}: {program.communicate()}")
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


class Stopwatch:
    """Counts the seconds since it was made in which nobody on this machine was kept waiting.

    What a process spends in a queue for a processor or the disk says nothing about it. Where the
    system does not count that (Linux does), no time counts.
    """

    def __init__(self) -> None:
        self._start_s, self._busy_s = time.monotonic(), _busy_s()

    def read(self, until_s: float | None = None) -> float:
        """Return the seconds until now, or until a moment of the monotonic clock."""
        end_s = time.monotonic() if until_s is None else until_s
        return end_s - self._start_s - self.waited_s

    @property
    def waited_s(self) -> float:
        """How long somebody was kept waiting since it was made, in s."""
        return _busy_s() - self._busy_s


def _busy_s() -> float:
    """Return for how many seconds so far somebody had to wait for a processor or the disk."""
    total_us = 0
    for what in ("cpu", "io"):
        path = Path("/proc/pressure") / what
        if not path.exists():
            return time.monotonic()
        some, *_ = path.read_text().splitlines()
        total_us += int(some.rpartition("total=")[2])
    return total_us / 1e6


def line_count(path: Path) -> int:
    """Return the number of whole lines in a file that may not be there yet."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


def free_port() -> int:
    """Return a port of 127.0.0.1 where nobody listens.

    None that the system gives to clients: one that tries again and again while its server is away
    would at last be given that very port, and be connected with itself.
    """
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")
