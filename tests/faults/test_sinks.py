"""Sinks of a live run that fail, hang, are slow or have no room: each costs only itself."""

from __future__ import annotations

import csv
import json
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.camera import RtspCamera
from tests.faults.running import Running, is_complete
from tests.programs import Stopwatch, start

Run = Callable[..., Running]

pytestmark = pytest.mark.timeout(120)


def rows(path: Path) -> list[dict[str, str]]:
    """Return a table's rows; each must be whole."""
    assert path.read_bytes().endswith(b"\n")
    with path.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert all(None not in row and None not in row.values() for row in found)
    return found


def test_sinks_that_fail_and_hang_cost_the_others_nothing(camera: RtspCamera, run: Run) -> None:
    running = run(
        *("--source", f"door={camera.url()}", "--sink", "broken", "--sink", "stuck:reached"),
        *("--sink", "csv:out.csv?every_frame=true"),
    )
    running.wait_for_frames(125)
    assert (running.folder / "reached").exists()
    stopping = Stopwatch()
    said = running.stop(code=1)
    assert stopping.read() < 5

    assert is_complete(running.frames())
    table = [int(row["frame"]) for row in rows(running.folder / "out.csv")]
    assert table == [frame["frame"] for frame in running.frames()]
    troubles = [line for line in said if "sink 'broken' failed at frame " in line]
    assert troubles[0].endswith(": Input/output error; trying it again")
    assert len(troubles) == 2, "once when it began, once in the end"
    assert any("sink stuck did not finish in time and was left" in line for line in said)
    (summary,) = (line for line in said if " frames/s)" in line and "with a face" in line)
    assert "results lost by broken" in summary
    assert "results lost by stuck" in summary
    assert "lost by csv" not in summary
    assert "lost by diary" not in summary


def memory_mb(running: Running) -> float:
    """Return how much memory a run has, in MB."""
    pages = Path(f"/proc/{running.program.pid}/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize() / 1e6


def test_a_slow_sink_costs_neither_results_of_others_nor_memory(
    camera: RtspCamera, run: Run
) -> None:
    running = run(
        *("--source", f"door={camera.url()}", "--sink", "diary:slow.jsonl?nap=0.2"),
        *("--sink", "csv:out.csv?every_frame=true"),
    )
    running.wait_for_frames(50)
    before_mb = memory_mb(running)
    running.wait_for_frames(150)
    # Six seconds of pictures that waited for the slow sink would be 55 MB.
    assert memory_mb(running) - before_mb < 20
    stopping = Stopwatch()
    said = running.stop()
    assert stopping.read() < 2
    assert is_complete(running.frames())
    assert len(rows(running.folder / "out.csv")) == len(running.frames())
    (summary,) = (line for line in said if "with a face" in line)
    assert "results lost by diary" in summary
    assert "lost by diary-2" not in summary
    assert "lost by csv" not in summary
    slow = [json.loads(line) for line in (running.folder / "slow.jsonl").read_text().splitlines()]
    assert slow[-1]["state"] == "ended"
    numbers = [entry["frame"] for entry in slow if "frame" in entry]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] >= running.frames()[-1]["frame"] - 10, "it is late, and not ever later"


def test_a_full_disk_is_told_of_and_the_others_go_on(camera: RtspCamera, folder: Path) -> None:
    limit = 5000  # bytes a file; no whole number of rows

    def limit_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    problem = (
        "fer-stream: csv cannot write out.csv: File too large; what was written before is whole"
    )
    said = folder / "said.txt"
    with (
        said.open("wb") as errors,
        start(
            *("run", "--source", f"door={camera.url()}"),
            *("--sink", "csv:out.csv?every_frame=true", "--sink", "jsonl:-?every_frame=true"),
            cwd=folder,
            stderr=errors,
            preexec_fn=limit_files,
        ) as program,
    ):
        assert program.stdout is not None
        events, failed_at = [], 0
        for line in program.stdout:
            events.append(json.loads(line))
            if not failed_at and problem in said.read_text():
                failed_at = len(events)
            if failed_at and len(events) == failed_at + 60:  # it was tried again meanwhile
                program.send_signal(signal.SIGTERM)
        program.wait(30)
    assert program.returncode == 1, "a table with a hole is no success"
    assert failed_at
    assert is_complete(events)
    lines = said.read_text().splitlines()
    assert f"{problem}; trying it again" in lines
    assert lines[-1] == problem
    assert lines.count(f"{problem}; trying it again") == 1
    table = [int(row["frame"]) for row in rows(folder / "out.csv")]
    assert 5000 - 300 < (folder / "out.csv").stat().st_size <= limit
    assert table[:20] == [event["frame"] for event in events[:20]]
