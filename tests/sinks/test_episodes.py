"""The episodes sink: a line when an emotion starts, a line when it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fer_stream.errors import ConfigError, StopStream
from fer_stream.sinks.episodes import EpisodesSink
from fer_stream.types import RunInfo, SourceStatus
from tests.programs import line_count, run
from tests.sinks.conftest import MOMENT

FACE = ((16, 12, 32, 24), "happy")


def lines(path: Path) -> list[tuple[str, str, float]]:
    """Return of each line: state, emotion, first second."""
    events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert all(event["schema"] == "fer.episode/1" for event in events)
    return [(event["state"], event["emotion"], event["begin_s"]) for event in events]


def opened(path: Path, run_info: RunInfo, **options: Any) -> EpisodesSink:
    """Open a sink."""
    sink = EpisodesSink(str(path), **options)
    sink.open(run_info)
    return sink


def test_a_line_is_there_as_soon_as_its_episode_starts_or_ends(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    path = tmp_path / "out.jsonl"
    sink = opened(path, run_info)
    for index in range(13):
        sink.write(make(index, FACE))
    assert lines(path) == []
    sink.write(make(13, FACE))
    assert lines(path) == [("started", "happy", 0.0)]
    sink.write(make(50))
    assert lines(path) == [("started", "happy", 0.0), ("ended", "happy", 0.0)]
    sink.close()
    assert line_count(path) == 2


def test_what_goes_on_ends_with_the_run(tmp_path: Path, run_info: RunInfo, make: Any) -> None:
    path = tmp_path / "out.jsonl"
    sink = opened(path, run_info)
    for index in range(14):
        sink.write(make(index, FACE))
    sink.close()
    assert lines(path) == [("started", "happy", 0.0), ("ended", "happy", 0.0)]


def test_a_lost_source_ends_its_episodes(tmp_path: Path, run_info: RunInfo, make: Any) -> None:
    path = tmp_path / "out.jsonl"
    sink = opened(path, run_info)
    for index in range(14):
        sink.write(make(index, FACE))
    sink.status(SourceStatus("clip.mp4", "reconnecting", 1, MOMENT, "gone"))
    assert lines(path)[1:] == [("ended", "happy", 0.0)]
    sink.close()
    assert line_count(path) == 2


@pytest.mark.parametrize(("append", "expected"), [(False, 2), (True, 4)])
def test_append_goes_on_in_the_file(
    tmp_path: Path, run_info: RunInfo, make: Any, append: bool, expected: int
) -> None:
    path = tmp_path / "out.jsonl"
    for _ in range(2):
        sink = opened(path, run_info, append=append)
        for index in range(14):
            sink.write(make(index, FACE))
        sink.close()
    assert line_count(path) == expected


def test_an_old_file_stays_until_there_is_a_frame(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("old\n")
    opened(path, run_info).close()
    assert path.read_text() == "old\n"
    sink = opened(path, run_info)
    sink.write(make(0))
    sink.close()
    assert path.read_text() == ""


def test_opened_again_it_goes_on(tmp_path: Path, run_info: RunInfo, make: Any) -> None:
    path = tmp_path / "out.jsonl"
    sink = EpisodesSink(str(path))
    for first in (0, 100):
        sink.open(run_info)
        for index in range(first, first + 14):
            sink.write(make(index, FACE))
        sink.close()
    assert [line[0] for line in lines(path)] == ["started", "ended", "started", "ended"]


def test_a_run_gives_whole_lines_on_standard_output(tmp_path: Path) -> None:
    done = run("run", "--source", "demo?seconds=2", "--sink", "episodes:-", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events
    started = [event["episode"] for event in events if event["state"] == "started"]
    ended = [event["episode"] for event in events if event["state"] == "ended"]
    assert sorted(started) == sorted(ended)
    assert len(set(started)) == len(started)
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_that_nobody_reads_does_not_fail_at_the_end(
    run_info: RunInfo, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os
    import sys

    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        sink = EpisodesSink("-")
        sink.open(run_info)
        for index in range(13):
            sink.write(make(index, FACE))
        with pytest.raises(StopStream):
            sink.write(make(13, FACE))
        sink.close()


def test_without_a_file_it_says_what_it_needs() -> None:
    with pytest.raises(ConfigError, match=r"episodes:out\.jsonl"):
        EpisodesSink("")
