"""`run --profile`: where the time went."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.clips import cut
from tests.conftest import MakeClip
from tests.programs import line_count, run, start, wait_until


def rows(stderr: str) -> dict[str, list[str]]:
    """Return the table's rows: first cell to the other six."""
    table = {}
    for line in stderr.splitlines():
        cells = line.rsplit(maxsplit=6)
        if len(cells) == 7 and cells[-1].endswith("%"):
            table[cells[0].strip()] = cells[1:]
    return table


def test_it_shows_every_stage_and_how_often_it_worked(tmp_path: Path, face_clip: Path) -> None:
    done = run(
        *("run", "--source", str(face_clip), "--profile", "--detect-every", "5"),
        *("--sink", "csv:out.csv", "--sink", "jsonl:out.jsonl"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    frames = 40  # of the clip
    table = rows(done.stderr)
    assert list(table) == ["decode", "detect", "track", "classify", "filter", "sink csv, jsonl"]
    calls = {stage: int(cells[0]) for stage, cells in table.items()}
    assert calls["decode"] == calls["track"] == calls["filter"] == frames
    assert frames / 5 <= calls["detect"] < frames
    assert calls["sink csv, jsonl"] == 2 * frames
    for cells in table.values():
        mean_ms, p50_ms, p99_ms, total_s = map(float, cells[1:5])
        assert p50_ms <= p99_ms
        assert abs(mean_ms * int(cells[0]) / 1e3 - total_s) <= 0.006 + 0.01 * total_s
    assert "CPU seconds" in done.stderr
    assert "MB of memory" in done.stderr


def test_without_it_there_is_no_table(tmp_path: Path, face_clip: Path) -> None:
    done = run("run", "--source", str(face_clip), "--sink", "csv:out.csv", cwd=tmp_path)
    assert rows(done.stderr) == {}
    assert "busy" not in done.stderr


def test_a_run_that_fails_is_shown_too(tmp_path: Path, clip: MakeClip) -> None:
    damaged = cut(clip("cut.mkv"), 0.5)
    done = run("run", "--source", str(damaged), "--sink", "csv:out.csv", "--profile", cwd=tmp_path)
    assert done.returncode == 1
    assert "decode" in rows(done.stderr)
    assert "incomplete" in done.stderr.splitlines()[-1]


def test_a_run_that_is_stopped_is_shown_too(tmp_path: Path) -> None:
    arguments = ("run", "--source", "demo?seconds=900", "--sink", "csv:out.csv", "--profile")
    with start(*arguments, cwd=tmp_path) as program:
        wait_until(lambda: line_count(tmp_path / "out.csv") > 5, program)
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=60)
    assert program.returncode == 0
    assert int(rows(said)["track"][0]) >= 5
