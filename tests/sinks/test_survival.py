"""What is left on disk when a run is killed, the disk is full or the reader is gone."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import av
import pytest

from tests.programs import FER_STREAM, environment, line_count, run, start, wait_until

LONG = "demo?seconds=3600"
COLUMN_COUNT = 20

pytestmark = pytest.mark.timeout(120)
unix = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits are Unix's")


def whole_rows(path: Path) -> list[list[str]]:
    """Return the rows that end with a line end; each must be complete."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    rows = list(csv.reader(lines))
    assert {len(row) for row in rows} == {COLUMN_COUNT}
    return rows


def film_times(path: Path) -> list[float]:
    """Return the times of all pictures that can be decoded, in s."""
    times = []
    # What is left of a cut file's end is no valid data.
    with av.open(str(path)) as container, suppress(av.InvalidDataError):
        times.extend(float(picture.time) for picture in container.decode(video=0))
    return times


def waiting_bytes(pipe: int) -> int:
    """Return how much of what was written into a pipe nobody has read yet."""
    import fcntl
    import termios

    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


@unix
def test_a_killed_run_leaves_whole_rows_and_a_film_that_plays(tmp_path: Path) -> None:
    table, film = tmp_path / "out.csv", tmp_path / "out.mp4"
    with start(
        *("run", "--source", LONG, "--sink", "csv:out.csv?every_frame=true"),
        *("--sink", "video:out.mp4"),
        cwd=tmp_path,
    ) as program:
        wait_until(lambda: line_count(table) > 140, program)
        program.kill()
        program.communicate(timeout=20)
    assert program.returncode == -signal.SIGKILL

    rows = whole_rows(table)
    frames = [int(row[2]) for row in rows[1:]]
    assert frames == list(range(len(frames))), "only the last may be torn"
    assert len(frames) >= 140
    last_s = float(rows[-1][3])
    times = film_times(film)
    assert len(times) == len(set(times)) > 25
    assert times[-1] >= last_s - 3.0, f"film ends at {times[-1]} s, rows at {last_s} s"

    # The next run goes on in the same file.
    table.write_bytes(table.read_bytes() + b"demo,0,9999,36")  # as a kill in mid-write would
    again = run(
        "run", "--source", "demo?seconds=1", "--sink", "csv:out.csv?append=true", cwd=tmp_path
    )
    assert again.returncode == 0, again.stderr
    repaired = whole_rows(table)
    assert table.read_bytes().endswith(b"\n")
    assert repaired[: len(rows)] == rows
    assert [row[2] for row in repaired[len(rows) :]][-1] == "24"
    assert "9999" not in {row[2] for row in repaired}


WRITES = """
import sys
from fer_stream.sinks.csv import CsvSink
from fer_stream.testing import make_face, make_frame, make_result, make_run
sink = CsvSink(sys.argv[1])
sink.open(make_run())
frame = make_frame()
for count in range(1, 10**9):
    sink.write(make_result([make_face('happy')], frame=frame))
    print(count, flush=True)
"""


@unix
def test_a_row_that_was_written_survives_a_kill(tmp_path: Path) -> None:
    table = tmp_path / "out.csv"
    with subprocess.Popen([sys.executable, "-c", WRITES, table], stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        for _ in range(200):
            program.stdout.readline()
        program.kill()
        rest = program.stdout.read().count(b"\n")
    written = 200 + rest
    assert written <= len(whole_rows(table)) - 1 <= written + 1, "one may not have been told of"


@unix
def test_a_full_disk_ends_the_run_in_one_line_and_leaves_whole_rows(tmp_path: Path) -> None:
    import resource

    limit = 5000  # bytes a file; no whole number of rows

    def limit_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = run(
        *("run", "--source", LONG, "--sink", "csv:out.csv", "--sink", "jsonl:-"),
        cwd=tmp_path,
        preexec_fn=limit_files,
    )
    assert done.returncode == 1
    ours = [line for line in done.stderr.splitlines() if line.startswith("fer-stream:")]
    assert ours == [
        "fer-stream: csv cannot write out.csv: File too large; what was written before is whole"
    ]
    assert "Traceback" not in done.stderr
    table = tmp_path / "out.csv"
    assert table.read_bytes().endswith(b"\n")
    rows = whole_rows(table)
    assert 5000 - 300 < table.stat().st_size <= limit
    # The other sink got everything that was under way, and only whole lines.
    events = [json.loads(line) for line in done.stdout.splitlines()]
    numbers = [event["frame"] for event in events]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] > int(rows[-1][2])


@unix
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_full_disk_under_standard_output_leaves_whole_lines(tmp_path: Path, kind: str) -> None:
    import resource

    limit = 5000  # bytes a file; no whole number of lines
    with (tmp_path / "out").open("wb") as out:
        out.write(b"what the shell wrote before\n")
        out.flush()
        done = run(
            *("run", "--source", LONG, "--sink", f"{kind}:-"),
            cwd=tmp_path,
            capture_output=False,
            stdout=out,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )
    assert done.returncode == 1
    assert "cannot write standard output: File too large; what was written before is whole" in (
        done.stderr
    )
    first, *lines = (tmp_path / "out").read_text(encoding="utf-8").split("\n")
    assert first == "what the shell wrote before"
    assert lines.pop() == "", "the last line is whole"
    assert len("\n".join(lines)) > limit - 1000
    if kind == "csv":
        assert {len(row) for row in csv.reader(lines)} == {COLUMN_COUNT}
    else:
        assert all(json.loads(line)["schema"] == "fer.event/1" for line in lines)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
