"""The overlay window, on a real X server that nobody sees."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ImageGrab

from fer_stream.errors import StopStream
from fer_stream.sinks.overlay import OverlaySink
from tests.clips import Image
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
        shell(display, "xdotool", "windowfocus", window(display))
        # Not `key --window`: for that the release goes to a window that is gone, the key stays
        # down, and the server types it into the next test's window.
        shell(display, "xdotool", "key", "q")
        _, said = program.communicate(timeout=30)
        assert program.returncode == 0, said
    assert "Traceback" not in said
    assert (tmp_path / "out.csv").read_bytes().endswith(b"\n")
    assert window(display) == ""


@contextmanager
def window_manager(display: str) -> Iterator[None]:
    require_program("openbox")
    require_program("wmctrl")
    manager = subprocess.Popen(
        ["openbox"], env=environment(DISPLAY=display), stderr=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: manager_runs(display))
        yield
    finally:
        manager.terminate()
        manager.wait(10)


@contextmanager
def framed_run(folder: Path, display: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start `fer-stream run ARGUMENTS` where a window manager frames its window."""
    with (
        window_manager(display),
        start("run", *arguments, cwd=folder, env=environment(DISPLAY=display)) as program,
    ):
        yield program


def test_closing_the_window_ends_the_run(tmp_path: Path, display: str) -> None:
    with framed_run(tmp_path, display, "--source", LONG, "--sink", "overlay") as program:
        wait_until(lambda: window(display), program)
        time.sleep(0.5)  # the window manager has to learn of it
        shell(display, "wmctrl", "-F", "-c", TITLE)
        _, said = program.communicate(timeout=30)
        assert program.returncode == 0, said
    assert "Traceback" not in said


def test_a_window_that_is_framed_later_or_minimised_is_not_closed(
    tmp_path: Path, display: str
) -> None:
    out = tmp_path / "out.csv"
    with start(
        *("run", "--source", LONG, "--sink", "overlay", "--sink", "csv:out.csv"),
        cwd=tmp_path,
        env=environment(DISPLAY=display),
    ) as program:
        wait_until(lambda: window(display), program)
        seen = window(display)

        def wait_for_rows() -> None:
            more = line_count(out) + 20
            wait_until(lambda: line_count(out) >= more, program)

        with window_manager(display):
            wait_for_rows()
            shell(display, "xdotool", "windowminimize", seen)
            wait_until(lambda: not window(display), program)
            wait_for_rows()
            shell(display, "wmctrl", "-F", "-a", TITLE)
            wait_until(lambda: window(display), program)
            shell(display, "wmctrl", "-F", "-c", TITLE)
            _, said = program.communicate(timeout=30)
            assert program.returncode == 0, said


AWAY = """
import numpy as np
from fer_stream.sinks.overlay import OverlaySink
from fer_stream.testing import make_frame, make_result, make_run, make_status
from fer_stream.types import StreamInfo

def say(word):
    print(word, flush=True)
    while input() != "go on":
        sink.idle()

sink = OverlaySink()
sink.open(make_run(("door",)))
sink.status(make_status("reconnecting", "door"))  # no window yet
picture = np.full((480, 640, 3), 200, np.uint8)
frame = make_frame(0, image=picture, info=StreamInfo("door", 640, 480))
for state in ("online", "stalled", "reconnecting", "online"):
    if state == "online":
        sink.write(make_result(frame=frame))
    sink.status(make_status(state, "door"))
    say(state)
sink.close()
"""


def geometry(display: str, seen: str) -> dict[str, int]:
    """Return a window's place and size: X, Y, WIDTH, HEIGHT."""
    asked = ["xdotool", "getwindowgeometry", "--shell", seen]
    said = subprocess.run(
        asked, env=environment(DISPLAY=display), capture_output=True, text=True, check=True
    )
    return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", said.stdout)}


