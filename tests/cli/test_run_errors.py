"""What can go wrong with `fer-stream run`: one line that says what to do, and an exit code."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from fer_stream.models import DEFAULT_MODEL
from tests.clips import cut
from tests.programs import line_count, one_line, run

pytestmark = pytest.mark.timeout(90)
DEMO = ("--source", "demo?seconds=1")


def model_without_labels(folder: Path) -> Path:
    """Copy the shipped model without its metadata."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(DEFAULT_MODEL)
    del model.metadata_props[:]
    path = folder / "nameless.onnx"
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--source", "nosuch.mp4"), 1, "no such file: nosuch.mp4"),
        (("--source", "rtsp:/u:secret@cam/1"), 1, "no such file: rtsp:***@cam/1; check the"),
        (("--source", "9", "--mode", "file"), 1, "cannot open camera 9"),
        (("--source", "a=demo", "--source", "a=demo?seconds=2"), 2, "two sources are called 'a'"),
        (("--source", "demo?seconds=1", "--source", "demo?seconds=2"), 2, "are called 'demo'"),
        (("--source", "empty.mp4"), 1, "empty.mp4 is empty"),
        (("--source", "text.mp4"), 1, "cannot open text.mp4 as a video"),
        (("--source", "no_pictures"), 1, "no pictures at no_pictures"),
        (("--source", "http://127.0.0.1:1/a.mp4"), 1, "cannot open http://127.0.0.1:1/a.mp4"),
        (("--source", "http://u:secret@[::1/a.mp4"), 1, "cannot open http://u:***@[::1/a.mp4"),
        (("--source", "http://127.0.0.1:1/", "--mode", "file"), 1, "cannot open http://127.0.0.1"),
        ((*DEMO, "--sink", "csv:missing/out.csv"), 1, "csv cannot write missing/out.csv"),
        ((*DEMO, "--sink", "video:out.avi"), 2, "expected a name in .mp4, .mkv or .mov"),
        ((), 2, "no source; give at least one"),
        ((*DEMO, "--sink", "nosuch"), 2, "unknown sink 'nosuch'; known: console, csv"),
        ((*DEMO, "--detector", "nosuch"), 2, "unknown detector 'nosuch'; known: haar, onnx, yunet"),
        (
            (*DEMO, "--sink", "csv:out.csv?apend=true"),
            2,
            "csv has no option 'apend'; its options: append, every_frame",
        ),
        (
            (*DEMO, "--sink", "csv:out.csv?append=maybe"),
            2,
            "csv: option 'append' must be true or false, got 'maybe'",
        ),
        ((*DEMO, "--detect-size", "31"), 2, "onnx: detect_size must be at least 32, got 31"),
        ((*DEMO, "--detect-size", "0"), 2, "onnx: detect_size must be at least 32, got 0"),
        ((*DEMO, "--model", "nosuch.onnx"), 2, "no such model: nosuch.onnx"),
        ((*DEMO, "--model", "text.mp4"), 2, "cannot load model text.mp4"),
        ((*DEMO, "--model", ""), 2, "model is empty; give it a value, or leave it away"),
        ((*DEMO, "--metrics", ""), 2, "metrics is empty"),
        ((*DEMO, "--config", ""), 2, "config is empty"),
        ((*DEMO, "--detector", ""), 2, "an empty detector was given"),
        ((*DEMO, "--config", "nosuch.toml"), 2, "cannot read nosuch.toml"),
        ((*DEMO, "--plugin", "nosuch.py"), 2, "plugin nosuch.py: "),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing_behind(
    tmp_path: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    (tmp_path / "text.mp4").write_text("This is no video, whatever it is called.\n" * 100)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "no_pictures").mkdir()
    before = sorted(tmp_path.iterdir())
    assert says in one_line(tmp_path, "run", *arguments, code=code)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sorce = 'demo'", "unknown key 'sorce'; did you mean source?; known: analyse_fps,"),
        ("source = 'demo'\nplugin = 5", "plugin must be the path of a Python file"),
        ("source = {use = 'demo', second = 1}", "demo has no option 'second'"),
    ],
)
def test_a_mistake_in_the_toml_file_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "run.toml").write_text(text)
    assert says in one_line(tmp_path, "run", "--config", "run.toml", code=2)
    assert [p.name for p in tmp_path.iterdir()] == ["run.toml"]


