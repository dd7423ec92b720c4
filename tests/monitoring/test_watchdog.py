"""systemd's watchdog. Its socket is real; systemd itself is not there."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fer_stream.engine.stats import RunStats
from fer_stream.monitoring import health
from fer_stream.monitoring.watchdog import watched
from tests.programs import environment, start

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="systemd's sockets are Unix sockets"),
    pytest.mark.timeout(60),
]
ALIVE = b"WATCHDOG=1"
STUCK = """\
import time
from fer_stream import Detector, hookimpl

class Stuck(Detector):
    name = "stuck"
    def detect(self, frame):
        time.sleep(3600)

@hookimpl
def fer_register_detectors():
    return [Stuck]
"""


@contextmanager
def listening(place: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(place)
        channel.settimeout(20)
        yield channel


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with listening(str(tmp_path / "notify")) as channel:
        yield channel


@pytest.fixture
def asked(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have systemd ask for a word every 0.4 s."""
    monkeypatch.setenv("NOTIFY_SOCKET", listener.getsockname())
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))


def heard(listener: socket.socket) -> list[bytes]:
    """Return what has come and waits."""
    listener.setblocking(False)
    said = []
    while True:
        try:
            said.append(listener.recv(100))
        except BlockingIOError:
            return said


def listen_on(listener: socket.socket) -> None:
    """Raise `TimeoutError` once nothing more comes."""
    while True:
        assert listener.recv(100) == ALIVE


@pytest.mark.usefixtures("asked")
def test_it_hears_often_enough(listener: socket.socket) -> None:
    with watched(RunStats()) as tell:
        for _ in range(3):
            tell()
            assert heard(listener) == [ALIVE]
            time.sleep(0.1)


@pytest.mark.usefixtures("asked")
def test_it_does_not_hear_of_every_turn(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "3600000000")
    with watched(RunStats()) as tell:
        tell()
        tell()
        assert heard(listener) == [ALIVE]


@pytest.mark.usefixtures("asked")
def test_it_hears_nothing_of_a_run_that_hangs(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LATELY_S", 0.15)
    stats = RunStats()
    door = stats.new_source("door", live=True)
    with watched(stats) as tell:

        def turn() -> list[bytes]:
            time.sleep(0.1)  # until it would say so again
            door.state, door.last_frame_ns = "online", time.monotonic_ns()
            tell()
            return heard(listener)

        assert turn() == [ALIVE]
        while turn():  # its frames are read, and none comes through
            pass
        assert turn() == []
        door.frames_processed += 1
        tell()
        assert heard(listener) == [ALIVE]


@pytest.mark.parametrize(
    ("name", "value"),
    [("NOTIFY_SOCKET", None), ("WATCHDOG_USEC", None), ("WATCHDOG_PID", "1")],
)
@pytest.mark.usefixtures("asked")
def test_it_is_silent_where_nobody_waits_for_it(
    listener: socket.socket, name: str, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    with watched(RunStats()) as tell:
        tell()
    assert heard(listener) == []


@pytest.mark.usefixtures("asked")
def test_a_watchdog_that_went_away_ends_nothing(listener: socket.socket) -> None:
    Path(listener.getsockname()).unlink()
    with watched(RunStats()) as tell:
        tell()


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_its_socket_may_be_abstract(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"fer-stream-test-{os.getpid()}"
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    with listening(f"\0{name}") as listener, watched(RunStats()) as tell:
        tell()
        assert heard(listener) == [ALIVE]


def test_a_run_tells_of_itself_until_it_ends(listener: socket.socket, tmp_path: Path) -> None:
    service = environment(NOTIFY_SOCKET=listener.getsockname(), WATCHDOG_USEC="400000")
    demo = ("run", "--source", "demo?seconds=3600", "--mode", "live", "--sink", "csv:out.csv")
    with start(*demo, cwd=tmp_path, env=service) as program:
        assert [listener.recv(100) for _ in range(3)] == [ALIVE] * 3
        program.send_signal(signal.SIGTERM)
        program.communicate()
        assert program.returncode == 0


@pytest.mark.slow
def test_a_run_that_hangs_falls_silent(listener: socket.socket, tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text(STUCK)
    service = environment(NOTIFY_SOCKET=listener.getsockname(), WATCHDOG_USEC="400000")
    demo = ("run", "--source", "demo?seconds=3600", "--mode", "live", "--sink", "csv:out.csv")
    stuck = ("--plugin", "stuck.py", "--detector", "stuck")
    with start(*demo, *stuck, cwd=tmp_path, env=service) as program:
        assert listener.recv(100) == ALIVE
        listener.settimeout(2)
        with pytest.raises(TimeoutError):
            listen_on(listener)  # for the ten seconds after which it counts as hanging
        assert program.poll() is None
