"""What click finds wrong with a command line: one line that says what to do, and exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.programs import one_line, run

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
        ("bench talk.mp4", ("unexpected extra argument (talk.mp4)", "fer-stream bench --help")),
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