def shades(display: str) -> tuple[int, int]:
    """Return the grey of most of the window's inside, and its lightest one; (0, 0) without one."""
    if not (seen := window(display)):
        return 0, 0
    at = geometry(display, seen)
    screen = np.asarray(ImageGrab.grab(xdisplay=display).convert("L"))
    rows, columns = (
        slice(at[k] + 32, at[k] + at[size] - 32) for k, size in (("Y", "HEIGHT"), ("X", "WIDTH"))
    )
    inside = screen[rows, columns]  # less than all of it: xdotool is off by the frame's width
    return int(np.median(inside)), int(inside.max())


def shows(display: str, program: subprocess.Popen[str], shade: int, lightest: int) -> bool:
    print("idle", file=program.stdin, flush=True)  # the window draws itself then
    found = shades(display)
    return abs(found[0] - shade) < 4 and abs(found[1] - lightest) < 4


def talking_to(code: str, display: str) -> subprocess.Popen[str]:
    """Run a program that shows something, and does as it is told line by line."""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment(DISPLAY=display),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def shown(display: str) -> Iterator[subprocess.Popen[str]]:
    """Run AWAY, and yield it when its first picture is in its window."""
    with talking_to(AWAY, display) as program:
        assert program.stdout
        try:
            program.stdout.readline()
            deadline = time.monotonic() + 15.0
            while not shows(display, program, 200, 200):
                if time.monotonic() > deadline:
                    raise TimeoutError("nothing was painted into the window")
            yield program
        finally:
            if program.poll() is None:
                program.kill()


def go_through_states(display: str) -> int | None:
    """Check what the window shows in each state; return the program's exit status."""
    with shown(display) as program:
        assert program.stdout
        for expected in ((60, 255), (60, 255), (200, 200)):
            print("go on", file=program.stdin, flush=True)
            program.stdout.readline()
            wait_until(lambda: shows(display, program, *expected))  # noqa: B023 - called at once
        print("go on", file=program.stdin, flush=True)
        return program.wait(20)


def test_a_window_is_dark_with_a_word_while_its_source_is_away(display: str) -> None:
    # On a busy machine Qt at times never learns that its window is there, and paints nothing into
    # it: one window in five without a window manager, one in fifty with one.
    with window_manager(display):
        for last in (False, False, True):
            try:
                assert go_through_states(display) == 0
            except TimeoutError:
                if last:
                    raise
            else:
                break


PICTURES = """
from fer_stream.sinks.overlay import OverlaySink
from fer_stream.testing import make_frame, make_result, make_run
from fer_stream.types import StreamInfo

sink = OverlaySink()
sink.open(make_run(("holiday", "door")))
for name in ("holiday/1.jpg", "door", "holiday/2.jpg", "holiday/3.jpg"):
    info = StreamInfo(name, 64, 48, stills=name != "door")
    sink.write(make_result(frame=make_frame(info=info)))
print("shown", flush=True)
while input() != "go on":
    sink.idle()
sink.close()
print("closed", flush=True)
input()
"""


def titles(display: str) -> list[str]:
    """Return the titles of our windows."""
    require_program("xdotool")
    found = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--name", f"^{TITLE}", "getwindowname", "%@"],
        env=environment(DISPLAY=display),
        capture_output=True,
        text=True,
    )
    return sorted(found.stdout.splitlines())


def test_the_pictures_of_a_folder_share_a_window_and_all_are_closed(display: str) -> None:
    with talking_to(PICTURES, display) as program:
        assert program.stdin
        assert program.stdout
        program.stdout.readline()
        expected = [f"{TITLE}: door", f"{TITLE}: pictures"]
        wait_until(lambda: len(titles(display)) >= len(expected))
        found = titles(display)
        print("go on", file=program.stdin, flush=True)
        program.stdout.readline()
        wait_until(lambda: titles(display) == [], program)
        print("go on", file=program.stdin, flush=True)
    assert found == expected
    assert program.returncode == 0


