"""Signals, flags and what a run says of itself."""

from __future__ import annotations

import csv
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import av
import pytest

from tests.programs import (
    FER_STREAM,
    Program,
    environment,
    line_count,
    run,
    start,
    wait_until,
)

LONG = "demo?seconds=3600"
STUCK = """
import pathlib, time
from fer_stream import Sink, hookimpl
class Stuck(Sink):
    name = 'stuck'
    def write(self, result):
        pathlib.Path('reached').touch()
        time.sleep(600)
@hookimpl
def fer_register_sinks():
    return [Stuck]
"""

LATE = """
import atexit, os, sys
from fer_stream import Sink, SinkError, hookimpl
class Good(Sink):
    name = 'good'
    def write(self, result):
        pass
class Bad(Sink):
    name = 'bad'
    def write(self, result):
        raise SinkError('out of ink')
def late(_=None, read=os.read, write=os.write):
    write(2, b'late\\n')
    read(0, 1)
class Last:
    __del__ = late
@hookimpl
def fer_register_sinks():
    return [Good, Bad]
"""

HANGUP = getattr(signal, "SIGHUP", signal.SIGTERM)  # Windows has none

pytestmark = pytest.mark.timeout(90)
unix = pytest.mark.skipif(sys.platform == "win32", reason="signals are Unix's")


@unix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, HANGUP])
def test_a_signal_ends_the_run_orderly(tmp_path: Path, number: signal.Signals) -> None:
    table, film = tmp_path / "out.csv", tmp_path / "out.mp4"
    with start(
        *("run", "--source", LONG, "--sink", "csv:out.csv?every_frame=true"),
        *("--sink", "video:out.mp4"),
        cwd=tmp_path,
    ) as program:
        wait_until(lambda: line_count(table) > 30, program)
        program.send_signal(number)
        out, said = program.communicate(timeout=30)
        assert program.returncode == 0, said
    assert out == ""
    assert "Traceback" not in said
    assert "Aborted" not in said
    assert table.read_bytes().endswith(b"\n")
    with table.open(newline="") as file:
        frames = [int(row["frame"]) for row in csv.DictReader(file)]
    assert frames == list(range(len(frames)))
    with av.open(str(film)) as container:
        pictures = sum(1 for _ in container.decode(video=0))
    assert pictures == len(frames), "both sinks got everything, and the film is finished"
    assert said.splitlines()[-1].startswith(f"{len(frames)} frames, ")


@unix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, HANGUP])
def test_a_signal_before_anything_has_begun_is_an_orderly_end_too(
    tmp_path: Path, number: signal.Signals
) -> None:
    loading = tmp_path / "loading"
    (tmp_path / "slow.py").write_text(
        "import pathlib, time\npathlib.Path('loading').touch()\ntime.sleep(600)\n"
    )
    options = ("--source", LONG, "--sink", "csv:out.csv", "--plugin", "slow.py")
    with start("run", *options, cwd=tmp_path) as program:
        wait_until(loading.exists, program)
        program.send_signal(number)
        _, said = program.communicate(timeout=30)
    assert program.returncode == 0, said
    assert said == ""
    assert not (tmp_path / "out.csv").exists()


@unix
def test_an_interrupt_while_the_program_is_loaded_ends_it_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text(
        "import pathlib, time\npathlib.Path('loading').touch()\ntime.sleep(600)\n"
    )
    with start("run", "--source", LONG, cwd=tmp_path) as program:
        wait_until((tmp_path / "loading").exists, program)
        program.send_signal(signal.SIGINT)
        assert program.communicate(timeout=30) == ("", "")
        assert program.returncode == 130


@unix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, HANGUP])
@pytest.mark.parametrize("moment", ["atexit.register(late)", "sys.last = Last()"])
@pytest.mark.parametrize(("sink", "code"), [("good", 0), ("bad", 1)])
def test_a_signal_after_the_last_word_changes_nothing(
    tmp_path: Path, number: signal.Signals, moment: str, sink: str, code: int
) -> None:
    (tmp_path / "late.py").write_text(LATE + moment)
    command = ("run", "--source", "demo?seconds=0.2", "--plugin", "late.py", "--sink", sink)
    with start(*command, cwd=tmp_path, stdin=subprocess.PIPE) as program:
        assert program.stderr is not None
        said = list(iter(program.stderr.readline, "late\n"))
        program.send_signal(number)
        assert program.communicate("\n", timeout=30) == ("", "")
        assert program.returncode == code, said


