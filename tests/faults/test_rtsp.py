"""RTSP cameras that die, freeze, refuse, change and talk nonsense.

Times are judged by a `Stopwatch`: that a busy machine is late is no fault.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from tests.faults.camera import RtspCamera
from tests.faults.conftest import Films
from tests.faults.proxy import BadWire
from tests.faults.running import Entry, Running
from tests.programs import Stopwatch, free_port

Run = Callable[..., Running]
MakeCamera = Callable[[], RtspCamera]

pytestmark = pytest.mark.timeout(120)


def numbers(frames: list[Entry]) -> list[tuple[int, int]]:
    """Return each result's session and index."""
    return [(frame["session"], frame["frame"]) for frame in frames]


def test_a_camera_that_dies_comes_back_and_its_neighbour_does_not_notice(
    camera: RtspCamera, make_camera: MakeCamera, films: Films, run: Run
) -> None:
    other = make_camera()
    other.start(films.small)
    whole_run = Stopwatch()
    running = run("--source", f"door={camera.url()}", "--source", f"hall={other.url()}")
    running.wait_for_frames(20, "door")
    running.wait_for_frames(20, "hall")
    since_killed = Stopwatch()
    camera.kill()
    lost = running.wait_for_state("reconnecting", "door")
    assert since_killed.read(lost["at_s"]) < 2
    assert "was lost after" in lost["reason"]
    running.wait_for_frames(10, "hall")
    camera.start(films.small)
    since_back = Stopwatch()
    away_s = time.monotonic() - lost["at_s"]
    back = running.wait_for_state("online", "door")
    # Each wait is twice the one before and cut by up to a fifth, and it takes a while to open.
    assert since_back.read(back["at_s"]) < 1 + away_s / 0.8 + 3, "one back-off"
    running.wait_for_frames(10, "door")
    running.stop()

    assert running.states("door") == ["online", "reconnecting", "online", "ended"]
    frames = running.frames("door")
    assert numbers(frames) == sorted(set(numbers(frames)))
    assert {(f["session"], *f["size"]) for f in frames} == {(0, 640, 480), (1, 320, 240)}
    assert any(frame["faces"] for frame in frames if frame["session"] == 1)
    diary = running.diary("door")
    away = diary[diary.index(lost) : diary.index(back)]
    assert all("state" in entry for entry in away), "a result of a camera that is away"

    assert running.states("hall") == ["online", "ended"]
    hall = running.frames("hall")
    assert {frame["session"] for frame in hall} == {0}
    steps = [new["at_s"] - old["at_s"] for old, new in pairwise(hall)]
    assert max(steps) < 1 + whole_run.waited_s, "0.04 s apart at the camera"


def test_a_frozen_camera_has_stalled_and_shows_nothing_old_as_new(
    camera: RtspCamera, run: Run
) -> None:
    running = run("--source", f"door={camera.url()}")
    running.wait_for_frames(20)
    since_frozen = Stopwatch()
    camera.freeze()
    running.wait_for(lambda: "stalled" in running.states())
    running.wait_for(lambda: running.states()[-1] == "reconnecting")
    camera.thaw()
    running.wait_for_state("online")
    running.wait_for_frames(20)
    running.stop()

    stalled = next(entry for entry in running.statuses() if entry["state"] == "stalled")
    assert since_frozen.read(stalled["at_s"]) < 8
    assert stalled["reason"].startswith("no frame for ")
    assert running.states() == ["online", "stalled", "reconnecting", "online", "ended"]
    diary = running.diary()
    back = max(i for i, entry in enumerate(diary) if entry.get("state") == "online")
    assert all("state" in entry for entry in diary[diary.index(stalled) : back])
    before = [entry for entry in diary[: diary.index(stalled)] if "state" not in entry]
    # What was under way when the camera froze comes at once; later ones would be old.
    assert since_frozen.read(before[-1]["at_s"]) < 1
    assert {entry["session"] for entry in before} == {0}
    assert numbers(running.frames()) == sorted(set(numbers(running.frames())))
    assert {session for session, _ in numbers(running.frames()[len(before) :])} == {1}


