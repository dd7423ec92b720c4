"""The console sink: a table in a terminal, plain lines elsewhere."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pytest

from fer_stream.errors import ConfigError
from fer_stream.sinks.console import ConsoleSink
from fer_stream.testing import make_status
from fer_stream.types import RunInfo, SourceState
from tests.clips import Image
from tests.programs import environment, in_terminal, run
from tests.sinks.writing import write_all

FACE = ((4, 5, 20, 21), "happy")


def printed(capsys: pytest.CaptureFixture[str], run_info: RunInfo, *results: Any) -> list[str]:
    write_all(ConsoleSink(), run_info, results)
    return capsys.readouterr().out.splitlines()


def test_elsewhere_it_prints_a_line_per_second_of_media(
    capsys: pytest.CaptureFixture[str], run_info: RunInfo, make: Any
) -> None:
    results = [make(i, FACE) for i in range(60)]  # 2.4 s
    lines = printed(capsys, run_info, *results)
    assert lines == [f"clip.mp4 {t:8.2f} s  #1 happy 0.70" for t in (0.0, 1.0, 2.0)]


def test_a_session_that_starts_its_time_again_is_told_of_at_once(
    capsys: pytest.CaptureFixture[str], run_info: RunInfo, make: Any
) -> None:
    results = [make(i, FACE, session=session) for session in (0, 1) for i in range(40)]
    lines = printed(capsys, run_info, *results)
    assert [line.split()[1] for line in lines] == ["0.00", "1.00", "0.00", "1.00"]


def test_nobody_and_several_faces_are_told(
    capsys: pytest.CaptureFixture[str], run_info: RunInfo, make: Any
) -> None:
    other = ((30, 5, 20, 21), "sad")
    lines = printed(capsys, run_info, make(0), make(25, FACE, other, track_id=None))
    assert [line.split(" s  ")[1] for line in lines] == ["no face", "happy 0.70, sad 0.70"]


def test_an_uncertain_face_is_told_without_an_emotion_or_score(
    capsys: pytest.CaptureFixture[str], run_info: RunInfo, make: Any
) -> None:
    lines = printed(capsys, run_info, make(0, FACE, uncertain_below=0.71))
    assert [line.split(" s  ")[1] for line in lines] == ["#1 uncertain"]


@pytest.mark.parametrize(
    ("encoding", "name", "shown"),
    [
        ("cp1252", "caf\u00e9.png", "caf\u00e9.png"),
        ("cp1252", "\u6620.png", "\\u6620.png"),  # Windows, in a pipe
        ("utf-8", "\udcff.png", "\\udcff.png"),  # Linux: a name of any bytes
    ],
)
def test_a_name_that_the_output_cannot_spell_ends_nothing(
    tmp_path: Path, astronaut: Image, encoding: str, name: str, shown: str
) -> None:
    try:
        (tmp_path / name).write_bytes(cv2.imencode(".png", astronaut)[1].tobytes())
    except (OSError, UnicodeError):
        pytest.skip("no file can be called so here")
    done = run(
        *("run", "--source", name, "--sink", "console"),
        cwd=tmp_path,
        env=environment(PYTHONIOENCODING=encoding),
        encoding=encoding,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{shown}     0.00 s  happy")


def test_single_pictures_have_a_line_each(
    capsys: pytest.CaptureFixture[str], run_info: RunInfo, make: Any
) -> None:
    results = [make(i, FACE, source=f"{i}.jpg", stills=True, time_s=0.0) for i in range(3)]
    lines = printed(capsys, run_info, *results)
    assert [line.split()[0] for line in lines] == ["0.jpg", "1.jpg", "2.jpg"]


@pytest.mark.parametrize(
    "name", ["talk [final].mp4", "[red]a[/red].mp4", "[/].mp4", "a:smile:.mp4"]
)
def test_a_file_name_is_printed_as_it_is(
    capsys: pytest.CaptureFixture[str], run_info: RunInfo, make: Any, name: str
) -> None:
    (line,) = printed(capsys, run_info, make(0, FACE, source=name))
    assert line.startswith(f"{name} ")


def test_a_target_is_refused() -> None:
    with pytest.raises(ConfigError, match="console takes no target"):
        ConsoleSink("x")


def test_a_pipe_gets_plain_lines_without_escape_codes(tmp_path: Path) -> None:
    done = run("run", "--source", "demo?seconds=2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert len(done.stdout.splitlines()) == 2
    assert re.search(r"^demo +1\.\d\d s +#1 neutral 0\.\d\d$", done.stdout, re.MULTILINE)


@pytest.mark.parametrize(("below", "row"), [(0.69, "happy │ 70%"), (0.71, "uncertain │")])
def test_the_table_names_an_emotion_only_if_it_is_certain(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    run_info: RunInfo,
    make: Any,
    below: float,
    row: str,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes it for a terminal
    monkeypatch.setenv("COLUMNS", "100")
    shown = "\n".join(printed(capsys, run_info, make(0, FACE, uncertain_below=below)))
    text = " ".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).split())
    assert f"│ 1 │ {row}" in text
    assert ("happy" in text) == ("%" in text)


def test_the_table_has_the_sources_in_the_order_of_the_command_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    run_info: RunInfo,
    make: Any,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes it for a terminal
    order = ("door", "gate", "yard")
    results = [make(0, FACE, source=source) for source in reversed(order)]
    shown = printed(capsys, replace(run_info, sources=order), *results)
    titles = [name for line in shown for name in order if f"{name} · " in line]
    assert titles[-3:] == list(order)


@pytest.mark.parametrize("state", ["stalled", "reconnecting", "error", "ended"])
def test_the_table_shows_nobody_while_a_source_is_away(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    run_info: RunInfo,
    make: Any,
    state: SourceState,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes it for a terminal
    sink = ConsoleSink()
    sink.open(replace(run_info, sources=("door", "gate")))
    sink.write(make(0, FACE, source="door"))
    capsys.readouterr()
    sink.status(make_status(state, "gate"))  # which nobody has seen yet
    sink.status(make_status(state, "door"))
    lost = capsys.readouterr().out
    sink.close()
    last = capsys.readouterr().out
    if state == "ended":  # the last state of a film is left standing
        assert "happy" in last
    else:
        assert f"door · 0.0 s · {state}" in lost
        assert "happy" not in lost + last
    sink.open(run_info)
    sink.write(make(1, FACE, source="door"))
    sink.close()
    assert state == "ended" or state not in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are Unix's")
def test_a_terminal_gets_a_table_with_the_emotion(tmp_path: Path) -> None:
    shown = in_terminal("run", "--source", "demo?seconds=2", cwd=tmp_path)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert "\x1b[" in shown, "a terminal may have colours"
    assert re.search(r"demo · 2\.0 s · \d+ frames/s", text)
    assert re.search(r"│ +1 │ neutral +│ +\d+% │", text)
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h"), "cursor lost"
