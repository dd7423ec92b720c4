"""A small ONNX model that knows the classes of `conftest.faces` by their grey level."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from fer_stream_training.metadata import ModelMetadata, write_metadata
from onnx import TensorProto, helper, numpy_helper

from .conftest import EMOTIONS

SHARPNESS = 0.004  # of the scores around a level, per squared grey level


def scores_of(means: np.ndarray, codes: list[int]) -> np.ndarray:
    """What `write_shades` gives before any temperature: (N, K) for mean grey levels (N,)."""
    levels = 30 + 32 * np.array(codes, float)
    near = np.exp(-SHARPNESS * (means[:, None] - levels) ** 2)
    return near / near.sum(axis=1, keepdims=True)


def write_shades(
    path: Path,
    labels: tuple[str, ...] = EMOTIONS,
    *,
    codes: list[int] | None = None,
    temperature: float = 1.0,
    uncertain_below: float = 0.0,
) -> Path:
    """Write a model whose k-th label stands for the grey level of the class `codes[k]`.

    Without `codes`, each label is right.
    """
    codes = [EMOTIONS.index(label) for label in labels] if codes is None else codes
    levels = 30 + 32 * np.array(codes, np.float32)
    # -(m - l)^2 is linear in the mean m up to m^2, which softmax does not see.
    constants = {"slope": 2 * SHARPNESS * levels[None], "offset": -SHARPNESS * levels**2}
    nodes = [
        helper.make_node("ReduceMean", ["grey"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["mean", "slope"], ["product"]),
        helper.make_node("Add", ["product", "offset"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=1),
    ]
    x = helper.make_tensor_value_info("grey", TensorProto.FLOAT, ["N", 48, 48, 1])
    y = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", len(labels)])
    tensors = [
        numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()
    ]
    graph = helper.make_graph(nodes, "shades", [x], [y], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    about = ModelMetadata(
        name="shades",
        labels=labels,
        height=48,
        width=48,
        trained_on="nothing",
        accuracy_data="a test",
        accuracy_images=70,
        accuracy=5 / 7,
        temperature=temperature,
        uncertain_below=uncertain_below,
    )
    write_metadata(model, about)
    onnx.save(model, path)
    return path