def test_an_opencv_that_calls_no_window_visible_shows_it_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As OpenCV's GTK builds do; none is to be had from PyPI.
    visible = -1.0
    monkeypatch.setattr(cv2, "waitKey", lambda _: -1)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: visible)
    sink = OverlaySink()
    sink._windows[TITLE] = np.zeros((48, 64, 3), np.uint8)
    sink.idle()
    visible = 1.0
    sink.idle()
    visible = 0.0
    with pytest.raises(StopStream):
        sink.idle()


OPENED_AGAIN = """
from fer_stream.sinks.overlay import OverlaySink
from fer_stream.testing import make_result, make_run

sink = OverlaySink()
for _ in range(2):
    sink.open(make_run(("door",)))
    sink.idle()  # nothing to look after yet
    sink.write(make_result())
    print("shown", flush=True)
    input()
    sink.idle()
    sink.close()
"""


def test_a_window_that_is_opened_again_is_a_new_one(display: str) -> None:
    with talking_to(OPENED_AGAIN, display) as program:
        assert program.stdin
        assert program.stdout
        for _ in range(2):
            assert program.stdout.readline() == "shown\n"
            wait_until(lambda: window(display), program)
            print("go on", file=program.stdin, flush=True)
    assert program.returncode == 0


def test_a_film_is_shown_no_faster_than_it_was_taken(tmp_path: Path, display: str) -> None:
    start_s = time.monotonic()
    done = run(
        *("run", "--source", "demo?seconds=3", "--sink", "overlay"),
        cwd=tmp_path,
        env=environment(DISPLAY=display),
    )
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - start_s > 2.9


def test_a_picture_is_shown_until_the_window_is_closed(
    tmp_path: Path, display: str, astronaut: Image
) -> None:
    cv2.imwrite(str(tmp_path / "face.png"), astronaut)
    arguments = ("--source", "face.png", "--sink", "overlay", "--sink", "csv:out.csv")
    with framed_run(tmp_path, display, *arguments) as program:
        wait_until(lambda: window(display), program)
        wait_until(lambda: line_count(tmp_path / "out.csv") == 2, program)
        time.sleep(1.0)
        assert program.poll() is None
        shell(display, "wmctrl", "-F", "-c", TITLE)
        _, said = program.communicate(timeout=30)
        assert program.returncode == 0, said


def test_a_run_with_a_picture_in_a_window_can_be_stopped(
    tmp_path: Path, display: str, astronaut: Image
) -> None:
    cv2.imwrite(str(tmp_path / "face.png"), astronaut)
    with start(
        *("run", "--source", "face.png", "--sink", "overlay", "--sink", "csv:out.csv"),
        cwd=tmp_path,
        env=environment(DISPLAY=display),
    ) as program:
        wait_until(lambda: line_count(tmp_path / "out.csv") == 2, program)
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=30)
        assert program.returncode == 0, said


def size_of(display: str) -> tuple[int, int]:
    """Return the width and height of the window, (0, 0) without one."""
    if not (seen := window(display)):
        return 0, 0
    found = geometry(display, seen)
    return found["WIDTH"], found["HEIGHT"]


@pytest.mark.parametrize(("options", "expected"), [("", (360, 720)), ("?fullscreen=yes", None)])
def test_a_large_film_fits_on_the_screen(
    tmp_path: Path, display: str, options: str, expected: tuple[int, int] | None
) -> None:
    cv2.imwrite(str(tmp_path / "tall.png"), np.full((2000, 1000, 3), 200, np.uint8))
    arguments = ("--source", "tall.png", "--sink", f"overlay{options}")
    with framed_run(tmp_path, display, *arguments) as program:
        whole = expected or ImageGrab.grab(xdisplay=display).size
        wait_until(lambda: size_of(display) == whole, program)
        program.send_signal(signal.SIGINT)
        program.communicate(timeout=30)


def test_a_run_ends_with_its_film(tmp_path: Path, display: str) -> None:
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
