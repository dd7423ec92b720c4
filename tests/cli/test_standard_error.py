"""Standard error that nobody can read, and how little a run depends on it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.programs import FER_STREAM, line_count

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices are Unix's")

COMMAND = (*FER_STREAM, "run", "--source", "demo?seconds=1", "--sink", "csv:out.csv")

BROKEN = """\
import atexit, threading
from fer_stream.cli import main
from fer_stream.cli.progress import RunProgress

RunProgress.__enter__ = lambda _: 1 / 0
atexit.register(lambda: print([thread.name for thread in threading.enumerate()]))
main()
"""


@contextmanager
def full() -> Iterator[int]:
    with Path("/dev/full").open("wb") as device:
        yield device.fileno()


@contextmanager
def unread() -> Iterator[int]:
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize("extra", [[], ["--profile"]])
@pytest.mark.parametrize("place", [full, unread])
def test_a_run_whose_words_cannot_be_written_ends_well(
    place: Callable[[], AbstractContextManager[int]], extra: list[str], tmp_path: Path
) -> None:
    if place is full and not Path("/dev/full").exists():
        pytest.skip("needs a device that is always full")
    with place() as error:
        done = subprocess.run([*COMMAND, *extra], cwd=tmp_path, stderr=error, timeout=60)
    assert done.returncode == 0
    assert line_count(tmp_path / "out.csv") == 26


@pytest.mark.parametrize("closing", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_run_without_standard_error_ends_well(closing: str, tmp_path: Path) -> None:
    command = ["sh", "-c", f'"$@" {closing}', "sh", *COMMAND, "--profile"]
    assert subprocess.run(command, cwd=tmp_path, timeout=60).returncode == 0
    assert line_count(tmp_path / "out.csv") == 26


def test_an_error_that_cannot_be_told_has_its_exit_code(tmp_path: Path) -> None:
    command = [*FER_STREAM, "run", "--source", "demo?seconds=1", "--sink", "csv:"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60)
    with unread() as error:
        done = subprocess.run(command, cwd=tmp_path, stderr=error, timeout=60)
    assert (done.returncode, said.returncode) == (2, 2), said.stderr


def test_no_file_is_opened_in_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    code = (
        "import os; from fer_stream.cli.telling import hold_places; hold_places(); "
        "open('place', 'w').write(str(os.open('file', os.O_CREAT)))"
    )
    command = ["sh", "-c", '"$@" <&- >&- 2>&-', "sh", sys.executable, "-c", code]
    subprocess.run(command, cwd=tmp_path, timeout=60, check=True)
    assert int((tmp_path / "place").read_text()) > 2


def test_a_run_that_cannot_be_told_of_is_closed(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    command = [sys.executable, "broken.py", *COMMAND[3:]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert "ZeroDivisionError" in done.stderr
    assert done.stdout == "['MainThread']\n"