@unix
@pytest.mark.parametrize("bar", [True, False])
def test_a_closed_terminal_ends_the_run_orderly(tmp_path: Path, bar: bool) -> None:
    table = tmp_path / "out.csv"
    kind = () if bar else ("--mode", "live")  # only what has an end has a bar
    ours, terminal = os.openpty()
    os.set_blocking(ours, False)

    def has_rows() -> bool:
        with suppress(BlockingIOError):
            os.read(ours, 65536)  # a terminal that nobody reads stands still
        return line_count(table) > 10

    command = ("run", "--source", LONG, *kind, "--sink", "csv:out.csv")
    with start(*command, cwd=tmp_path, stdout=terminal, stderr=terminal) as program:
        os.close(terminal)
        wait_until(has_rows, program)
        os.close(ours)
        program.send_signal(signal.SIGHUP)
        time.sleep(0.1)
        program.send_signal(signal.SIGHUP)  # the system tells of it, and so does the shell
        assert program.wait(30) == 0
    assert table.read_bytes().endswith(b"\n")


@unix
def test_a_run_that_is_to_outlive_its_terminal_does(tmp_path: Path) -> None:
    table = tmp_path / "out.csv"
    nohup = ("nohup", *FER_STREAM, "run", "--source", LONG, "--sink", "csv:out.csv")
    with Program(nohup, cwd=tmp_path, stderr=subprocess.DEVNULL, env=environment()) as program:
        wait_until(lambda: line_count(table) > 10, program)
        program.send_signal(signal.SIGHUP)
        before = line_count(table)
        wait_until(lambda: line_count(table) > before + 10, program)


@unix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_a_source_opens_is_an_orderly_end_too(
    tmp_path: Path, number: signal.Signals
) -> None:
    with socket.socket() as silent:  # takes the connection and never says a word
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/camera"
        with start("run", "--source", url, "--sink", "csv:out.csv", cwd=tmp_path) as program:
            connection, _ = silent.accept()
            program.send_signal(number)
            _, said = program.communicate(timeout=30)
            connection.close()
    assert program.returncode == 0, said
    ended, summary = said.splitlines()
    assert ended == f"fer-stream: {url}: ended"
    assert summary.startswith("0 frames, ")


@unix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_it_at_once(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "stuck.py").write_text(STUCK)
    with start(
        *("run", "--source", LONG, "--plugin", "stuck.py", "--sink", "stuck"), cwd=tmp_path
    ) as program:
        wait_until((tmp_path / "reached").exists, program)
        program.send_signal(number)
        time.sleep(0.5)
        assert program.poll() is None, "the first signal waits for the sink"
        program.send_signal(number)
        assert program.wait(20) == 128 + number, "1 would be the end of the first one's patience"


@unix
def test_a_sink_that_hangs_does_not_outlive_one_signal_by_much(tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text(STUCK)
    with start(
        *("run", "--source", LONG, "--plugin", "stuck.py", "--sink", "stuck"), cwd=tmp_path
    ) as program:
        wait_until((tmp_path / "reached").exists, program)
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=40)
        assert program.returncode == 1
    assert "sink stuck" in said.splitlines()[-1]
    assert "did not finish in time and was left" in said.splitlines()[-1]


def test_a_run_says_what_it_reads_and_what_it_did(tmp_path: Path) -> None:
    done = run("run", "--source", "demo?seconds=1", "--sink", "csv:out.csv", cwd=tmp_path)
    assert done.returncode == 0
    first, last = done.stderr.splitlines()
    assert first == "demo: 640x480, 25 frames/s"
    assert last.startswith("25 frames, 25 with a face, in ")
    assert done.stdout == ""


def test_one_frame_is_told_as_one(tmp_path: Path) -> None:
    done = run("run", "--source", "demo?seconds=0.04", "--sink", "csv:out.csv", cwd=tmp_path)
    assert done.stderr.splitlines()[-1].startswith("1 frame, 1 with a face, in ")


def test_the_settings_of_a_file_are_used_and_flags_win(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(
        "source = 'demo?seconds=1'\nsink = 'csv:file.csv'\ninstance = 'hall'\n"
    )
    done = run("run", "--config", "run.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert line_count(tmp_path / "file.csv") > 20
    (tmp_path / "file.csv").unlink()
    done = run("run", "--config", "run.toml", "--sink", "jsonl:flag.jsonl", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "file.csv").exists(), "the flag's sink replaces the file's"
    text = (tmp_path / "flag.jsonl").read_text()
    assert '"id": "hall:demo:0:' in text, "what no flag says stays as the file says"


def test_without_a_sink_it_prints(tmp_path: Path) -> None:
    done = run("run", "--source", "demo?seconds=1", cwd=tmp_path)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    assert done.stdout.startswith("demo ")