@contextmanager
def silent_port() -> Iterator[int]:
    """Give a port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield silent.getsockname()[1]


def test_what_cannot_be_opened_says_why_and_is_tried_again(
    make_camera: MakeCamera, films: Films, run: Run
) -> None:
    camera = make_camera()
    camera.start(films.small, login=("user", "secret"))
    with silent_port() as silent:
        addresses = {
            "wrong-password": camera.url(login="user:wr0ng-secret@"),
            "wrong-path": camera.url("nowhere", login="user:secret@"),
            "closed": f"rtsp://user:secret@127.0.0.1:{free_port()}/cam",
            "silent": f"rtsp://user:secret@127.0.0.1:{silent}/cam",
            "good": camera.url(login="user:secret@"),
        }
        running = run(
            *(x for name, url in addresses.items() for x in ("--source", f"{name}={url}"))
        )
        names = [name for name in addresses if name != "good"]
        running.wait_for(lambda: all(running.states(name) for name in names))
        running.wait_for_frames(20, "good")
        reasons = {name: running.statuses(name)[0]["reason"] for name in names}
        # Tried again: the same trouble once more is not said twice, a new one is.
        camera.kill()
        running.wait_for(lambda: "refused" in running.statuses("wrong-password")[-1]["reason"])
        said = running.stop()
    assert {name: running.states(name) for name in names} == {
        name: ["reconnecting", "ended"] for name in names
    }
    assert "401" in reasons["wrong-password"]
    assert "404" in reasons["wrong-path"]
    assert "Connection refused" in reasons["closed"]
    assert "no answer within" in reasons["silent"]
    for name in names:
        lines = [line for line in said if reasons[name] in line]
        assert len(lines) == 1, said
        assert lines[0].endswith("; trying again until the run is stopped (Ctrl-C)")
    written = b"".join(path.read_bytes() for path in running.folder.rglob("*") if path.is_file())
    assert b"secret" not in written


def test_a_size_that_changes_in_the_stream_begins_a_session(
    make_camera: MakeCamera, films: Films, run: Run
) -> None:
    camera = make_camera()
    camera.start(films.large, films.small)
    running = run("--source", f"door={camera.url()}")
    running.wait_for(lambda: {f["session"] for f in running.frames()} >= {0, 1, 2})
    running.wait_for_frames(5)
    running.stop()
    frames = running.frames()
    sizes = {frame["session"]: frame["size"] for frame in frames}
    assert [sizes[session] for session in (0, 1, 2)] == [[640, 480], [320, 240], [640, 480]]
    assert numbers(frames) == sorted(set(numbers(frames)))
    assert all(frame["size"] == sizes[frame["session"]] for frame in frames)
    assert any(frame["faces"] for frame in frames if frame["session"] == 1)
    assert running.states() == ["online", "ended"], "the connection stands"


@pytest.fixture
def wire(camera: RtspCamera) -> Iterator[BadWire]:
    """Give a wire to the camera."""
    wire = BadWire(camera.port, seed=5)
    yield wire
    wire.close()


def test_damaged_packets_crash_nothing(wire: BadWire, run: Run) -> None:
    running = run("--source", f"door=rtsp://127.0.0.1:{wire.port}/cam")
    running.wait_for_frames(20)
    # A picture now and then, then nothing that can be understood.
    for damage, count in ((1e-4, 10), (1e-2, 500)):
        enough = wire.damaged + count
        wire.damage = damage
        running.wait_for(lambda enough=enough: wire.damaged >= enough)
    wire.damage = 0.0
    running.wait_for_frames(40)
    running.wait_for_state("online")
    running.stop()
    frames = numbers(running.frames())
    assert frames == sorted(set(frames))


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        (b"H264/90000", b"G264/90000", "a video of an unknown format"),
        (b"Session s", b"Session \xb2", ""),
    ],
)
def test_a_damaged_description_crashes_nothing(
    wire: BadWire, run: Run, right: bytes, wrong: bytes, says: str
) -> None:
    wire.swaps = {right: wrong}
    running = run("--source", f"door=rtsp://127.0.0.1:{wire.port}/cam")
    if says:
        running.wait_for(lambda: running.statuses() and says in running.statuses()[0]["reason"])
        wire.swaps = {}
    running.wait_for_frames(20)
    running.stop()
