"""`fer-stream train` from data to a model file that the runtime takes, and after a kill."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import fer_stream_training
import numpy as np
import pytest
from click.testing import CliRunner, Result
from fer_stream_training.data import load_dataset
from fer_stream_training.plugin import train

from fer_stream.errors import ConfigError

from .processes import environment, fer_stream_on_a_full_disk

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("tensorflow_installed"),
    # TensorFlow and tf2onnx warn about their own insides.
    pytest.mark.filterwarnings("default"),
]

Make = Callable[..., Path]
LEARNING_RATES = {"demo-cnn": "0.001", "small-resnet": "0.02"}  # wide-resnet is built like small
FLAGS = ["--epochs", "4", "--batch-size", "20", "--lr"]
FINAL_FILES = {"model.onnx", "model.keras", "report.md", "accuracy.png", "confusion.png"}


def run_train(*arguments: str | Path) -> Result:
    return CliRunner().invoke(train, [str(argument) for argument in arguments])


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, make_csv: Make) -> Path:
    return make_csv(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module", params=sorted(LEARNING_RATES))
def flags(request: pytest.FixtureRequest) -> list[str]:
    """Flags of a short run, for each network in turn."""
    return ["--arch", request.param, *FLAGS, LEARNING_RATES[request.param]]


@pytest.fixture(scope="module")
def finished(
    data: Path, flags: list[str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Result]:
    """A finished run's folder, and what the command printed."""
    folder = tmp_path_factory.mktemp("runs") / "unbroken"
    result = run_train("--data", data, "--out", folder, *flags)
    if result.exception is not None:
        raise result.exception
    return folder, result


def test_a_run_leaves_every_artifact(finished: tuple[Path, Result]) -> None:
    folder, result = finished
    names = {file.name for file in folder.iterdir()}
    assert names == FINAL_FILES | {"history.csv", "checkpoint.npz"}
    assert "140 images to train on (Training), 70 to check on (PublicTest)\n" in result.output
    assert "48x48 px in 7 classes: angry, disgusted" in result.output
    assert (folder / "accuracy.png").read_bytes().startswith(b"\x89PNG")
    report = (folder / "report.md").read_text()
    assert "140 images" in report
    assert "| disgusted |     10 |" in report
    assert result.output.count("\nepoch ") == 4
    assert "labels that differ 0" in result.output


