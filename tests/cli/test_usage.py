"""What click finds wrong with a command line: one line that says what to do, and exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_stream.models import DEFAULT_MODEL, FACE_MODEL
from tests.programs import line_count, one_line, run

pytestmark = pytest.mark.timeout(90)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("rum", ("no such command 'rum'", "fer-stream --help")),
        ("--verbos", ("no such option", "--verbos", "fer-stream --help")),
        ("run --sinks csv:o.csv", ("no such option", "--sinks", "--sink", "fer-stream run --help")),
        ("run --source", ("option '--source' requires an argument",)),
        ("run --mode fast", ("'--mode': 'fast' is not one of 'auto', 'file', 'live'",)),
        ("run --detect-every x", ("'--detect-every': 'x' is not a whole number",)),
        ("run --detect-every 0", ("'--detect-every': 0 is not in the range x>=1",)),
        ("run --analyse-fps x", ("'--analyse-fps': 'x' is not a number",)),
        ("run --analyse-fps 0", ("'--analyse-fps': 0.0 is not in the range x>0;",)),
        ("bench talk.mp4", ("unexpected extra argument (talk.mp4)", "fer-stream bench --help")),
        (
            f"run --source {' '.join(['holiday/a.jpg'] * 99)}",
            ("extra arguments (holiday/a.jpg", "...; see"),
        ),
        (
            "run --source demo --sink out.csv",
            ("unknown sink 'out.csv'; write csv:out.csv",),
        ),
        ("run --source demo --detector har", ("unknown detector 'har'; did you mean haar?",)),
        ("run --source 12345", ("camera must be a number such as camera:0, of at most 4 digits",)),
        (
            "models label none.onnx --labels a --out n.onnx",
            ("cannot read none.onnx: No such file",),
        ),
        (
            f"models label {DEFAULT_MODEL} --labels a --out n.onnx",
            ("default.onnx names 1 label but",),
        ),
        (f"run --source demo --model {FACE_MODEL}", ("face.onnx is a face detector; expected",)),
        ("run rtsp://me:secret@door/1", ("extra argument (rtsp://me:***@door/1)",)),
        ("models show a b", ("unexpected extra argument (b)", "fer-stream models show --help")),
        ("models label m.onnx --out n.onnx", ("'--labels'", "expected: Names, comma-separated")),
    ],
)
def test_bad_usage_is_one_line(tmp_path: Path, arguments: str, says: tuple[str, ...]) -> None:
    line = one_line(tmp_path, *arguments.split(), code=2)
    for words in says:
        assert words in line
    assert "secret" not in line


def test_a_group_alone_shows_its_help(tmp_path: Path) -> None:
    done = run("models", cwd=tmp_path)
    assert "label" in done.stdout + done.stderr
    assert "fer-stream: " not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--sink csv://me:secret@x", "csv cannot use a URL, got '//me:***@x'; it needs a file"),
        ("--sink csv:ftp://me:secret@x/a.csv", "got 'ftp://me:***@x/a.csv'; it needs a file, e.g."),
        ("--sink jsonl://me:secret@x", "jsonl cannot use a URL"),
        ("--sink episodes://me:secret@x", "episodes cannot use a URL"),
        ("--sink video://me:secret@x/a.mp4", "video cannot use a URL"),
        ("--sink console://me:secret@x", "console takes no target, got '//me:***@x'"),
        ("--sink ftp://me:secret@x", "unknown sink 'ftp'; known: console, csv,"),
        ("--source ftp://me:secret@x", "as URLs: http://, https://, rtmp://, rtmps://, rtsp://"),
        ("--source file://me:secret@x/a.mp4", "file cannot use a URL"),
        ("--source images:ftp://me:secret@x/*.png", "images cannot use a URL"),
        ("--source camera://me:secret@x", "camera must be a number such as camera:0"),
        ("--source network://me:secret@x", "network needs a URL such as rtsp://camera/1"),
        ("--source demo://me:secret@x", "demo takes no target"),
        ("--model ftp://me:secret@x", "model cannot use a URL, got 'ftp://me:***@x'"),
        ("--detector onnx:ftp://me:secret@x", "model cannot use a URL"),
        ("--detector yunet:ftp://me:secret@x", "yunet cannot use a URL"),
        ("--metrics http://me:secret@x", "metrics must be HOST:PORT"),
    ],
)
def test_a_url_where_none_is_understood_shows_no_password(
    tmp_path: Path, arguments: str, says: str
) -> None:
    source = () if arguments.startswith("--source") else ("--source", "demo?seconds=0.2")
    line = one_line(tmp_path, "run", *source, *arguments.split(), code=2)
    assert says in line
    assert "secret" not in line
    assert list(tmp_path.iterdir()) == []


def test_a_file_given_as_a_url_is_read(tmp_path: Path, face_clip: Path) -> None:
    done = run("run", "--source", face_clip.as_uri(), "--sink", "csv:out.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert line_count(tmp_path / "out.csv") > 30
