"""The commands beside `run`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from fer_stream.cli import cli
from fer_stream.models import DEFAULT_MODEL, FACE_MODEL
from tests.classifiers.models import write_model
from tests.programs import environment, fer_stream_without, line_count, run

pytestmark = pytest.mark.timeout(90)
LABELS = "angry,disgusted,fearful,happy,sad,surprised,neutral"


def test_plugins_lists_the_built_ins_with_their_options() -> None:
    done = CliRunner().invoke(cli, ["plugins"])
    assert done.exit_code == 0
    lines = done.output.splitlines()
    for heading in ("sources", "detectors", "trackers", "classifiers", "filters", "sinks"):
        assert heading in lines
    csv_line = next(i for i, line in enumerate(lines) if line.startswith("  csv "))
    assert lines[csv_line].endswith("[fer-stream]")
    assert lines[csv_line + 1].strip() == "?append=false, every_frame=false"
    assert lines.index("sources") < lines.index("sinks")


def shown(*model: str) -> dict[str, str]:
    """Return what `models show` says of a model, by its name for it."""
    done = CliRunner().invoke(cli, ["models", "show", *model])
    assert done.exit_code == 0
    return dict(line.split(maxsplit=1) for line in done.output.splitlines())


def test_models_show_tells_what_the_shipped_model_says_of_itself() -> None:
    rows = shown()
    assert rows["labels"] == LABELS.replace(",", ", ")
    assert rows["input"] == "grey faces, 48x48 px, 0..255, NHWC"
    assert len(rows["sha256"]) == 64
    assert Path(rows["file"]) == DEFAULT_MODEL


def test_models_show_tells_what_the_face_detector_says_of_itself() -> None:
    rows = shown("face")
    assert Path(rows["file"]) == FACE_MODEL
    assert rows["finds"].startswith("faces with a confidence of 0.")
    assert "labels" not in rows


@pytest.mark.parametrize(
    ("below", "said"), [("0.5321", "below a score of 0.53"), (None, "(not said)")]
)
def test_models_show_tells_when_a_model_is_uncertain(
    tmp_path: Path, below: str | None, said: str
) -> None:
    metadata = {} if below is None else {"uncertain_below": below}
    path = write_model(tmp_path / "m.onnx", **metadata)
    assert shown(str(path))["uncertain"] == said


def test_models_show_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    done = run("models", "show", "nosuch.onnx", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "fer-stream: no such model: nosuch.onnx; give the path of an ONNX file, or default, "
        "default-float32 or face"
    ]


def test_models_show_tells_a_temperature_only_where_the_file_does(tmp_path: Path) -> None:
    for metadata, said in (({}, "(not said)"), ({"temperature": "1.0"}, "1.000")):
        path = write_model(tmp_path / "m.onnx", **metadata)
        assert shown(str(path))["temperature"] == said


def test_models_show_takes_no_empty_name_for_the_shipped_model(tmp_path: Path) -> None:
    done = run("models", "show", "", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("fer-stream: model needs the path of an ONNX file, or default,")


@pytest.fixture
def nameless(tmp_path: Path) -> Path:
    """Return a copy of the shipped model that says nothing of itself."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(DEFAULT_MODEL)
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "nameless.onnx")
    return tmp_path / "nameless.onnx"


def test_a_model_that_was_labelled_runs(tmp_path: Path, nameless: Path, face_clip: Path) -> None:
    own = "wütend,angewidert,ängstlich,fröhlich,traurig,überrascht,neutral"
    arguments = ["models", "label", str(nameless), "--labels", own, "--out"]
    labelled = tmp_path / "labelled.onnx"
    done = CliRunner().invoke(cli, [*arguments, str(labelled)])
    assert done.exit_code == 0, done.output
    assert done.output == f"wrote {labelled}\n"
    shown = CliRunner().invoke(cli, ["models", "show", str(labelled)]).output
    assert own.replace(",", ", ") in shown
    ran = run(
        *("run", "--source", str(face_clip), "--model", str(labelled), "--sink", "csv:out.csv"),
        cwd=tmp_path,
    )
    assert ran.returncode == 0, ran.stderr
    table = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()
    assert table[0].endswith(own)
    assert line_count(tmp_path / "out.csv") > 30
    assert ",fröhlich,0." in table[20]


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ("a,b,c", "names 3 labels but gives an output of shape"),
        ("a,a,b,c,d,e,f", "expected names without a repetition"),
        ("x,y,z,c,d,e,f", "the label 'x' is called like a column of the CSV sink's tables"),
        ("a,b,c,d,e,f,", "--labels is 'a,b,c,d,e,f,': a label is empty; expected a name for each"),
    ],
)
def test_labels_that_do_not_fit_leave_no_file(
    tmp_path: Path, nameless: Path, labels: str, says: str
) -> None:
    out = tmp_path / "out.onnx"
    done = run(
        *("models", "label", str(nameless), "--labels", labels, "--out", str(out)), cwd=tmp_path
    )
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not out.exists()
    assert list(tmp_path.glob("*.unfinished")) == []