def test_the_model_describes_itself(finished: tuple[Path, Result], flags: list[str]) -> None:
    import onnx

    model = onnx.load(finished[0] / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    about = {entry.key.removeprefix("fer_stream."): entry.value for entry in model.metadata_props}
    assert json.loads(about["labels"]) == [
        "angry", "disgusted", "fearful", "happy", "sad", "surprised", "neutral",
    ]  # fmt: skip
    assert json.loads(about["input"]) == {
        "height": 48, "width": 48, "layout": "NHWC", "range": [0, 255], "colour": "grey",
    }  # fmt: skip
    assert about["name"] == flags[1]
    assert about["trained_on"] == "FER-2013 Training, 140 images"
    assert about["exporter"] == f"fer-stream-training {fer_stream_training.__version__}"
    none = "(none fits these images)" in (finished[0] / "report.md").read_text()
    assert ("temperature" in about) != none, "the file has one unless the report says why not"
    assert float(about.get("temperature", 1)) > 0
    accuracy = json.loads(about["accuracy"])
    assert (accuracy["data"], accuracy["images"]) == ("FER-2013 PublicTest", 70)
    best = max(float(row["val_accuracy"]) for row in history(finished[0]))
    assert accuracy["accuracy"] == pytest.approx(best, abs=2 / 70)  # bfloat16 against float32


def test_onnx_and_keras_files_agree(finished: tuple[Path, Result], data: Path) -> None:
    import keras
    import onnxruntime

    images = load_dataset(data).validation.images.astype(np.float32)[..., None]
    session = onnxruntime.InferenceSession(finished[0] / "model.onnx")
    (from_onnx,) = session.run(None, {session.get_inputs()[0].name: images})
    model = keras.models.load_model(finished[0] / "model.keras")
    from_keras = np.asarray(model.predict_on_batch(images))
    assert from_onnx.shape == (70, 7)
    np.testing.assert_allclose(from_onnx, from_keras, atol=1e-5)
    assert np.ptp(from_onnx) > 0.01  # not one answer for all
    for batch in (1, 3):
        (part,) = session.run(None, {session.get_inputs()[0].name: images[:batch]})
        np.testing.assert_allclose(part, from_onnx[:batch], atol=1e-5)


def test_the_runtime_takes_the_model(finished: tuple[Path, Result], data: Path) -> None:
    from fer_stream.classifiers.onnx import OnnxClassifier

    classifier = OnnxClassifier(str(finished[0] / "model.onnx"))
    assert classifier.input_size == (48, 48)
    scores = classifier.classify(load_dataset(data).validation.images)
    assert len(scores) == 70
    assert scores[0].labels[3] == "happy"


def test_a_finished_folder_is_not_overwritten(
    finished: tuple[Path, Result], data: Path, flags: list[str]
) -> None:
    before = (finished[0] / "model.onnx").read_bytes()
    for extra in ([], ["--resume"]):
        result = run_train("--data", data, "--out", finished[0], *flags, *extra)
        assert isinstance(result.exception, ConfigError)
        assert "holds a finished run" in str(result.exception)
    assert (finished[0] / "model.onnx").read_bytes() == before


def _killed_run(data: Path, folder: Path, flags: list[str]) -> None:
    """Start a run as a process of its own and kill it once its first epoch is written."""
    code = "from fer_stream_training.plugin import train; train()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "--data", data, "--out", folder, *flags],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        while not (folder / "history.csv").exists():
            assert process.poll() is None, "the run ended before its first epoch was written"
            assert time.monotonic() < deadline, "no epoch was finished in 120 s"
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


def test_a_killed_run_ends_like_an_unbroken_one(
    finished: tuple[Path, Result], data: Path, flags: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "killed"
    _killed_run(data, folder, flags)
    done = len(history(folder))
    assert 1 <= done < 4
    assert not FINAL_FILES & {file.name for file in folder.iterdir()}

    refused = run_train("--data", data, "--out", folder, *flags)
    assert isinstance(refused.exception, ConfigError)
    assert "go on with --resume" in str(refused.exception)
    other = run_train("--data", data, "--out", folder, *flags, "--resume", "--seed", "1")
    assert isinstance(other.exception, ConfigError)
    assert "cannot resume with seed 1" in str(other.exception)

    before = (folder / "checkpoint.npz").read_bytes()
    full = fer_stream_on_a_full_disk(
        1_000_000, "train", "--data", data, "--out", folder, *flags, "--resume"
    )
    assert full.returncode == 2
    (line,) = full.stderr.splitlines()
    assert line.startswith(f"fer-stream: cannot write in {folder} (File too large); expected")
    assert line.endswith("make room and go on with --resume, or choose another --out")
    assert (folder / "checkpoint.npz").read_bytes() == before
    assert not list(folder.glob("unfinished*"))

    resumed = run_train("--data", data, "--out", folder, *flags, "--resume")
    if resumed.exception is not None:
        raise resumed.exception
    assert f"{done} of 4 epochs done" in resumed.output
    broken, unbroken = history(folder), history(finished[0])
    assert [row["epoch"] for row in broken] == ["1", "2", "3", "4"]
    # The same schedule, images, dropout and optimizer state; sums in another order differ a bit.
    assert [row["lr"] for row in broken] == [row["lr"] for row in unbroken]
    for one, other_row in zip(broken, unbroken, strict=True):
        for key in ("train_loss", "val_loss"):
            assert float(one[key]) == pytest.approx(float(other_row[key]), abs=0.02)
    assert {file.name for file in folder.iterdir()} >= FINAL_FILES


def test_a_run_killed_in_its_export_is_finished(
    finished: tuple[Path, Result], data: Path, flags: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "killed"
    folder.mkdir()
    shutil.copy(finished[0] / "checkpoint.npz", folder)
    full = fer_stream_on_a_full_disk(
        1_000_000, "train", "--data", data, "--out", folder, *flags, "--resume"
    )
    assert full.returncode == 2
    assert not list(folder.glob("*.keras")), "half a model takes the room that is needed to go on"
    result = run_train("--data", data, "--out", folder, *flags, "--resume")
    if result.exception is not None:
        raise result.exception
    assert {file.name for file in folder.iterdir()} >= FINAL_FILES
    assert history(folder) == history(finished[0])


def test_other_data_is_not_taken_for_the_same(data: Path, tmp_path: Path, make_csv: Make) -> None:
    from fer_stream_training.checkpoint import RunState, save_checkpoint
    from fer_stream_training.recipes import settings_from

    flags = {"arch": "small-resnet", "epochs": 4, "batch_size": 20, "lr": 0.02}
    settings = settings_from(None, flags)
    save_checkpoint(tmp_path, RunState(settings.as_dict(), load_dataset(data).sha256()))
    (tmp_path / "other").mkdir()
    other = make_csv(tmp_path / "other", training=70)
    result = run_train("--data", other, "--out", tmp_path, *FLAGS, "0.02", "--resume")
    assert isinstance(result.exception, ConfigError)
    assert "the data is not what the run" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--epochs", "0"], "'--epochs'"),
        (["--batch-size", "0"], "'--batch-size'"),
        (["--lr", "0"], "'--lr'"),
        (["--label-smoothing", "1"], "'--label-smoothing'"),
        (["--arch", "nothing"], "demo-cnn"),
        (["--schedule", "nothing"], "cosine"),
        (["--patience", "-1"], "'--patience'"),
        (["--seed", "4294967296"], "'--seed'"),
    ],
)
def test_bad_flags_are_named(tmp_path: Path, arguments: list[str], expected: str) -> None:
    result = run_train("--data", tmp_path, "--out", tmp_path / "out", *arguments)
    assert result.exit_code == 2
    assert expected in result.output
    assert not (tmp_path / "out").exists()


def test_bad_data_leaves_no_folder(tmp_path: Path) -> None:
    result = run_train("--data", tmp_path / "nowhere.csv", "--out", tmp_path / "out")
    assert isinstance(result.exception, ConfigError)
    assert "no data at" in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_named(data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = run_train("--data", data, "--out", tmp_path / "file" / "out")
    assert isinstance(result.exception, ConfigError)
    assert "cannot write in" in str(result.exception)
