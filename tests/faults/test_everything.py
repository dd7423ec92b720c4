"""One run through one fault after the other, and its password in nothing that it writes."""

from __future__ import annotations

import csv
import resource
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.camera import RtspCamera
from tests.faults.conftest import Films
from tests.faults.proxy import BadWire
from tests.faults.running import Running
from tests.mqtt.broker import Broker, Subscriber

LOGIN = ("user", "secret")
STEADY_S = 10.5
"""After so long a stream's next loss is waited for as the first one."""


@pytest.mark.timeout(240)
def test_a_run_survives_every_fault_and_writes_no_password(
    make_camera: Callable[[], RtspCamera],
    films: Films,
    make_broker: Callable[..., Broker],
    listen: Callable[..., Subscriber],
    run: Callable[..., Running],
    folder: Path,
) -> None:
    camera, broker = make_camera(), make_broker(careful=True)
    with closing(BadWire(camera.port)) as wire, (folder / "shown.txt").open("wb") as out:
        url = f"rtsp://user:secret@127.0.0.1:{wire.port}/cam"
        running = run(
            *("--source", url, "--sink", broker.address, "--sink", "csv:x.csv"), stdout=out
        )
        go_through_it(running, camera, films, broker, listen, wire)


def go_through_it(
    running: Running,
    camera: RtspCamera,
    films: Films,
    broker: Broker,
    listen: Callable[..., Subscriber],
    wire: BadWire,
) -> None:
    def reason(word: str) -> None:
        running.wait_for(lambda: any(word in status["reason"] for status in running.statuses()))

    def is_fine() -> None:
        running.wait_for_state("online")
        running.wait_for_frames(10)

    running.wait_for_state("reconnecting")  # nobody listens
    camera.start(films.large, login=("user", "other"))
    reason("401")
    camera.kill()
    camera.start(films.large, login=LOGIN, mount="elsewhere")
    reason("404")
    camera.kill()
    camera.start(films.large, films.small, login=LOGIN)
    is_fine()
    since_s = time.monotonic()
    broker.start()
    ears = listen(broker)
    ears.wait_for(lambda: ears.on("/event"))
    broker.kill()
    running.wait_for_frames(25)
    broker.start()
    fill_disk(running)
    running.wait_for(lambda: time.monotonic() - since_s > STEADY_S)
    is_fine()
    camera.freeze()
    running.wait_for_state("reconnecting")
    camera.thaw()
    is_fine()
    wire.damage = 1e-3
    running.wait_for(lambda: wire.damaged > 100)
    wire.damage = 0.0
    is_fine()
    camera.kill()
    running.wait_for_state("reconnecting")
    camera.start(films.small, login=LOGIN)
    is_fine()
    running.stop()
    check(running, ears)


def fill_disk(running: Running) -> None:
    """Let no file grow beyond what the smallest has, for as long as it takes to notice."""
    pid, table = running.program.pid, running.folder / "x.csv"
    most = resource.RLIM_INFINITY
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (table.stat().st_size + 100, most))
    running.wait_for(lambda: "csv cannot write x.csv: File too large" in running.said)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))


def check(running: Running, ears: Subscriber) -> None:
    ears.wait_for(lambda: ears.heard[-1].payload == b"offline")
    states = running.states()
    assert "stalled" in states
    assert states[-2:] == ["online", "ended"]
    with (running.folder / "x.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert all(None not in row and None not in row.values() for row in table)
    at = [(int(row["session"]), int(row["frame"])) for row in table]
    assert at == sorted(at)
    last = running.frames()[-1]["session"]
    assert {session for session, _ in at} >= {0, last}
    events = ears.on("/event")
    assert {message.value["session"] for message in events} >= {0, last}
    seen: dict[str, int] = {}
    for number, message in enumerate(events):
        seen.setdefault(message.value["id"], number)
    order = [(events[n].value["session"], events[n].value["frame"]) for n in seen.values()]
    assert order == sorted(order)

    files = [path for path in running.folder.parent.rglob("*") if path.is_file()]
    assert {"x.csv", "said.txt", "shown.txt", "diary.jsonl"} <= {path.name for path in files}
    assert any(path.name.startswith("mqtt-") for path in files)
    written = [str(path).encode() + path.read_bytes() for path in files]
    written += [message.topic.encode() + message.payload for message in ears.heard]
    assert b"user:***@127.0.0.1" in b"".join(written)
    assert b"secret" not in b"".join(written)
