"""A sink that is closed and opened again in one run goes on with what it has written."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import av
import pytest

from fer_stream.errors import SinkError
from fer_stream.sinks.csv import CsvSink
from fer_stream.sinks.jsonl import JsonlSink
from fer_stream.sinks.video import VideoSink
from fer_stream.testing import ListSink, check_sink_goes_on
from fer_stream.types import RunInfo
from tests.sinks.writing import write_all

FACE = ((4, 5, 20, 21), "happy")
unix = pytest.mark.skipif(sys.platform == "win32", reason="an open file stays there")


def test_a_table_has_one_header_and_all_rows(tmp_path: Path, run_info: RunInfo, make: Any) -> None:
    path = tmp_path / "out.csv"
    path.write_text("rows of an old run\n")
    write_all(CsvSink(str(path)), run_info, [], [make(0, FACE)], [], [make(1, FACE)])
    with path.open(newline="") as file:
        assert [row["frame"] for row in csv.DictReader(file)] == ["0", "1"]


def test_json_lines_are_gone_on_with(tmp_path: Path, run_info: RunInfo, make: Any) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text('{"frame": "of an old run"}\n')
    write_all(JsonlSink(str(path)), run_info, [make(0, FACE)], [make(1, FACE)])
    assert [json.loads(line)["frame"] for line in path.read_text().splitlines()] == [0, 1]


def test_standard_output_gets_one_header(
    run_info: RunInfo, make: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    write_all(CsvSink("-"), run_info, [make(0, FACE)], [make(1, FACE)])
    assert len(capfd.readouterr().out.splitlines()) == 3


def test_a_film_goes_on_in_a_new_one(tmp_path: Path, run_info: RunInfo, make: Any) -> None:
    path = tmp_path / "out.mp4"
    parts = [[make(i, FACE) for i in range(3)], [make(i, FACE) for i in range(3, 8)]]
    write_all(VideoSink(str(path)), run_info, *parts)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out-part2.mp4", "out.mp4"]
    for name, count in (("out.mp4", 3), ("out-part2.mp4", 5)):
        with av.open(str(tmp_path / name)) as container:
            assert sum(1 for _ in container.decode(video=0)) == count


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limits")
def test_a_film_is_not_begun_anew_where_there_is_no_room(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    import resource

    sink = VideoSink(str(tmp_path / "out.mp4"))
    write_all(sink, run_info, [make(0, FACE)])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, before[1]))
    try:
        for _ in range(2):
            with pytest.raises(SinkError, match=r"cannot write .*out-part2\.mp4: File too large"):
                sink.open(run_info)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]
    write_all(sink, run_info, [make(1, FACE)])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out-part2.mp4", "out.mp4"]


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.mp4"])
def test_what_is_opened_and_closed_costs_no_old_file(
    tmp_path: Path, run_info: RunInfo, name: str
) -> None:
    path = tmp_path / name
    path.write_text("precious\n")
    cls = {".csv": CsvSink, ".jsonl": JsonlSink, ".mp4": VideoSink}[path.suffix]
    write_all(cls(str(path)), run_info, [])
    assert path.read_text() == "precious\n"


def test_a_frame_without_a_face_ends_an_old_table_too(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    for cls, lines in ((CsvSink, 1), (JsonlSink, 0)):
        path = tmp_path / f"out.{cls.name}"
        path.write_text("rows of an old run\n")
        write_all(cls(str(path)), run_info, [make(0)])
        assert "old run" not in path.read_text()
        assert len(path.read_text().splitlines()) == lines


@pytest.mark.parametrize(
    "make_sink",
    [
        lambda folder: CsvSink(str(folder / "out.csv")),
        lambda folder: JsonlSink(str(folder / "out.jsonl")),
        lambda folder: VideoSink(str(folder / "out.mp4")),
        lambda _: ListSink(),
    ],
    ids=["csv", "jsonl", "video", "list"],
)
def test_it_can_be_opened_again_and_again(tmp_path: Path, make_sink: Any) -> None:
    check_sink_goes_on(make_sink(tmp_path))


def test_the_check_notices_a_sink_that_cannot() -> None:
    class Once(ListSink):
        def open(self, run: RunInfo) -> None:
            if self.opened:
                raise SinkError("opened twice")
            super().open(run)

    with pytest.raises(SinkError, match="opened twice"):
        check_sink_goes_on(Once())


def test_a_table_that_is_emptied_under_the_sink_is_whole_and_can_be_continued(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    path = tmp_path / "out.csv"
    sink = CsvSink(str(path))
    sink.open(run_info)
    sink.write(make(0, FACE))
    os.truncate(path, 0)  # as who moves rows away does, and as one frees a disk
    sink.write(make(1, FACE))
    sink.close()
    header, line = path.read_bytes().splitlines()
    assert header.startswith(b"source,session,frame,")
    assert line.split(b",")[2] == b"1"
    again = CsvSink(str(path), append=True)
    again.open(run_info)
    again.close()


@unix
@pytest.mark.parametrize("make_sink", [CsvSink, JsonlSink])
def test_a_file_that_is_removed_under_the_sink_is_begun_anew(
    tmp_path: Path, run_info: RunInfo, make: Any, make_sink: Any
) -> None:
    path, fresh = tmp_path / "out", tmp_path / "fresh"
    sink = make_sink(str(path))
    sink.open(run_info)
    sink.write(make(0, FACE))
    path.unlink()
    sink.write(make(1, FACE))
    sink.close()
    write_all(make_sink(str(fresh)), run_info, [make(1, FACE)])
    assert path.read_bytes() == fresh.read_bytes()


@unix
def test_a_file_whose_folder_is_removed_under_the_sink_is_named(
    tmp_path: Path, run_info: RunInfo, make: Any
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    sink = JsonlSink(str(folder / "out.jsonl"))
    sink.open(run_info)
    sink.write(make(0, FACE))
    shutil.rmtree(folder)
    with pytest.raises(SinkError, match=r"jsonl cannot write .*/out\.jsonl: No such file"):
        sink.write(make(1, FACE))
    sink.close()
