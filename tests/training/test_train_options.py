"""What a training can be told: to stop early, to weigh classes, to learn classes of one's own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fer_stream_training.checkpoint import EpochRecord, RunState
from fer_stream_training.data import Dataset, Split
from fer_stream_training.settings import TrainingSettings

from fer_stream.errors import ConfigError, ModelError

from .processes import environment
from .test_train_command import history, run_train

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("tensorflow_installed"),
    # TensorFlow and tf2onnx warn about their own insides.
    pytest.mark.filterwarnings("default"),
]

Make = Callable[..., Path]


def test_a_run_that_gets_no_better_stops_and_stays_stopped(tmp_path: Path, make_csv: Make) -> None:
    data = make_csv(tmp_path, training=28, validation=14)
    # Steps too small to change any answer, so that no epoch is better than the first.
    flags = ["--arch", "demo-cnn", "--epochs", "9", "--patience", "2", "--lr", "1e-9"]
    out = tmp_path / "run"
    result = run_train("--data", data, "--out", out, *flags)
    if result.exception is not None:
        raise result.exception
    assert "stopped after epoch 3: no better accuracy in 2 epochs" in result.output
    assert [row["epoch"] for row in history(out)] == ["1", "2", "3"]
    report = (out / "report.md").read_text()
    assert "Of the 3 epochs" in report
    assert "teachers none, start_from none\n" in report

    # A run killed after its last epoch goes on with the export, not with another epoch.
    again = tmp_path / "again"
    again.mkdir()
    shutil.copy(out / "checkpoint.npz", again)
    resumed = run_train("--data", data, "--out", again, *flags, "--resume")
    if resumed.exception is not None:
        raise resumed.exception
    assert history(again) == history(out)
    assert (again / "model.onnx").exists()


class _Silent:
    """A reporter that nobody reads."""

    def step(self, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """Say nothing."""

    def epoch(self, record: EpochRecord, best: EpochRecord) -> None:
        """Say nothing."""


def _rare_score(folder: Path, *, class_weights: bool) -> float:
    """The score of a class with a tenth of the images, where no image tells the classes apart."""
    from fer_stream_training.architectures import ARCHITECTURES
    from fer_stream_training.trainer import predict, train

    images = np.full((100, 32, 32), 128, np.uint8)
    labels = (np.arange(100) % 10 == 0).astype(np.uint8)
    split = Split("grey", images, labels, ("common", "rare"))
    settings = TrainingSettings(
        epochs=4,
        batch_size=10,
        schedule="constant",
        label_smoothing=0.0,
        augment=False,
        class_weights=class_weights,
    )
    folder.mkdir()
    start = RunState(settings.as_dict(), split.sha256())
    state = train(Dataset("grey", split, split), settings, folder, start, _Silent())
    # Not the best epoch's weights, which are those of the fewest mistakes.
    model = ARCHITECTURES["demo-cnn"](2, (32, 32), "float32")
    for variable, value in zip(model.variables, state.variables, strict=True):
        variable.assign(value)
    return float(predict(model, images[:1])[0, 1])


def test_class_weights_let_a_rare_class_count_as_much(tmp_path: Path) -> None:
    assert _rare_score(tmp_path / "plain", class_weights=False) < 0.25
    assert 0.35 < _rare_score(tmp_path / "weighted", class_weights=True) < 0.65


def test_what_a_run_shall_build_on_is_refused_before_its_folder_is_begun(
    tmp_path: Path, make_csv: Make
) -> None:
    data, other = make_csv(tmp_path, training=14, validation=7), tmp_path / "other.onnx"
    other.write_bytes(b"no model")
    for flag in ("--teacher", "--start-from"):
        refused = run_train("--data", data, "--out", tmp_path / "run", flag, other)
        assert isinstance(refused.exception, ModelError)
        assert not (tmp_path / "run").exists()


def test_steps_that_are_too_large_end_a_run_that_can_learn_nothing(
    tmp_path: Path, make_csv: Make
) -> None:
    data, out = make_csv(tmp_path, training=56, validation=7), tmp_path / "run"
    flags = ["--arch", "small-resnet", "--epochs", "3", "--batch-size", "7", "--lr", "1e12"]
    result = run_train("--data", data, "--out", out, *flags)
    assert isinstance(result.exception, ConfigError)
    assert "the loss of epoch 1 is nan; expected a number" in str(result.exception)
    assert [file.name for file in out.iterdir()] == ["checkpoint.npz"]


def test_two_classes_are_never_uncertain_and_any_name_can_be_drawn(
    tmp_path: Path, make_classes: Make
) -> None:
    # Between dollar signs, matplotlib sees a formula; bars part a table's columns.
    faces = make_classes(tmp_path / "$faces_$", ("$a_$", "b|c"))
    out = tmp_path / "run"
    result = run_train("--data", faces, "--out", out, "--arch", "demo-cnn", "--epochs", "1")
    if result.exception is not None:
        raise result.exception
    report = (out / "report.md").read_text()
    assert "Of the 1 epoch the best" in report
    assert "score under 0.5000; here are none." in report
    words = "temperature 1.0000 (none fits these images); expected"
    assert words in report
    assert "temperature 1.000 (none fits these images)\n" in result.output
    assert "\n| b\\|c " in report


def test_classes_of_ones_own_reach_the_model_file(tmp_path: Path, make_classes: Make) -> None:
    import onnx

    from fer_stream.classifiers.onnx import OnnxClassifier

    faces = make_classes(tmp_path / "faces", ("sleepy", "awake", "absent"), size=(45, 37))
    out = tmp_path / "run"
    result = run_train(
        "--data", faces, "--out", out, "--arch", "small-resnet", "--epochs", "3", "--lr", "0.02"
    )
    if result.exception is not None:
        raise result.exception
    assert (
        "faces: 54 images to train on (nine tenths), 6 to check on (held-out tenth)\n"
        "37x45 px in 3 classes: absent, awake, sleepy\n"
    ) in result.output
    assert "labels that differ 0" in result.output
    report = (out / "report.md").read_text()
    assert "held-out tenth" in report

    classifier = OnnxClassifier(str(out / "model.onnx"))
    assert classifier.labels == ("absent", "awake", "sleepy")
    assert classifier.input_size == (45, 37)
    about = {p.key: p.value for p in onnx.load(out / "model.onnx").metadata_props}
    assert json.loads(about["fer_stream.accuracy"])["images"] == 6


def test_a_run_ends_whole_in_folders_whose_names_are_no_unicode(
    tmp_path: Path, make_classes: Make
) -> None:
    """As unzipping archives from Windows leaves them."""
    import onnx

    faces, out = tmp_path / "m\udce4rz", tmp_path / "\udce4rger"
    try:
        make_classes(tmp_path / "data", ("a", "b"), size=(32, 32), count=4).rename(faces)
    except (OSError, UnicodeError):
        pytest.skip("no folder can be called so here")
    flags = ["--arch", "small-resnet", "--epochs", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "fer_stream", "train", "--data", faces, "--out", out, *flags],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    report = (out / "report.md").read_text(encoding="utf-8")
    assert "m\\udce4rz, nine tenths 6 images" in report
    assert "--out '" + str(tmp_path) in report
    about = {entry.key: entry.value for entry in onnx.load(out / "model.onnx").metadata_props}
    assert about["fer_stream.trained_on"] == "m\\udce4rz nine tenths, 6 images"
