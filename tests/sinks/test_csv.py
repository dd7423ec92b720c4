"""The csv sink: whole rows, one per face, in columns that never change."""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from fer_stream.errors import ConfigError, SinkError
from fer_stream.sinks.csv import CsvSink
from fer_stream.types import RunInfo
from tests.sinks.writing import write_all

HEADER = (
    "source,session,frame,time_s,captured_at,track_id,x,y,width,height,confidence,emotion,score,"
    "angry,disgusted,fearful,happy,sad,surprised,neutral"
)
FACE = ((4, 5, 20, 21), "happy")
OTHER = ((30, 8, 16, 17), "sad")


def written(path: Path, run: RunInfo, *results: Any, **options: Any) -> list[str]:
    write_all(CsvSink(str(path), **options), run, results)
    return path.read_text(encoding="utf-8").splitlines()


def test_the_header_is_exactly_the_promised_one(tmp_path: Path, run_info: RunInfo) -> None:
    assert written(tmp_path / "out.csv", run_info) == [HEADER]


def test_a_row_per_face_with_these_cells(tmp_path: Path, run_info: RunInfo, make: Any) -> None:
    lines = written(
        tmp_path / "out.csv",
        run_info,
        make(7, FACE, OTHER, session=2, confidence=0.87654),
        make(8, FACE, track_id=None),
    )
    assert lines[1:] == [
        "clip.mp4,2,7,0.280,2024-02-29T23:59:59.123Z,1,4,5,20,21,0.8765,happy,0.7000,"
        "0.0500,0.0500,0.0500,0.7000,0.0500,0.0500,0.0500",
        "clip.mp4,2,7,0.280,2024-02-29T23:59:59.123Z,1,30,8,16,17,0.8765,sad,0.7000,"
        "0.0500,0.0500,0.0500,0.0500,0.7000,0.0500,0.0500",
        "clip.mp4,0,8,0.320,2024-02-29T23:59:59.123Z,,4,5,20,21,,happy,0.7000,"
        "0.0500,0.0500,0.0500,0.7000,0.0500,0.0500,0.0500",
    ]


