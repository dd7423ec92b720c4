"""Small ONNX models, made to measure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LABELS = ("dark", "grey", "bright")
SHAPES: dict[str, list[int | str]] = {
    "NHWC": ["N", 8, 6, 1],
    "NCHW": ["N", 1, 8, 6],
    "NHW": ["N", 8, 6],
}
"""Inputs of faces 8 px high and 6 px wide."""


def weights(count: int = 3) -> np.ndarray:
    """Return (48, count) float32: what each pixel, 0..255 and row by row, adds to the logits."""
    return np.random.default_rng(1).normal(0, 0.004, (48, count)).astype(np.float32)


def logits(crops: np.ndarray) -> np.ndarray:
    """Return what the model's last layer gives before softmax, (N, 3)."""
    return crops.reshape(len(crops), -1).astype(np.float32) @ weights()


def write_model(
    path: Path,
    *,
    shape: Sequence[int | str] | None = None,
    labels: object = LABELS,
    outputs: int = 3,
    softmax: bool = True,
    inputs: int = 1,
    kind: int = TensorProto.FLOAT,
    flat: Sequence[int] = (-1, 48),
    **metadata: str,
) -> Path:
    """Write a model: flatten, one dense layer, softmax.

    Args:
        path: The file.
        shape: Its input's; a text is a size that is not fixed.
        labels: Metadata, as JSON; None for a model that does not say.
        outputs: How many scores it gives.
        softmax: Whether they are probabilities.
        inputs: How many inputs it has.
        kind: ONNX's type of the inputs.
        flat: What the input is reshaped to; a wrong one fails when it runs.
        metadata: More of it, without our prefix.
    """
    shape = SHAPES["NHWC"] if shape is None else list(shape)
    x = [helper.make_tensor_value_info(f"x{i}", kind, shape) for i in range(inputs)]
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", outputs])
    if inputs and shape:
        nodes = [helper.make_node("Cast", ["x0"], ["f"], to=TensorProto.FLOAT)]
    else:
        nodes = [helper.make_node("Identity", ["nothing"], ["f"])]
    nodes += [
        helper.make_node("Reshape", ["f", "flat"], ["row"]),
        helper.make_node("MatMul", ["row", "w"], ["z"]),
        helper.make_node("Softmax" if softmax else "Identity", ["z"], ["y"]),
    ]
    constants = [
        numpy_helper.from_array(np.array(flat, np.int64), "flat"),
        numpy_helper.from_array(weights(outputs), "w"),
        numpy_helper.from_array(np.zeros((1, 48), np.float32), "nothing"),
    ]
    graph = helper.make_graph(nodes, "g", x, [y], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    if labels is not None:
        metadata["labels"] = json.dumps(labels)
    helper.set_model_props(model, {f"fer_stream.{k}": v for k, v in metadata.items()})
    onnx.save(model, path)
    return path
