"""Teachers: what they say is asked in the data's order, and reaches the targets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from fer_stream_training.data import Dataset, Split, load_dataset
from fer_stream_training.distillation import load_teachers
from fer_stream_training.export import onnx_predictor
from fer_stream_training.fer2013 import EMOTIONS
from fer_stream_training.plugin import train
from fer_stream_training.prior import Prior
from fer_stream_training.recipes import recipe_of
from onnx import TensorProto, helper, numpy_helper

from fer_stream.classifiers.onnx import OnnxClassifier
from fer_stream.errors import ConfigError, ModelError
from tests.classifiers.models import LABELS, SHAPES, weights, write_model


def split(names: tuple[str, ...] = LABELS, count: int = 5) -> Split:
    """Return faces 8 px high and 6 px wide, each brighter on its right."""
    ramp = np.arange(6, dtype=np.uint8) * 20
    images = np.broadcast_to(ramp + np.arange(count, dtype=np.uint8)[:, None, None], (count, 8, 6))
    return Split("Training", images, np.zeros(count, np.uint8), names)


class Chance:
    """Stands for a random generator that mirrors nothing, or all."""

    def __init__(self, mirror: bool) -> None:
        self._drawn = 0.0 if mirror else 0.9

    def random(self, count: int) -> np.ndarray:
        return np.full(count, self._drawn)


def said(paths: list[Path], faces: Split, mirror: bool = False) -> np.ndarray:
    """Return what teachers say of a split's faces as they are, or mirrored."""
    inputs = faces.images.astype(np.float32)[..., None]
    chance: Any = Chance(mirror)
    return load_teachers(paths, faces)(inputs, chance)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("layout", SHAPES)
def test_scores_are_what_the_teacher_says_of_the_faces_or_their_mirror_images(
    tmp_path: Path, layout: str
) -> None:
    teacher = write_model(tmp_path / "t.onnx", shape=SHAPES[layout])
    faces = split()
    both = [said([teacher], faces, mirror) for mirror in (False, True)]
    for scores, seen in zip(both, (faces.images, faces.images[:, :, ::-1]), strict=True):
        assert scores.dtype == np.float32
        expected = softmax(seen.reshape(5, -1).astype(np.float32) @ weights())
        np.testing.assert_allclose(scores, expected, atol=1e-5)
    assert np.abs(both[0] - both[1]).max() > 0.01, "two equal views would prove nothing"


def test_faces_are_mirrored_half_of_the_time(tmp_path: Path) -> None:
    faces = split()
    teachers = load_teachers([write_model(tmp_path / "t.onnx")], faces)
    inputs = faces.images.astype(np.float32)[..., None]
    straight = said([tmp_path / "t.onnx"], faces)
    random = np.random.default_rng(0)
    same = sum(np.allclose(teachers(inputs, random), straight) for _ in range(200))
    assert 70 < same < 130


def test_classes_are_matched_by_name(tmp_path: Path) -> None:
    teacher = write_model(tmp_path / "t.onnx")
    straight, turned = said([teacher], split()), said([teacher], split(LABELS[::-1]))
    np.testing.assert_array_equal(turned, straight[:, ::-1])
    assert np.ptp(straight, axis=1).min() > 0.01, "three equal columns would prove nothing"


@pytest.mark.parametrize("count", [1, 5])
def test_two_teachers_share_the_faces(tmp_path: Path, count: int) -> None:
    one = write_model(tmp_path / "one.onnx")
    other = write_model(tmp_path / "other.onnx", labels=["bright", "grey", "dark"])
    apart = [said([path], split(count=count)) for path in (one, other)]
    assert np.abs(apart[0] - apart[1]).max() > 0.01, "two equal teachers would prove nothing"
    both = said([one, other], split(count=count))
    np.testing.assert_allclose(both[::2], apart[0][::2], atol=1e-6)
    np.testing.assert_allclose(both[1::2], apart[1][1::2], atol=1e-6)


@pytest.mark.parametrize("names", [("dark", "grey", "light"), ("dark", "grey")])
def test_a_teacher_of_other_classes_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    teacher = write_model(tmp_path / "t.onnx")
    with pytest.raises(ModelError, match="scores dark, grey, bright on 6x8 px; expected dark, gr"):
        load_teachers([teacher], split(names))


def test_a_teacher_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"cannot load the teacher .*t\.onnx: [^\[]*; expected"):
        load_teachers([tmp_path / "t.onnx"], split())
    with pytest.raises(ConfigError, match=r"cannot read .*none\.onnx \(No such .* --teacher"):
        Prior((tmp_path / "none.onnx",)).as_settings()


def _sure_of(emotion: str, path: Path) -> Path:
    """Write a model that takes every face for one emotion: FER-2013's input, 10 for its logit."""
    logits = np.zeros((48 * 48, 7), np.float32)
    logits[:, EMOTIONS.index(emotion)] = 10 / (48 * 48 * 128)
    nodes = [
        helper.make_node("Flatten", ["faces"], ["row"]),
        helper.make_node("MatMul", ["row", "logits"], ["z"]),
        helper.make_node("Softmax", ["z"], ["scores"]),
    ]
    x = helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["N", 48, 48, 1])
    y = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 7])
    graph = helper.make_graph(nodes, "g", [x], [y], [numpy_helper.from_array(logits, "logits")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {"fer_stream.labels": json.dumps(EMOTIONS)})
    onnx.save(model, path)
    return path


@pytest.mark.slow
@pytest.mark.usefixtures("tensorflow_installed")
@pytest.mark.filterwarnings("default")
def test_a_run_learns_what_its_teachers_said(tmp_path: Path, make_csv: Callable[..., Path]) -> None:
    """With no share left to the labels, all faces become what the teachers took them for."""
    data = make_csv(tmp_path, training=140, validation=14)
    teacher = _sure_of("happy", tmp_path / "teacher.onnx")
    recipe = recipe_of("demo-cnn").read_text()
    (tmp_path / "own.toml").write_text(
        recipe.replace("teacher_share = 0.7", "teacher_share = 1.0")
        .replace("epochs = 50", "epochs = 3")
        .replace("batch_size = 64", "batch_size = 10")
    )
    out = tmp_path / "run"
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
    model = Prior((), earlier / "model.keras")
    larger = Dataset(
        "larger", *[Split("", np.zeros((7, 64, 64), np.uint8), np.arange(7, dtype=np.uint8))] * 2
    )
    with pytest.raises(ConfigError, match="do not fit demo-cnn"):  # it ends in all places at once
        model.first_weights("demo-cnn", larger)
