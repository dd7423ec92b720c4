"""What a model file says of itself, and the shipped one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import onnx
import pytest

from fer_stream.errors import ConfigError, ModelError
from fer_stream.models import DEFAULT_MODEL, SHIPPED, face_model_path, model_path
from fer_stream.models.info import ModelInfo, describe, load_session
from fer_stream.models.label import write_labelled
from tests.classifiers.models import write_model


def read(path: Path) -> ModelInfo:
    return describe(path, load_session(path))


def test_a_model_is_described_by_itself(tmp_path: Path) -> None:
    path = write_model(
        tmp_path / "mine.onnx",
        name="mine",
        temperature="1.5",
        uncertain_below="0.45",
        trained_on="faces",
        accuracy='{"data": "test", "images": 10, "accuracy": 0.7}',
        exporter="me 1.0",
    )
    assert read(path) == ModelInfo(
        path=path,
        name="mine",
        labels=("dark", "grey", "bright"),
        height=8,
        width=6,
        layout="NHWC",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        size_bytes=path.stat().st_size,
        temperature=1.5,
        uncertain_below=0.45,
        trained_on="faces",
        accuracy={"data": "test", "images": 10, "accuracy": 0.7},
        exporter="me 1.0",
    )


def test_only_labels_are_required(tmp_path: Path) -> None:
    info = read(write_model(tmp_path / "plain.onnx"))
    assert (info.name, info.temperature, info.accuracy) == ("plain", None, None)
    assert info.uncertain_below == 0.0


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_carries_its_card(name: str) -> None:
    info = read(model_path(name))
    assert len(info.labels) == 7
    assert info.trained_on
    assert info.exporter
    assert info.accuracy is not None
    assert 0.5 < info.accuracy["accuracy"] < 1
    assert info.accuracy["images"] > 1000


def test_a_model_is_a_shipped_ones_name_or_a_file_that_is_there(tmp_path: Path) -> None:
    mine = write_model(tmp_path / "mine.onnx")
    assert model_path("default") == DEFAULT_MODEL
    assert model_path(str(mine)) == mine
    with pytest.raises(ModelError, match=r"give the path of .*, or default or default-float32$"):
        model_path("my.onnx")
    with pytest.raises(ModelError, match=r"my\.onnx; give .* a face detector's ONNX file$"):
        face_model_path("my.onnx")


def test_a_model_without_labels_can_be_given_them(tmp_path: Path) -> None:
    plain, named = tmp_path / "plain.onnx", tmp_path / "named.onnx"
    write_model(plain, labels=None, temperature="2.0")
    with pytest.raises(ModelError, match="does not name its labels"):
        read(plain)
    write_labelled(plain, ["a", "b", "ç"], named)
    assert read(named).labels == ("a", "b", "ç")
    assert read(named).temperature == 2.0, "what it said before is kept"
    write_labelled(named, ["k", "l", "m"], named)
    assert read(named).labels == ("k", "l", "m")
    assert len(onnx.load(named).metadata_props) == 2


def test_what_cannot_be_labelled_says_why(tmp_path: Path) -> None:
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"cannot load model .*bad\.onnx: .*; expected an ONNX"):
        write_labelled(bad, ["a"], tmp_path / "out.onnx")
    out = tmp_path / "out.onnx"
    for options, problem in (
        ({"softmax": False}, r"model .*made\.onnx does not give probabilities"),
        ({"flat": (5, 48)}, r"model .*made\.onnx cannot be run: "),
    ):
        made = write_model(tmp_path / "made.onnx", labels=None, **options)
        with pytest.raises(ModelError, match=problem):
            write_labelled(made, ["a", "b", "c"], out)
        assert not out.exists()
    good = write_model(tmp_path / "good.onnx")
    with pytest.raises(ConfigError, match=r"cannot write .*out\.onnx"):
        write_labelled(good, ["a", "b", "c"], tmp_path / "nowhere" / "out.onnx")
