"""`fer-stream quantise`: the int8 twin of a model file, and the sums that it rests on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir

import numpy as np
import onnx
import onnxruntime
import pytest
from click.testing import CliRunner, Result
from fer_stream_training.commands.quantise import quantise
from fer_stream_training.export import onnx_predictor
from fer_stream_training.quantise import fold_pooling
from fer_stream_training.temporary import temporary_folder
from onnx import TensorProto, helper, numpy_helper

from fer_stream.classifiers.onnx import OnnxClassifier
from fer_stream.errors import ConfigError, ModelError
from fer_stream.models import model_path
from tests.programs import fer_stream_without

from .conftest import EMOTIONS, faces
from .processes import fer_stream_on_a_full_disk
from .shades import write_shades

Make = Callable[..., Path]


def run_quantise(*arguments: str | Path) -> Result:
    return CliRunner().invoke(quantise, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, make_csv: Make) -> Path:
    return make_csv(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def twin(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The twin of the shipped float32 model, and what the command printed."""
    out = tmp_path_factory.mktemp("twin") / "twin.onnx"
    result = run_quantise("default-float32", "--data", data, "--out", out)
    if result.exception is not None:
        raise result.exception
    assert [file.name for file in out.parent.iterdir()] == ["twin.onnx"]
    return out, result.output


def test_the_twin_says_nearly_what_the_original_says(twin: tuple[Path, str]) -> None:
    images, _ = faces(200, seed=5)
    # Of the network itself: the temperature is fitted anew, and these faces are none.
    original, other = (
        onnx_predictor(path.read_bytes())(images)
        for path in (model_path("default-float32"), twin[0])
    )
    assert np.ptp(original, axis=0).max() > 0.1  # not one answer for all
    assert np.abs(original - other).mean() < 0.02


def test_the_twin_describes_itself(twin: tuple[Path, str]) -> None:
    path, output = twin
    original, info = OnnxClassifier("default-float32").info, OnnxClassifier(str(path)).info
    assert info.name == f"{original.name}-int8"
    assert info.labels == original.labels
    assert info.trained_on == original.trained_on
    assert (info.height, info.width, info.layout) == (48, 48, original.layout)
    assert info.accuracy is not None
    assert info.accuracy["data"] == "FER-2013 PublicTest"
    assert info.accuracy["images"] == 70
    assert info.temperature != original.temperature
    assert info.size_bytes < 0.4 * original.size_bytes
    assert f"{info.accuracy['accuracy']:.2%}" in output
    assert f"{info.size_bytes / 1e6:.2f} MB" in output
    assert f"wrote {path}" in output


def test_weights_have_seven_bits_and_nothing_strange_is_in_the_file(
    twin: tuple[Path, str],
) -> None:
    model = onnx.load(twin[0])
    onnx.checker.check_model(model, full_check=True)
    assert [entry.domain for entry in model.opset_import] == [""]
    weights = [
        numpy_helper.to_array(entry)
        for entry in model.graph.initializer
        if entry.data_type == TensorProto.INT8 and len(entry.dims) == 4
    ]
    assert len(weights) > 10
    # Two products of 255 and 64 fit into the 16 bits that a CPU without VNNI adds them in.
    assert max(int(np.abs(array.astype(int)).max()) for array in weights) == 64
    inputs = {name for node in model.graph.node for name in node.input}
    assert {entry.name for entry in model.graph.initializer} <= inputs


def test_the_same_data_gives_the_same_file(
    twin: tuple[Path, str], data: Path, tmp_path: Path
) -> None:
    result = run_quantise("default-float32", "--data", data, "--out", tmp_path / "again.onnx")
    assert result.exception is None
    assert (tmp_path / "again.onnx").read_bytes() == twin[0].read_bytes()


def test_what_cannot_be_quantised_says_why(
    twin: tuple[Path, str], data: Path, tmp_path: Path
) -> None:
    few = write_shades(tmp_path / "few.onnx")
    out = tmp_path / "out.onnx"
    cases: list[tuple[str | Path, Path, type[Exception], str]] = [
        (twin[0], data, ModelError, "is quantised already"),
        (few, data, ModelError, "1 layer of weights; expected three or more"),
        (tmp_path / "nosuch.onnx", data, ModelError, "no such model"),
        ("default-float32", tmp_path / "nosuch.csv", ConfigError, "no data at"),
    ]
    for model, source, kind, message in cases:
        result = run_quantise(model, "--data", source, "--out", out)
        assert isinstance(result.exception, kind), (model, result.exception)
        assert message in str(result.exception)
        assert result.output == ""  # and nothing of work that takes a minute
    nowhere = run_quantise("default-float32", "--data", data, "--out", out / "in" / "it.onnx")
    assert isinstance(nowhere.exception, ConfigError)
    assert "there is no folder" in str(nowhere.exception)
    itself = run_quantise(few, "--data", data, "--out", few)
    assert isinstance(itself.exception, ConfigError)
    assert "the model itself" in str(itself.exception)
    assert [file.name for file in tmp_path.iterdir()] == ["few.onnx"]


