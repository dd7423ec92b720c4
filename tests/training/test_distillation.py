"""Teachers: what they say is asked in the data's order, and reaches the targets."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from fer_stream_training.data import Split, load_dataset
from fer_stream_training.distillation import (
    VIEWS,
    teachers_scores,
    what_teachers_say,
)
from fer_stream_training.export import onnx_predictor
from fer_stream_training.fer2013 import EMOTIONS
from fer_stream_training.plugin import train
from fer_stream_training.prior import Prior
from fer_stream_training.recipes import recipe_of
from rich.console import Console

from fer_stream.classifiers.onnx import OnnxClassifier
from fer_stream.errors import ConfigError, ModelError
from tests.classifiers.models import LABELS, SHAPES, weights, write_model


def split(names: tuple[str, ...] = LABELS, count: int = 5) -> Split:
    """Return faces 8 px high and 6 px wide; blank ones, which no change but light changes."""
    images = np.full((count, 8, 6), 128, np.uint8) + np.arange(count, dtype=np.uint8)[:, None, None]
    return Split("Training", images, np.zeros(count, np.uint8), names)


def nothing(_done: int, _total: int) -> None:
    """Hear of the progress, and say nothing."""


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("layout", SHAPES)
def test_scores_are_near_what_the_teacher_says_of_the_faces_themselves(
    tmp_path: Path, layout: str
) -> None:
    teacher = write_model(tmp_path / "t.onnx", shape=SHAPES[layout])
    faces = split()
    scores = teachers_scores(faces, [teacher], 0, nothing)
    assert scores.shape == (5, 3)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)
    plain = softmax(faces.images.reshape(5, -1).astype(np.float32) @ weights())
    np.testing.assert_allclose(scores, plain, atol=0.1)


def test_classes_are_matched_by_name(tmp_path: Path) -> None:
    teacher = write_model(tmp_path / "t.onnx")
    straight = teachers_scores(split(), [teacher], 0, nothing)
    turned = teachers_scores(split(LABELS[::-1]), [teacher], 0, nothing)
    np.testing.assert_array_equal(turned, straight[:, ::-1])
    assert np.ptp(straight, axis=1).min() > 0.01, "three equal columns would prove nothing"


def test_two_teachers_are_averaged(tmp_path: Path) -> None:
    one = write_model(tmp_path / "one.onnx")
    other = write_model(tmp_path / "other.onnx", labels=["bright", "grey", "dark"])
    both = teachers_scores(split(), [one, other], 0, nothing)
    apart = [teachers_scores(split(), [path], 0, nothing) for path in (one, other)]
    np.testing.assert_allclose(both, np.mean(apart, axis=0), atol=1e-6)


def test_the_progress_is_told(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    teacher = write_model(tmp_path / "t.onnx")
    teachers_scores(split(count=300), [teacher], 0, lambda *at: heard.append(at))
    assert heard == [(done, 2 * VIEWS) for done in range(1, 2 * VIEWS + 1)]


@pytest.mark.parametrize("names", [("dark", "grey", "light"), ("dark", "grey")])
def test_a_teacher_of_other_classes_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    teacher = write_model(tmp_path / "t.onnx")
    with pytest.raises(ModelError, match="scores dark, grey, bright on 6x8 px; expected dark, gr"):
        teachers_scores(split(names), [teacher], 0, nothing)


def test_a_teacher_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"cannot load the teacher .*t\.onnx"):
        teachers_scores(split(), [tmp_path / "t.onnx"], 0, nothing)
    with pytest.raises(ConfigError, match=r"cannot read .*none\.onnx \(No such .* --teacher"):
        Prior((tmp_path / "none.onnx",)).as_settings()


def test_a_resumed_run_does_not_ask_again(tmp_path: Path) -> None:
    teacher = write_model(tmp_path / "t.onnx")
    console = Console(file=io.StringIO())
    first = what_teachers_say(tmp_path, split(), [teacher], 0, console)
    teacher.unlink()
    np.testing.assert_array_equal(
        what_teachers_say(tmp_path, split(), [teacher], 0, console), first
    )


@pytest.mark.slow
@pytest.mark.usefixtures("tensorflow_installed")
@pytest.mark.filterwarnings("default")
def test_a_run_learns_what_its_teachers_said(tmp_path: Path, make_csv: Callable[..., Path]) -> None:
    """With no share left to the labels, all faces become what the teachers took them for."""
    data = make_csv(tmp_path, training=140, validation=14)
    teacher = write_model(tmp_path / "teacher.onnx")
    recipe = recipe_of("demo-cnn").read_text()
    (tmp_path / "own.toml").write_text(
        recipe.replace("teacher_share = 0.7", "teacher_share = 1.0")
        .replace("epochs = 50", "epochs = 3")
        .replace("batch_size = 64", "batch_size = 10")
    )
    out = tmp_path / "run"
    out.mkdir()
    happy = EMOTIONS.index("happy")
    np.save(out / "taught.npy", np.eye(7, dtype=np.float32)[np.full(140, happy)])
    flags = ["--recipe", tmp_path / "own.toml", "--data", data, "--out", out, "--teacher", teacher]
    done = CliRunner().invoke(train, [str(flag) for flag in flags], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    assert Prior((teacher,)).as_settings()["teachers"][0] in (out / "report.md").read_text()
    classifier = OnnxClassifier(str(out / "model.onnx"))
    faces = load_dataset(data).validation.images
    assert {scores.top for scores in classifier.classify(faces)} == {"happy"}
    _begins_where_it_ended(data, out, tmp_path)


def _begins_where_it_ended(data: Path, earlier: Path, tmp_path: Path) -> None:
    """Another run from the model's weights, with steps too small to move them."""
    flags = ["--epochs", "1", "--lr", "1e-9", "--no-augment", "--start-from"]
    out = tmp_path / "next"
    run = ["--arch", "demo-cnn", "--data", data, "--out", out, *flags, earlier / "model.keras"]
    done = CliRunner().invoke(train, [str(flag) for flag in run], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    faces = load_dataset(data).validation.images
    before, after = (
        onnx_predictor((folder / "model.onnx").read_bytes())(faces) for folder in (earlier, out)
    )
    np.testing.assert_allclose(after, before, atol=0.02)  # bfloat16, where the CPU has it
    refused = CliRunner().invoke(
        train, [str(flag) for flag in [*run, "--arch", "small-resnet", "--out", tmp_path / "no"]]
    )
    assert isinstance(refused.exception, ConfigError)
    assert "do not fit small-resnet for 7 classes" in str(refused.exception)
