"""The overlay window, on a real X server that nobody sees."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.needs import require_program
from tests.programs import environment, line_count, run, start, wait_until

LONG = "demo?seconds=3600"
TITLE = "fer-stream"

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(sys.platform != "linux", reason="X11"),
]


def window(display: str) -> str:
    """Return the id of our window, or "" while there is none."""
    require_program("xdotool")
    found = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--name", f"^{TITLE}$"],
        env=environment(DISPLAY=display),
        capture_output=True,
        text=True,
    )
    return found.stdout.split()[0] if found.stdout.split() else ""


def shell(display: str, *command: str) -> None:
    subprocess.run(command, env=environment(DISPLAY=display), check=True, timeout=20)


def manager_runs(display: str) -> bool:
    asked = subprocess.run(
        ["wmctrl", "-m"], env=environment(DISPLAY=display), capture_output=True, text=True
    )
    return asked.returncode == 0 and "Openbox" in asked.stdout


def test_pressing_q_ends_the_run_and_the_rows_are_kept(tmp_path: Path, display: str) -> None:
    with start(
        *("run", "--source", LONG, "--sink", "overlay", "--sink", "csv:out.csv"),
        cwd=tmp_path,
        env=environment(DISPLAY=display),
    ) as program:
        wait_until(lambda: window(display), program)
        wait_until(lambda: line_count(tmp_path / "out.csv") > 10, program)
        start_s = time.monotonic()
        shell(display, "xdotool", "windowfocus", window(display))
        shell(display, "xdotool", "key", "--window", window(display), "q")
        _, said = program.communicate(timeout=30)
        assert program.returncode == 0, said
        assert time.monotonic() - start_s < 15
    assert "Traceback" not in said
    assert (tmp_path / "out.csv").read_bytes().endswith(b"\n")
    assert window(display) == ""


def test_closing_the_window_ends_the_run(tmp_path: Path, display: str) -> None:
    require_program("openbox")
    require_program("wmctrl")
    manager = subprocess.Popen(
        ["openbox"], env=environment(DISPLAY=display), stderr=subprocess.DEVNULL
    )
    try:
        # A manager that starts later takes the window off the screen to frame it, which reads
        # as closed.
        wait_until(lambda: manager_runs(display))
        with start(
            *("run", "--source", LONG, "--sink", "overlay"),
            cwd=tmp_path,
            env=environment(DISPLAY=display),
        ) as program:
            wait_until(lambda: window(display), program)
            time.sleep(0.5)  # the window manager has to learn of it
            shell(display, "wmctrl", "-F", "-c", TITLE)
            _, said = program.communicate(timeout=30)
            assert program.returncode == 0, said
        assert "Traceback" not in said
    finally:
        manager.terminate()
        manager.wait(10)


def test_a_film_that_ends_closes_its_window(tmp_path: Path, display: str) -> None:
    done = run(
        *("run", "--source", "demo?seconds=1", "--sink", "overlay"),
        cwd=tmp_path,
        env=environment(DISPLAY=display),
    )
    assert done.returncode == 0, done.stderr
    assert "25 frames" in done.stderr


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (None, "there is no display (DISPLAY is not set)"),
        (":12345", "the display :12345 cannot be opened"),
    ],
)
def test_without_a_display_one_line_says_so(tmp_path: Path, name: str | None, reason: str) -> None:
    done = run(
        *("run", "--source", LONG, "--sink", "overlay"),
        cwd=tmp_path,
        env=environment(DISPLAY=name, WAYLAND_DISPLAY=None),
    )
    assert done.returncode == 1, "not an abort"
    assert done.stderr.splitlines() == [
        f"fer-stream: overlay cannot open a window: {reason}; "
        "choose another sink, such as console, csv:out.csv or video:out.mp4"
    ]