def _pool_and_convolution(
    side: int, *, auto_pad: str = "NOTSET", strides: int = 2
) -> onnx.ModelProto:
    """An average over 2x2 and a 1x1 convolution of three channels to four, (N, 3, side, side)."""
    weights = np.random.default_rng(6).normal(0, 1, (4, 3, 1, 1)).astype(np.float32)
    offsets = np.random.default_rng(7).normal(0, 1, 4).astype(np.float32)
    step = [strides, strides]
    nodes = [
        helper.make_node(
            "AveragePool", ["in"], ["mean"], kernel_shape=[2, 2], strides=step, auto_pad=auto_pad
        ),
        helper.make_node("Conv", ["mean", "w", "b"], ["y"], kernel_shape=[1, 1]),
    ]
    # Through an Identity, so that the pooled value's shape has to be inferred.
    nodes.insert(0, helper.make_node("Identity", ["x"], ["in"]))
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, side, side])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4, "H", "W"])],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(offsets, "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnx.shape_inference.infer_shapes(model)


def _run(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return np.asarray(session.run(None, {"x": x})[0])


@pytest.mark.parametrize(
    ("side", "auto_pad", "strides", "folded"),
    [
        (8, "NOTSET", 2, True),
        (9, "VALID", 2, True),  # the last row and column count for nothing in both
        (8, "SAME_UPPER", 2, True),
        (9, "SAME_UPPER", 2, False),  # a square at the edge is the mean of fewer
        (8, "NOTSET", 1, False),
    ],
)
def test_a_folded_average_is_the_same_sum(
    side: int, auto_pad: str, strides: int, folded: bool
) -> None:
    model = _pool_and_convolution(side, auto_pad=auto_pad, strides=strides)
    x = np.random.default_rng(8).normal(0, 1, (2, 3, side, side)).astype(np.float32)
    before = _run(model, x)
    fold_pooling(model.graph)
    kinds = [node.op_type for node in model.graph.node]
    assert kinds == (["Identity", "Conv"] if folded else ["Identity", "AveragePool", "Conv"])
    np.testing.assert_allclose(_run(model, x), before, atol=1e-5)


def test_an_average_that_two_convolutions_read_stays() -> None:
    """As in mirror-resnet, whose blocks begin with one for both of their ways."""
    model = _pool_and_convolution(8)
    model.graph.node.append(helper.make_node("Conv", ["mean", "w", "b"], ["other"]))
    model.graph.output.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, None))
    fold_pooling(model.graph)
    kinds = [node.op_type for node in model.graph.node]
    assert kinds == ["Identity", "AveragePool", "Conv", "Conv"]


def test_the_shipped_twin_belongs_to_the_shipped_model() -> None:
    original, twin = (OnnxClassifier(name).info for name in ("default-float32", "default"))
    assert twin.name == f"{original.name}-int8"
    assert twin.labels == original.labels
    assert original.accuracy is not None
    assert twin.accuracy is not None
    assert twin.accuracy["data"] == original.accuracy["data"]
    assert twin.accuracy["accuracy"] > original.accuracy["accuracy"] - 0.003


def _write_channels_first(path: Path) -> Path:
    """Write a model of three layers that takes (N, 1, 48, 48) and scores the seven emotions."""
    random = np.random.default_rng(9)
    shapes = {"first": (4, 1, 4, 4), "second": (4, 4, 4, 4), "last": (4 * 3 * 3, 7)}
    four = {"kernel_shape": [4, 4], "strides": [4, 4]}
    nodes = [
        helper.make_node("Conv", ["grey", "first"], ["a"], **four),
        helper.make_node("Conv", ["a", "second"], ["b"], **four),
        helper.make_node("Flatten", ["b"], ["c"]),
        helper.make_node("MatMul", ["c", "last"], ["d"]),
        helper.make_node("Softmax", ["d"], ["scores"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("grey", TensorProto.FLOAT, ["N", 1, 48, 48])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 7])],
        [
            numpy_helper.from_array(random.normal(0, 0.02, shape).astype(np.float32), name)
            for name, shape in shapes.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"fer_stream.labels": json.dumps(EMOTIONS)})
    onnx.save(model, path)
    return path


def test_the_twin_says_how_its_pictures_lie(data: Path, tmp_path: Path) -> None:
    model, out = _write_channels_first(tmp_path / "m.onnx"), tmp_path / "twin.onnx"
    result = run_quantise(model, "--data", data, "--out", out)
    if result.exception is not None:
        raise result.exception
    about = {entry.key: entry.value for entry in onnx.load(out).metadata_props}
    assert json.loads(about["fer_stream.input"])["layout"] == "NCHW"
    assert OnnxClassifier(str(out)).info.layout == "NCHW"


def test_a_temporary_folder_without_room_is_named(data: Path, tmp_path: Path) -> None:
    done = fer_stream_on_a_full_disk(
        1_000_000, "quantise", "--data", data, "--out", tmp_path / "twin.onnx"
    )
    assert done.returncode == 2
    line = done.stderr.splitlines()[-1]  # onnxruntime tells of a limit that no disk has, too
    assert line.startswith(f"fer-stream: cannot write in the temporary folder {gettempdir()} (File")
    assert line.endswith("; make room, or name another folder in the variable TMPDIR")
    with (
        pytest.raises(ConfigError, match=r"\(No space left on device\); expected 10{12} MB free"),
        temporary_folder(10**18),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_no_tensorflow_is_needed_but_the_onnx_package(data: Path, tmp_path: Path) -> None:
    arguments = ["quantise", "default-float32", "--data", str(data), "--out", "twin.onnx"]
    (tmp_path / "a").mkdir()
    program = fer_stream_without("tensorflow", "keras", "tf2onnx", "h5py", folder=tmp_path / "a")
    done = subprocess.run([*program, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "twin.onnx").is_file()
    (tmp_path / "b").mkdir()
    program = fer_stream_without("onnx", folder=tmp_path / "b")
    done = subprocess.run([*program, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "fer-stream: quantising needs the onnx package: pip install onnx\n"
