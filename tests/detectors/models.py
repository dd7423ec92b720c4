"""Small ONNX detectors that take any bright square for a face."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

SQUARE = 24
"""px: the side of each of the faces that they find, whatever the bright square's size."""
CELLS = {"strides": [8, 16], "side_unit": 4}

CHECK = {"around": 1.0, "worth_from": 0.3}


def write_bright_finder(
    path: Path, *, channels: int = 1, cells: object = CELLS, numbers: int = 4, **metadata: str
) -> Path:
    """Write a detector in our form: a cell's score is its mean grey over 255.

    Args:
        path: The file.
        channels: Of the pictures that it takes.
        cells: Metadata; None for a model that does not say.
        numbers: How many it gives for each cell.
        metadata: More of it, without our prefix; `threshold` is 0.9 unless given.
    """
    nodes, constants, outputs = [], [], []
    nodes.append(helper.make_node("Transpose", ["x"], ["plane"], perm=[0, 3, 1, 2]))
    for stride in (8, 16):
        own, fixed = _scores("plane", stride, channels)
        nodes += own
        constants += fixed
        box = np.zeros((1, 1, numbers), np.float32)
        box[..., 1:] = [0, 0, np.log(SQUARE / (4 * stride))][: numbers - 1]
        first = np.zeros((1, 1, numbers), np.float32)
        first[..., 0] = 1
        nodes += [
            helper.make_node("Mul", [f"score{stride}", f"first{stride}"], [f"alone{stride}"]),
            helper.make_node("Add", [f"alone{stride}", f"box{stride}"], [f"cells{stride}"]),
        ]
        constants += [_constant(f"box{stride}", box), _constant(f"first{stride}", first)]
        outputs.append(f"cells{stride}")
    nodes.append(helper.make_node("Concat", outputs, ["y"], axis=1))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, "H", "W", channels])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, "C", numbers])
    if cells is not None:
        metadata["cells"] = cells if isinstance(cells, str) else json.dumps(cells)
    metadata.setdefault("threshold", "0.9")
    _save(path, helper.make_graph(nodes, "g", [x], [y], constants), metadata)
    return path


def write_check(
    path: Path, *, odds: float, side: int = 16, check: object = CHECK, numbers: int = 1
) -> Path:
    """Write a check in our form: `odds` times the mean grey of a square over 255.

    Args:
        path: The file, `face-check.onnx` for a detector `face.onnx`.
        odds: What a white square gets; a black one always gets 0.
        side: Of what it takes, px.
        check: Metadata.
        numbers: How many it gives for each square.
    """
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Reshape", ["mean", "column"], ["means"]),
        helper.make_node("Mul", ["means", "slope"], ["y"]),
    ]
    constants = [
        numpy_helper.from_array(np.array([-1, 1], np.int64), "column"),
        _constant("slope", np.full((1, numbers), odds / 255)),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", side, side, 1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", numbers])
    own = {"check": check if isinstance(check, str) else json.dumps(check)}
    _save(path, helper.make_graph(nodes, "g", [x], [y], constants), own)
    return path


def write_bright_yunet(path: Path) -> Path:
    """Write a detector in YuNet's form, with its twelve outputs."""
    nodes: list[NodeProto] = []
    constants, outputs = [], []
    unit = SQUARE / 8
    eyes_to_mouth = unit * 0.575 / 1.45  # so that the square about them has a side of SQUARE
    numbers = {
        "bbox": [0.5, 0.5, np.log(unit * 0.8), np.log(unit)],
        "kps": [0.3, 0.4, 0.7, 0.4, 0.5, 0.5, 0.4, 0.4 + eyes_to_mouth, 0.6, 0.4 + eyes_to_mouth],
    }
    for stride in (8, 16, 32):
        own, fixed = _scores("x", stride, 3)
        nodes += own
        constants += fixed
        nodes.append(helper.make_node("Identity", [f"score{stride}"], [f"cls_{stride}"]))
        # Only the finest grid finds anybody.
        zero = np.full((1, 1, 1), float(stride == 8), np.float32)
        constants.append(_constant(f"on{stride}", zero))
        nodes.append(helper.make_node("Mul", [f"score{stride}", f"on{stride}"], [f"obj_{stride}"]))
        for name, values in numbers.items():
            constants += [
                _constant(f"{name}none{stride}", np.zeros((1, 1, len(values)), np.float32)),
                _constant(f"{name}all{stride}", np.array(values, np.float32)[None, None]),
            ]
            nodes += [
                helper.make_node(
                    "Mul", [f"score{stride}", f"{name}none{stride}"], [f"{name}wide{stride}"]
                ),
                helper.make_node(
                    "Add", [f"{name}wide{stride}", f"{name}all{stride}"], [f"{name}_{stride}"]
                ),
            ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 64, 64])
    for name, count in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
        for stride in (8, 16, 32):
            shape = [1, "C", count]
            outputs.append(
                helper.make_tensor_value_info(f"{name}_{stride}", TensorProto.FLOAT, shape)
            )
    _save(path, helper.make_graph(nodes, "g", [x], outputs, constants), {})
    return path


def _scores(plane: str, stride: int, channels: int) -> tuple[list[NodeProto], list[TensorProto]]:
    """Each cell's mean over 255, (1, C, 1), as `score<stride>`."""
    weights = np.full((1, channels, 1, 1), 1 / 255 / channels, np.float32)
    nodes = [
        helper.make_node("Conv", [plane, f"w{stride}"], [f"grey{stride}"], kernel_shape=[1, 1]),
        helper.make_node(
            "AveragePool",
            [f"grey{stride}"],
            [f"mean{stride}"],
            kernel_shape=[stride, stride],
            strides=[stride, stride],
        ),
        helper.make_node("Reshape", [f"mean{stride}", f"flat{stride}"], [f"score{stride}"]),
    ]
    flat = numpy_helper.from_array(np.array([1, -1, 1], np.int64), f"flat{stride}")
    return nodes, [_constant(f"w{stride}", weights), flat]


def _constant(name: str, values: np.ndarray) -> TensorProto:
    return numpy_helper.from_array(values.astype(np.float32), name)


def _save(path: Path, graph: onnx.GraphProto, metadata: dict[str, str]) -> None:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {f"fer_stream.{k}": v for k, v in metadata.items()})
    onnx.save(model, path)