def test_a_row_says_what_the_model_says_even_if_it_is_uncertain(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    sure = written(tmp_path / "sure.csv", run_info, make(7, FACE))
    unsure = written(tmp_path / "unsure.csv", run_info, make(7, FACE, uncertain_below=0.9))
    assert unsure == sure


def test_a_frame_without_a_face_has_no_row(tmp_path: Path, run_info: RunInfo, make: Any) -> None:
    assert written(tmp_path / "out.csv", run_info, make(0), make(1)) == [HEADER]


def test_every_frame_gives_frames_without_a_face_a_row_with_empty_cells(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    lines = written(tmp_path / "out.csv", run_info, make(0), make(1, FACE), every_frame=True)
    rows = list(csv.DictReader(lines))
    assert [row["frame"] for row in rows] == ["0", "1"]
    assert rows[0]["time_s"] == "0.000"
    empty = [key for key, value in rows[0].items() if value == ""]
    assert empty == HEADER.split(",")[5:]
    assert rows[1]["emotion"] == "happy"
    assert len({line.count(",") for line in lines}) == 1


@pytest.mark.parametrize(
    "name",
    [
        "a,b.mp4",
        'say "cheese".mp4',
        "Gesichter im Büro.mp4",
        "表情 😀.mp4",
        " spaces .mp4",
        "=cmd.mp4",
        "",
    ],
)
def test_an_odd_file_name_comes_back_unchanged(
    tmp_path: Path, run_info: RunInfo, make: Any, name: str
) -> None:
    lines = written(tmp_path / "out.csv", run_info, make(0, FACE, source=name))
    (row,) = csv.DictReader(lines)
    assert row["source"] == name
    assert row["neutral"] == "0.0500"


@pytest.mark.parametrize("name", ["two\nlines.mp4", "two\r\nlines.mp4", "two\u2028lines.mp4"])
def test_a_row_is_one_line_whatever_a_file_is_called(
    tmp_path: Path, run_info: RunInfo, make: Any, name: str
) -> None:
    lines = written(tmp_path / "out.csv", run_info, make(0, FACE, source=name))
    assert len(lines) == 2
    (row,) = csv.DictReader(lines)
    assert row["source"] == "two lines.mp4"


def test_a_file_name_that_is_no_unicode_does_not_end_the_run(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    name = os.fsdecode(b"caf\xe9.mp4")  # Latin-1, from an old disk
    lines = written(tmp_path / "out.csv", run_info, make(0, FACE, source=name))
    (row,) = csv.DictReader(lines)
    assert row["source"].startswith("caf")
    assert row["source"].endswith(".mp4")


def test_without_append_an_old_file_is_replaced(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old\n" * 1000)
    assert len(written(path, run_info, make(0, FACE))) == 2


def test_append_keeps_the_rows_and_one_header(tmp_path: Path, run_info: RunInfo, make: Any) -> None:
    path = tmp_path / "out.csv"
    first = written(path, run_info, make(0, FACE), append=True)
    lines = written(path, run_info, make(1, FACE), append=True)
    assert lines[:2] == first
    assert [line.split(",")[2] for line in lines] == ["frame", "0", "1"]


def test_append_cuts_the_row_that_a_kill_has_torn(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    path = tmp_path / "out.csv"
    whole = written(path, run_info, make(0, FACE), make(1, FACE))
    path.write_bytes(path.read_bytes()[:-9])
    lines = written(path, run_info, make(2, FACE), append=True)
    assert lines[:2] == whole[:2]
    assert [line.split(",")[2] for line in lines] == ["frame", "0", "2"]


@pytest.mark.parametrize("left", [0, 1, 30, len(HEADER)])
def test_append_to_a_torn_header_begins_anew(
    tmp_path: Path, run_info: RunInfo, make: Any, left: int
) -> None:
    path = tmp_path / "out.csv"
    path.write_text(HEADER[:left])
    lines = written(path, run_info, make(0, FACE), append=True)
    assert lines[0] == HEADER
    assert len(lines) == 2


def test_append_finds_the_torn_row_behind_a_long_line(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    path = tmp_path / "out.csv"
    path.write_text(HEADER + "\n" + "x" * 200_000)
    assert written(path, run_info, append=True) == [HEADER]


def test_append_to_a_file_from_another_system_is_understood(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(HEADER.encode() + b"\r\n")
    assert len(written(path, run_info, make(0, FACE), append=True)) == 2


@pytest.mark.parametrize(
    "content",
    [
        "name,age\nAnn,7\n",
        "name,age\nAnn,7",
        "precious notes without an end of line",
        HEADER.replace("disgusted", "disgust") + "\nrow\n",
        HEADER + ",bored\n",
        "\n",
    ],
)
def test_append_to_other_columns_is_refused_and_the_file_left_as_it_was(
    tmp_path: Path, run_info: RunInfo, content: str
) -> None:
    path = tmp_path / "out.csv"
    path.write_text(content)
    with pytest.raises(SinkError, match=r"cannot append .*expected this model's columns"):
        written(path, run_info, append=True)
    assert path.read_text() == content


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
@pytest.mark.parametrize("append", [False, True])
def test_what_a_device_gives_to_read_are_no_other_columns(run_info: RunInfo, append: bool) -> None:
    with pytest.raises(SinkError, match="csv cannot write /dev/full: No space left on device"):
        written(Path("/dev/full"), run_info, append=append)


def test_a_row_is_on_disk_as_soon_as_it_is_written(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    sink = CsvSink(str(tmp_path / "out.csv"))
    sink.open(run_info)
    for index in range(3):
        sink.write(make(index, FACE))
        assert len((tmp_path / "out.csv").read_text().splitlines()) == index + 2
    sink.close()


def test_without_a_file_it_says_what_it_needs() -> None:
    with pytest.raises(ConfigError, match=r"csv:out\.csv"):
        CsvSink("")


@pytest.mark.parametrize("target", ["missing/out.csv", "."])
def test_a_file_that_cannot_be_opened_is_named(
    tmp_path: Path, run_info: RunInfo, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SinkError, match=f"csv cannot write {target}"):
        CsvSink(target).open(run_info)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes are Unix's")
@pytest.mark.timeout(20)
def test_a_named_pipe_is_refused_and_nobody_waits(tmp_path: Path, run_info: RunInfo) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SinkError, match=r"it is a pipe, .* standard output instead: csv:-"):
        CsvSink(str(tmp_path / "pipe")).open(run_info)


def next_descriptor() -> int:
    """Return the lowest number that no open file has."""
    descriptor = os.dup(0)
    os.close(descriptor)
    return descriptor


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes are Unix's")
def test_a_file_that_is_refused_is_not_kept_open(tmp_path: Path, run_info: RunInfo) -> None:
    """A live run tries it again until it ends: it would have no file left to open."""
    (tmp_path / "other.csv").write_text("name,age\nAnn,7\n")
    os.mkfifo(tmp_path / "pipe")
    before = next_descriptor()
    for name in ("other.csv", "pipe"):
        with pytest.raises(SinkError):
            CsvSink(str(tmp_path / name), append=True).open(run_info)
        assert next_descriptor() == before


@pytest.mark.skipif(sys.platform == "win32", reason="an open file stays there")
@pytest.mark.parametrize("removed", [False, True])
def test_a_closed_table_is_not_kept_open(
    tmp_path: Path, run_info: RunInfo, make: Any, removed: bool
) -> None:
    before = next_descriptor()
    sink = CsvSink(str(tmp_path / "out.csv"))
    sink.open(run_info)
    sink.write(make(0, FACE))
    if removed:
        (tmp_path / "out.csv").unlink()
        sink.write(make(1, FACE))  # to a new file
    sink.close()
    assert next_descriptor() == before