@pytest.mark.parametrize("seconds", [0.2, 2], ids=["when it is closed", "while it is written"])
def test_a_full_disk_under_a_film_costs_the_other_sinks_nothing(
    tmp_path: Path, seconds: float
) -> None:
    # The film, and what it would go on in where the run lasts for longer than the sink rests.
    for name in ("out.mp4", *(f"out-part{number}.mp4" for number in range(2, 9))):
        (tmp_path / name).symlink_to("/dev/full")
    done = run(
        *("run", "--source", f"demo?seconds={seconds}", "--on-sink-error", "continue"),
        *("--sink", "video:out.mp4", "--sink", "csv:out.csv?every_frame=true"),
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert re.search(r"video cannot \w+ out\.mp4: No space left on device", done.stderr)
    assert "Traceback" not in done.stderr
    assert len(whole_rows(tmp_path / "out.csv")) == 1 + 25 * seconds


@unix
@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize("limit", [100, 20000], ids=["in the header", "in the pictures"])
def test_a_full_disk_ends_a_film_in_one_line(tmp_path: Path, limit: int, ending: str) -> None:
    import resource

    def limit_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    name = f"out.{ending}"
    done = run(
        "run", "--source", LONG, "--sink", f"video:{name}", cwd=tmp_path, preexec_fn=limit_files
    )
    ours = [line for line in done.stderr.splitlines() if line.startswith("fer-stream:")]
    assert (done.returncode, ours) == (
        1,
        [f"fer-stream: video cannot write {name}: File too large"],
    )


@unix
@pytest.mark.parametrize("missing", [0.5, 10], ids=["half of it", "its last bytes"])
@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
def test_a_disk_that_is_full_before_a_films_end_is_told(
    tmp_path: Path, ending: str, missing: float
) -> None:
    import resource

    # MP4's only fragment is written when the film is closed.
    film = ("run", "--source", "demo?seconds=1", "--sink", f"video:out.{ending}")
    whole = run(*film, cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    size = (tmp_path / f"out.{ending}").stat().st_size
    limit = round(size - (missing if missing > 1 else size * missing))
    done = run(
        *film,
        cwd=tmp_path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.returncode == 1, done.stderr
    assert re.search(rf"video cannot \w+ out\.{ending}: File too large", done.stderr)
    assert "Traceback" not in done.stderr


@unix
@pytest.mark.parametrize("sink", ["jsonl:-", "csv:-", "console"])
def test_a_reader_that_has_seen_enough_ends_the_run_without_an_error(
    tmp_path: Path, sink: str
) -> None:
    with start("run", "--source", LONG, "--sink", sink, cwd=tmp_path) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        assert program.stdout.readline() != ""
        program.stdout.close()
        said = program.stderr.read()
        assert program.wait(60) == 0, said
    assert "Traceback" not in said
    assert "Error" not in said


@unix
@pytest.mark.parametrize("sink", ["jsonl:-", "csv:-", "console"])
def test_a_reader_that_is_gone_from_the_start_ends_the_run_too(tmp_path: Path, sink: str) -> None:
    done = subprocess.run(
        [
            "sh",
            "-c",
            f"{{ '{FER_STREAM[0]}' -m fer_stream run --source '{LONG}' --sink {sink};"
            " echo $? > code; } | true",
        ],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (tmp_path / "code").read_text().strip() == "0", done.stderr
    assert "Traceback" not in done.stderr


def test_csv_and_jsonl_to_standard_output_are_nothing_but_rows(tmp_path: Path) -> None:
    table = run("run", "--source", "demo?seconds=1", "--sink", "csv:-", cwd=tmp_path)
    lines = table.stdout.splitlines()
    assert lines[0].startswith("source,session,frame,")
    assert len(lines) > 20
    assert {len(row) for row in csv.reader(lines)} == {COLUMN_COUNT}
    events = run(
        "run", "--source", "demo?seconds=1", "--sink", "jsonl:-?every_frame=yes", cwd=tmp_path
    )
    assert [json.loads(line)["frame"] for line in events.stdout.splitlines()] == list(range(25))
    assert list(tmp_path.iterdir()) == [], "a file called '-'"


@unix
def test_a_pipe_that_does_not_wait_gets_every_row(tmp_path: Path) -> None:
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    demo = ("run", "--source", "demo", "--sink", "jsonl:-?every_frame=yes")
    with start(*demo, cwd=tmp_path, stdout=theirs) as program:
        os.close(theirs)
        wait_until(lambda: waiting_bytes(ours) > 45_000, program)  # of the 64 KiB of a pipe
        with os.fdopen(ours, "rb") as pipe:
            rows = pipe.read().splitlines()
        assert program.wait(60) == 0
    frames = [json.loads(row)["frame"] for row in rows]
    assert frames == list(range(350))


@unix
@pytest.mark.parametrize("sink", ["jsonl:-", "csv:-", "episodes:-"])
def test_a_standard_output_that_is_closed_is_one_line(tmp_path: Path, sink: str) -> None:
    command = f"'{FER_STREAM[0]}' -m fer_stream run --source demo --sink {sink} >&-"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    name = sink.partition(":")[0]
    assert (done.returncode, done.stderr) == (
        1,
        f"fer-stream: {name} cannot write standard output: Bad file descriptor; "
        "give a file instead\n",
    )
