"""`fer-stream run` over a live source: what it says, what it writes, how it ends."""

from __future__ import annotations

import csv
import json
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.mjpeg import MjpegCamera
from tests.programs import Program, Stopwatch, line_count, start, wait_until

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(sys.platform == "win32", reason="signals are Unix's"),
]

# Tells in a file what the console sink would show.
TOLD = """
import time
from fer_stream import Sink, hookimpl
class Told(Sink):
    name = 'told'
    def __init__(self, target='', *, nap: float = 0.0):
        self.path, self.nap = target, nap
    def write(self, result):
        time.sleep(self.nap)
        self.say(f'frame {result.frame.info.session}')
    def status(self, status):
        self.say(f'{status.source_id} {status.state}')
    def close(self):
        self.say('closed')
    def say(self, line):
        with open(self.path, 'a') as file:
            file.write(line + '\\n')
@hookimpl
def fer_register_sinks():
    return [Told]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "told.py").write_text(TOLD)
    return tmp_path


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def ended(program: Program) -> list[str]:
    """Stop a run as a service manager does; return what it has said on standard error."""
    program.send_signal(signal.SIGTERM)
    _, said = program.communicate(timeout=30)
    assert program.returncode == 0, said
    assert "Traceback" not in said
    return said.splitlines()


def test_a_camera_that_comes_goes_and_comes_back(folder: Path, camera: MjpegCamera) -> None:
    camera.pull_out()
    with start(
        *("run", "--source", camera.url, "--plugin", "told.py"),
        *("--sink", "told:told.txt", "--sink", "csv:out.csv?every_frame=true"),
        *("--sink", "jsonl:out.jsonl?every_frame=true"),
        cwd=folder,
    ) as program:
        told, table, shown = (
            folder / "told.txt",
            folder / "out.csv",
            camera.url.replace("secret", "***"),
        )
        wait_until(lambda: f"{shown} reconnecting" in lines(told), program)
        camera.plug_in()
        wait_until(lambda: line_count(table) > 10, program)
        camera.pull_out()
        wait_until(lambda: lines(told)[-1].endswith("reconnecting"), program)
        camera.plug_in()
        wait_until(lambda: lines(told)[-1] == "frame 1", program)
        said = ended(program)
    assert lines(told)[-2:] == [f"{shown} ended", "closed"]
    whole = "\n".join(said)
    assert f"cannot open {shown}: Connection refused; trying again until the run is" in whole
    assert f"{shown}: online, 160x120" in whole
    assert f"{shown} was lost after " in whole
    assert any(
        line.startswith(f"{shown}: latency from capture to written: told p50 ") for line in said
    )
    with table.open(newline="") as file:
        rows = [(int(row["session"]), int(row["frame"])) for row in csv.DictReader(file)]
    assert rows == sorted(set(rows))
    assert {session for session, _ in rows} == {0, 1}
    events = [json.loads(line) for line in lines(folder / "out.jsonl")]
    assert len({event["id"] for event in events}) == len(events) >= len(rows) - 1
    for path in folder.iterdir():
        assert b"secret" not in path.read_bytes().replace(b"secret]", b""), path.name
    assert "secret" not in whole


def test_a_run_that_is_started_again_repeats_no_id(folder: Path, camera: MjpegCamera) -> None:
    ids = []
    for name in ("first.jsonl", "second.jsonl"):
        with start(
            *("run", "--source", f"door={camera.url}", "--sink", f"jsonl:{name}?every_frame=true"),
            cwd=folder,
        ) as program:
            wait_until(lambda name=name: line_count(folder / name) > 5, program)
            ended(program)
        ids += [json.loads(line)["id"] for line in lines(folder / name)]
    assert len(set(ids)) == len(ids)
    assert all(id_.startswith("fer-stream:door:") for id_ in ids)


def test_a_slow_sink_is_told_of_and_does_not_hold_up_the_end(
    folder: Path, camera: MjpegCamera
) -> None:
    with start(
        *("run", "--source", f"door={camera.url}", "--plugin", "told.py"),
        *("--sink", "told:told.txt?nap=0.2", "--sink", "csv:out.csv?every_frame=true"),
        cwd=folder,
    ) as program:
        wait_until(lambda: line_count(folder / "out.csv") > 60, program)
        ending = Stopwatch()
        said = ended(program)
        assert ending.read() < 2
    lost = {name: int(n) for n, name in re.findall(r"(\d+) results? lost by (\w+)", said[-2])}
    # A machine with other work may cost the quick one some, too.
    assert lost["told"] > 5 * lost.get("csv", 0)
    assert lines(folder / "told.txt")[-2:] == ["door ended", "closed"]


def test_a_film_may_be_treated_as_live(folder: Path, face_clip: Path) -> None:
    with start(
        *("run", "--source", f"door={face_clip}", "--mode", "live", "--plugin", "told.py"),
        *("--sink", "told:told.txt"),
        cwd=folder,
    ) as program:
        _, said = program.communicate(timeout=60)
    assert program.returncode == 0, said
    assert "door: online, 320x240, 25 frames/s" in said
    assert lines(folder / "told.txt")[-2:] == ["door ended", "closed"]