def test_a_broken_model_is_refused_before_the_source_is_opened(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(DEFAULT_MODEL.read_bytes()[:-5000])
    said = one_line(tmp_path, "run", "--source", "nosuch.mp4", "--model", "broken.onnx", code=2)
    assert "cannot load model broken.onnx" in said


def test_a_model_without_labels_is_refused_before_the_source_is_opened(tmp_path: Path) -> None:
    model_without_labels(tmp_path)
    said = one_line(tmp_path, "run", "--source", "nosuch.mp4", "--model", "nameless.onnx", code=2)
    assert "nameless.onnx does not name its labels" in said
    assert "fer-stream models label nameless.onnx --labels" in said


@pytest.mark.parametrize("source", ["nosuch.mp4", "text.mp4", "9"])
def test_an_old_table_is_not_emptied_when_the_source_does_not_open(
    tmp_path: Path, source: str
) -> None:
    (tmp_path / "text.mp4").write_text("no video\n" * 100)
    (tmp_path / "out.csv").write_text("precious\n")
    (tmp_path / "out.mp4").write_text("precious\n")
    one_line(
        *(tmp_path, "run", "--source", source, "--mode", "file"),
        *("--sink", "csv:out.csv", "--sink", "video:out.mp4"),
        code=1,
    )
    assert (tmp_path / "out.csv").read_text() == "precious\n"
    assert (tmp_path / "out.mp4").read_text() == "precious\n"


def test_an_old_table_is_not_emptied_when_another_sink_does_not_open(tmp_path: Path) -> None:
    for name in ("out.csv", "out.jsonl", "out.mp4"):
        (tmp_path / name).write_text("precious\n")
    sinks = ("csv:out.csv", "jsonl:out.jsonl", "video:out.mp4", "csv:missing/out.csv")
    one_line(tmp_path, "run", *DEMO, *(word for sink in sinks for word in ("--sink", sink)), code=1)
    for name in ("out.csv", "out.jsonl", "out.mp4"):
        assert (tmp_path / name).read_text() == "precious\n"


def test_one_of_several_sources_that_does_not_open_stops_the_run(tmp_path: Path) -> None:
    said = one_line(
        tmp_path, "run", *DEMO, "--source", "nosuch.mp4", "--sink", "csv:out.csv", code=1
    )
    assert "nosuch.mp4" in said
    assert list(tmp_path.iterdir()) == []


def test_a_protocol_that_ffmpeg_lacks_ends_a_run_that_would_try_again(tmp_path: Path) -> None:
    source = ("--source", "network:nosuch://127.0.0.1:1/")
    done = run("run", *source, "--sink", "csv:out.csv", cwd=tmp_path)
    assert done.returncode == 2
    assert "lacks nosuch; use another protocol" in done.stderr.splitlines()[-1]


def test_a_cut_film_keeps_its_rows_and_says_incomplete(tmp_path: Path, clip: Any) -> None:
    cut(clip("talk.mkv"), 0.6)
    done = run("run", "--source", "talk.mkv", "--sink", "csv:out.csv", cwd=tmp_path)
    assert done.returncode == 1
    ours = [line for line in done.stderr.splitlines() if line.startswith("fer-stream:")]
    assert len(ours) == 1
    assert "talk.mkv is incomplete" in ours[0]
    assert "Traceback" not in done.stderr
    assert 10 < line_count(tmp_path / "out.csv") < 40
    assert (tmp_path / "out.csv").read_bytes().endswith(b"\n")


def test_a_whole_film_with_brackets_in_its_name_is_a_film(tmp_path: Path, face_clip: Path) -> None:
    shutil.copy(face_clip, tmp_path / "talk [final].mp4")
    done = run("run", "--source", "talk [final].mp4", "--sink", "csv:out.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert line_count(tmp_path / "out.csv") > 30


def test_a_bug_in_a_stage_is_shown_as_one_and_named(tmp_path: Path) -> None:
    (tmp_path / "buggy.py").write_text(
        "from fer_stream import Detector, hookimpl\n"
        "class Buggy(Detector):\n"
        "    name = 'buggy'\n"
        "    def detect(self, frame):\n"
        "        return 1 / 0\n"
        "@hookimpl\n"
        "def fer_register_detectors():\n"
        "    return [Buggy]\n"
    )
    done = run(
        *("run", *DEMO, "--plugin", "buggy.py", "--detector", "buggy", "--sink", "csv:out.csv"),
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "buggy.py" in done.stderr
    assert done.stderr.splitlines()[-1] == (
        "fer-stream: detector 'buggy' failed at frame 0: ZeroDivisionError: division by zero"
    )


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            "labels = ('a', 'b')",
            "broke its contract as it was made: input_size must be (height, width) in px, got None",
        ),
        (
            "labels, input_size = 'ab', (8, 8)",
            "broke its contract as it was made: labels must be a tuple of names, got 'ab'",
        ),
        (
            "def __init__(self, target=''): open('weights.bin')",
            "cannot be made: No such file or directory (weights.bin)",
        ),
    ],
)
def test_a_stage_that_cannot_be_made_is_named_in_one_line(
    tmp_path: Path, body: str, says: str
) -> None:
    (tmp_path / "mine.py").write_text(
        "from fer_stream import Classifier, hookimpl\n"
        "class Mine(Classifier):\n"
        "    name = 'mine'\n"
        f"    {body}\n"
        "    def classify(self, crops):\n"
        "        return []\n"
        "@hookimpl\n"
        "def fer_register_classifiers():\n"
        "    return [Mine]\n"
    )
    said = one_line(
        *(tmp_path, "run", *DEMO, "--plugin", "mine.py", "--classifier", "mine"),
        *("--sink", "csv:out.csv"),
        code=1,
    )
    assert f"classifier 'mine' {says}" in said
    assert not (tmp_path / "out.csv").exists()
