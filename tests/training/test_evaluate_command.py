"""`fer-stream evaluate`: the figures of a model that is known, and no TensorFlow for them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from fer_stream_training.commands.evaluate import evaluate
from fer_stream_training.data import load_splits

from fer_stream.errors import ConfigError, ModelError
from tests.programs import fer_stream_without

from .conftest import EMOTIONS
from .processes import environment
from .shades import scores_of, write_shades

Make = Callable[..., Path]
EVALUATE = (sys.executable, "-m", "fer_stream", "evaluate")
BACKWARDS = EMOTIONS[::-1]
# Sad and neutral faces are taken for each other, everything else is right.
SAD_AND_NEUTRAL = [4, 5, 6, 3, 2, 1, 0]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, make_csv: Make) -> Path:
    return make_csv(tmp_path_factory.mktemp("data"))


def run_evaluate(*arguments: str | Path) -> Result:
    return CliRunner().invoke(evaluate, [str(argument) for argument in arguments])


def figures(*arguments: str | Path) -> dict:
    result = run_evaluate(*arguments, "--json")
    if result.exception is not None:
        raise result.exception
    return json.loads(result.stdout)


def test_every_figure_of_a_known_model(data: Path, tmp_path: Path) -> None:
    model = write_shades(tmp_path / "m.onnx", BACKWARDS, codes=SAD_AND_NEUTRAL)
    found = figures(model, "--data", data)
    assert found["model"]["labels"] == list(BACKWARDS)
    assert (found["split"], found["images"]) == ("PublicTest", 70)
    assert found["accuracy"] == pytest.approx(5 / 7)
    assert found["macro_f1"] == pytest.approx(5 / 7)
    assert found["classes"]["happy"] == {"images": 10, "recall": 1, "precision": 1, "f1": 1}
    assert found["classes"]["sad"] == {"images": 10, "recall": 0, "precision": 0, "f1": 0}
    confusion = np.array(found["confusion"])
    sad, neutral = BACKWARDS.index("sad"), BACKWARDS.index("neutral")
    assert confusion[sad, neutral] == confusion[neutral, sad] == 10
    assert confusion.sum() == 70
    assert found["uncertain"] is None
    assert set(found["ms_per_face"]) == {"1", "16"}
    assert all(ms > 0 for ms in found["ms_per_face"].values())


def test_the_temperature_in_the_file_is_applied(data: Path, tmp_path: Path) -> None:
    split = load_splits(data, ("PublicTest",))["PublicTest"]
    means = split.images.mean(axis=(1, 2))
    for temperature, said in ((1.0, None), (3.0, 3.0)):  # at 1 the file names none
        model = write_shades(tmp_path / "m.onnx", temperature=temperature)
        scores = scores_of(means, list(range(7))) ** (1 / temperature)
        scores /= scores.sum(axis=1, keepdims=True)
        found = figures(model, "--data", data)
        assert found["model"]["temperature"] == said
        loss = -np.log(scores[np.arange(70), split.labels]).mean()
        assert found["cross_entropy_nats"] == pytest.approx(loss, rel=1e-3)
        assert found["accuracy"] == 1
        # Every answer is right, so the scores fall short of it by what they fall short of 1.
        assert found["calibration_error"] == pytest.approx(1 - scores.max(axis=1).mean(), rel=1e-3)


def test_uncertain_answers_are_counted_by_the_threshold_in_the_file(
    data: Path, tmp_path: Path
) -> None:
    # At this temperature the darkest and the brightest have one neighbour and surer scores.
    model = write_shades(tmp_path / "m.onnx", temperature=6, uncertain_below=0.5)
    uncertain = figures(model, "--data", data)["uncertain"]
    assert uncertain == {
        "below": 0.5,
        "share": pytest.approx(5 / 7),
        "accuracy": 1,
        "accuracy_of_rest": 1,
    }
    text = run_evaluate(model, "--data", data).output
    assert "uncertain (score under 0.5000)" in text
    assert "71.4% of the faces" in text


def test_a_label_that_no_face_has_is_no_class_of_its_own(data: Path, tmp_path: Path) -> None:
    labels = ("contempt", *EMOTIONS)
    model = write_shades(tmp_path / "m.onnx", labels, codes=[9, *range(7)])
    found = figures(model, "--data", data)
    assert found["accuracy"] == found["macro_f1"] == 1
    assert found["classes"]["contempt"] == {
        "images": 0, "recall": None, "precision": None, "f1": 0,
    }  # fmt: skip
    assert (
        "| contempt  |      0 |      - |         - | 0.000 |"
        in run_evaluate(model, "--data", data).output
    )


def test_people_get_tables_and_a_picture(data: Path, tmp_path: Path) -> None:
    model = write_shades(tmp_path / "m.onnx", codes=[0, 1, 2, 3, 6, 5, 4])
    result = run_evaluate(model, "--data", data, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "`m.onnx` (shades" in result.output
    assert "| accuracy                   |      71.43% |" in result.output
    assert "| sad       |     10 |   0.0% |      0.0% | 0.000 |" in result.output
    report = (tmp_path / "out" / "evaluation.md").read_text()
    assert report.startswith(result.output)
    assert "(confusion.png)" in report
    assert (tmp_path / "out" / "confusion.png").read_bytes().startswith(b"\x89PNG")


def test_figures_are_printed_even_where_no_report_can_be_written(
    data: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    model = write_shades(tmp_path / "m.onnx")
    result = run_evaluate(model, "--data", data, "--json", "--out", tmp_path / "file" / "out")
    assert isinstance(result.exception, ConfigError)
    assert json.loads(result.output)["images"] == 70


def test_a_report_is_written_of_folders_whose_names_are_no_unicode(
    tmp_path: Path, make_folders: Make
) -> None:
    try:
        root = make_folders(tmp_path / "png")
        (root / "test").rename(root / "m\udce4rz")
    except (OSError, UnicodeError):
        pytest.skip("no folder can be called so here")
    model, out = write_shades(tmp_path / "m.onnx"), tmp_path / "\udce4rger"
    done = subprocess.run(
        [*EVALUATE, model, "--data", root, "--split", "m\udce4rz", "--out", out],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "on m\\udce4rz, 7 faces" in done.stdout
    assert (out / "evaluation.md").read_text(encoding="utf-8").startswith(done.stdout)


def test_folders_and_their_names_of_splits(tmp_path: Path, make_folders: Make) -> None:
    root = make_folders(tmp_path / "png")
    model = write_shades(tmp_path / "m.onnx")
    for split, images in (("PublicTest", 7), ("test", 7), ("train", 14)):
        found = figures(model, "--data", root, "--split", split)
        assert (found["images"], found["accuracy"]) == (images, 1)


def test_what_does_not_fit_is_one_line(data: Path, tmp_path: Path) -> None:
    renamed = tuple("glad" if name == "happy" else name for name in EMOTIONS)
    model = write_shades(tmp_path / "m.onnx", renamed, codes=list(range(7)))
    good = write_shades(tmp_path / "good.onnx")
    (tmp_path / "file").write_text("in the way")
    for error, expected, arguments in (
        (ConfigError, "has no label happy, as the data has; its labels are angry", [model]),
        (ModelError, "no such model: nowhere.onnx", ["nowhere.onnx"]),
        (ConfigError, "no rows with Usage PrivateTest", [good, "--split", "PrivateTest"]),
        (ConfigError, "cannot write in", [good, "--out", tmp_path / "file" / "out"]),
    ):
        result = run_evaluate(*arguments, "--data", data)
        assert isinstance(result.exception, error)
        assert expected in str(result.exception)
        assert "\n" not in str(result.exception)


def test_the_shipped_model_is_evaluated_without_tensorflow(data: Path, tmp_path: Path) -> None:
    program = fer_stream_without("tensorflow", "keras", "tf2onnx", "onnx", folder=tmp_path)
    done = subprocess.run(
        [*program, "evaluate", "default", "--data", str(data), "--json", "--out", "out"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["images"] == 70
    assert done.stderr == ""
    assert (tmp_path / "out" / "confusion.png").exists()