@pytest.mark.parametrize(
    ("out", "says"),
    [
        ("folder", "cannot write folder (Is a directory); expected a file in a folder"),
        ("nowhere/out.onnx", "cannot write nowhere/out.onnx: there is no folder nowhere"),
    ],
)
def test_a_labelled_model_that_cannot_be_written_is_named(
    tmp_path: Path, nameless: Path, out: str, says: str
) -> None:
    (tmp_path / "folder").mkdir()
    done = run(
        *("models", "label", str(nameless), "--labels", "a,b,c,d,e,f,g", "--out", out),
        cwd=tmp_path,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"fer-stream: {says}")
    assert list(tmp_path.glob("*.unfinished")) == []


def test_labels_that_do_not_fit_cost_no_file_that_was_there(tmp_path: Path, nameless: Path) -> None:
    before = nameless.read_bytes()
    own = str(nameless)
    done = run("models", "label", own, "--labels", "a,b", "--out", own, cwd=tmp_path)
    assert done.returncode == 2
    assert nameless.read_bytes() == before


def test_doctor_finds_everything_that_a_run_needs(tmp_path: Path) -> None:
    done = run("doctor", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "MISSING" not in done.stdout
    found = [line.split()[:2] for line in done.stdout.splitlines() if not line.startswith(" ")]
    ok = {what for mark, what in found if mark == "ok"}
    assert {"python", "onnxruntime", "av", "opencv", "model", "h264", "plugins"} <= ok
    assert {"cameras", "display"} <= {what for _, what in found}


def test_doctor_exits_with_1_where_something_is_broken(tmp_path: Path) -> None:
    # The installed package as it is, but for one file that a bad disk has cut.
    import fer_stream

    package = Path(fer_stream.__file__).parent
    copy = tmp_path / "fer_stream"
    copy.mkdir()
    for item in package.iterdir():
        if item.name != "models":
            (copy / item.name).symlink_to(item)
    (copy / "models").mkdir()
    for item in (package / "models").iterdir():
        if item.name != DEFAULT_MODEL.name:
            (copy / "models" / item.name).symlink_to(item)
    (copy / "models" / DEFAULT_MODEL.name).write_bytes(DEFAULT_MODEL.read_bytes()[:1000])
    (tmp_path / "av.py").write_text("raise ImportError('libx264.so: no such file', name='av')")
    done = subprocess.run(
        [sys.executable, "-m", "fer_stream", "doctor"],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(tmp_path), PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    broken = [line for line in done.stdout.splitlines() if line.startswith("MISSING")]
    assert {"model", "encoder"} <= {line.split()[1] for line in broken}


@pytest.mark.parametrize(
    ("arguments", "install"),
    [
        (["train"], "fer-stream[train]"),
        (["train", "--data", "fer2013.csv", "--out", "runs/first"], "fer-stream[train]"),
        (["export", "model.keras"], "fer-stream[train]"),
        (["quantise", "model.onnx"], "fer-stream[train]"),
        (["evaluate", "default", "--data", "fer2013.csv"], "fer-stream-training"),
        (["prepare"], "fer-stream-training"),
    ],
)
def test_training_commands_say_how_to_get_them(
    tmp_path: Path, arguments: list[str], install: str
) -> None:
    done = subprocess.run(
        [*fer_stream_without("fer_stream_training", folder=tmp_path), *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"fer-stream: fer-stream {arguments[0]} is part of the training package, which is not "
        f'installed; install it with: pip install "{install}"'
    ]


def test_training_commands_are_in_the_help_with_what_they_need(tmp_path: Path) -> None:
    done = subprocess.run(
        [*fer_stream_without("fer_stream_training", folder=tmp_path), "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    for command in ("train", "export", "quantise", "evaluate", "prepare"):
        assert re.search(rf"^  {command} .*needs", done.stdout, re.MULTILINE), done.stdout


def test_the_version_is_the_packages() -> None:
    from fer_stream import __version__

    done = CliRunner().invoke(cli, ["--version"])
    assert done.output == f"fer-stream, version {__version__}\n"


def test_the_installed_script_is_the_same_program(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("fer-stream")
    if not script.exists():
        pytest.skip("the package is not installed with its script")
    done = subprocess.run([script, "run"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("fer-stream: no source")
