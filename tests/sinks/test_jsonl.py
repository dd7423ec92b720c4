"""The jsonl sink: an event a line, as `fer.event/1` says."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from fer_stream.errors import ConfigError
from fer_stream.sinks.jsonl import JsonlSink
from fer_stream.types import RunInfo
from tests.sinks.writing import write_all

FACE = ((16, 12, 32, 24), "happy")


def events(path: Path, run: RunInfo, *results: Any, **options: Any) -> list[dict[str, Any]]:
    write_all(JsonlSink(str(path), **options), run, results)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_an_event_says_exactly_this(tmp_path: Path, run_info: RunInfo, make: Any) -> None:
    (event,) = events(tmp_path / "out.jsonl", run_info, make(7, FACE, session=2, confidence=0.5))
    assert event == {
        "schema": "fer.event/1",
        "id": "test:clip.mp4:2:7",
        "captured_at": "2024-02-29T23:59:59.123Z",
        "time_s": 0.28,
        "source": "clip.mp4",
        "session": 2,
        "frame": 7,
        "size": [64, 48],
        "latency_ms": 12.3,
        "dropped": 3,
        "model": {"name": "a model", "sha256": "0" * 64},
        "faces": [
            {
                "track_id": 1,
                "box_px": [16, 12, 32, 24],
                "box_norm": [0.25, 0.25, 0.5, 0.5],
                "confidence": 0.5,
                "emotion": "happy",
                "score": 0.7,
                "uncertain": False,
                "scores": {
                    "angry": 0.05,
                    "disgusted": 0.05,
                    "fearful": 0.05,
                    "happy": 0.7,
                    "sad": 0.05,
                    "surprised": 0.05,
                    "neutral": 0.05,
                },
            }
        ],
    }


def test_ids_differ_by_source_session_and_frame(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    results = [
        make(frame, FACE, source=source, session=session)
        for source in ("a", "b")
        for session in (0, 1)
        for frame in (0, 1)
    ]
    ids = [event["id"] for event in events(tmp_path / "out.jsonl", run_info, *results)]
    assert len(set(ids)) == len(ids) == 8


def test_frames_without_a_face_are_written_only_if_asked_for(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    path, results = tmp_path / "out.jsonl", (make(0), make(1, FACE))
    assert [e["frame"] for e in events(path, run_info, *results)] == [1]
    everything = events(path, run_info, *results, every_frame=True)
    assert [(e["frame"], len(e["faces"])) for e in everything] == [(0, 0), (1, 1)]


def test_append_goes_on_behind_the_last_whole_line(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    path = tmp_path / "out.jsonl"
    events(path, run_info, make(0, FACE), make(1, FACE))
    path.write_bytes(path.read_bytes()[:-20])
    assert [e["frame"] for e in events(path, run_info, make(2, FACE), append=True)] == [0, 2]


@pytest.mark.parametrize("name", ["two\nlines.mp4", "表情 😀.mp4", 'a"b\\c.mp4', "a\u2028b.mp4"])
def test_an_odd_file_name_comes_back_unchanged(
    tmp_path: Path, run_info: RunInfo, make: Any, name: str
) -> None:
    path = tmp_path / "out.jsonl"
    sink = JsonlSink(str(path))
    sink.open(run_info)
    sink.write(make(0, FACE, source=name))
    sink.close()
    text = path.read_bytes()
    assert text.count(b"\n") == 1
    assert json.loads(text)["source"] == name


def test_a_file_name_that_is_no_unicode_gives_a_line_that_parses(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    name = os.fsdecode(b"caf\xe9.mp4")
    (event,) = events(tmp_path / "out.jsonl", run_info, make(0, FACE, source=name))
    assert event["source"].startswith("caf")


def test_without_a_file_it_says_what_it_needs() -> None:
    with pytest.raises(ConfigError, match=r"jsonl:out\.jsonl"):
        JsonlSink("")
