"""From a trained detector to its self-describing ONNX file, proven equal to it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_stream.errors import ModelError

from ..export import converted
from ..metadata import own_properties
from ..quantise import drop_unused_domains
from .layout import LEVELS, SIDE_UNIT
from .network import build
from .pictures import Picture

if TYPE_CHECKING:
    import keras
    import onnx

MAX_DIFFERENCE = 1e-3
"""Of a score or a box's number; float32 rounding alone stays below 1e-5."""

MAX_ROUNDING = 0.05
"""The same, of a file whose weights have 16 bits."""


def exported(
    model: keras.Model, scenes: list[Picture], threshold: float, trained_on: str
) -> onnx.ModelProto:
    """The ONNX file of ``model``, whatever it was trained in.

    ``scenes``, of one size, are what both are compared on; ``threshold`` is the score, 0..1, from
    which an answer is a face. Raises ModelError when the two differ.
    """
    import tensorflow as tf

    float32 = build("float32")
    float32.set_weights(model.get_weights())

    def answer(grey: Any) -> Any:
        raw = float32(grey, training=False)
        return tf.concat([tf.sigmoid(raw[..., :1]), raw[..., 1:]], axis=-1)

    images = np.stack([scene.image for scene in scenes])[..., None].astype(np.float32)
    proto = proven(answer, (1, None, None, 1), images, "cells")
    write_metadata(proto, threshold, trained_on)
    return proto


def proven(
    answer: Callable[[Any], Any],
    shape: tuple[int | None, ...],
    images: npt.NDArray[np.float32],
    output: str,
) -> onnx.ModelProto:
    """A TensorFlow function of grey pictures as ONNX, weights in 16 bits, small and fast.

    Args:
        answer: From pictures of `shape`, float32, to the tensor that is called `output`.
        shape: None where any size is meant.
        images: (N, H, W, 1), what both are compared on.

    Raises ModelError when the two differ.
    """
    import tensorflow as tf

    proto = _folded(converted(answer, shape), output)
    answers = onnx_answers(proto, images)
    difference = float(np.abs(np.asarray(answer(tf.constant(images))) - answers).max())
    store_as_halves(proto)
    rounding = float(np.abs(onnx_answers(proto, images) - answers).max())
    if not (difference <= MAX_DIFFERENCE and rounding <= MAX_ROUNDING):
        raise ModelError(
            f"the ONNX file's {output} differ from the Keras model's by up to {difference:.2g}, "
            f"and with weights of 16 bits by another {rounding:.2g}; expected at most "
            f"{MAX_DIFFERENCE:g} and {MAX_ROUNDING:g}; try other versions of tensorflow and "
            "tf2onnx, then the command again with --resume"
        )
    return proto


def write_metadata(proto: onnx.ModelProto, threshold: float, trained_on: str) -> None:
    """Put in what ``fer_stream.models.face`` reads; replaces what there was."""
    import onnx

    properties = {
        "name": "face",
        "cells": json.dumps({"strides": [stride for stride, *_ in LEVELS], "side_unit": SIDE_UNIT}),
        "threshold": f"{threshold:.2f}",
        "input": json.dumps({"layout": "NHWC", "range": [0, 255], "colour": "grey"}),
        "trained_on": trained_on,
    }
    onnx.helper.set_model_props(proto, own_properties(properties))


def store_as_halves(proto: onnx.ModelProto) -> None:
    """Keep the weights in 16 bits: half the file, and onnxruntime widens them once, on loading.

    Whole numbers of 8 bits were tried: a third of the size, but slower than float32 in a network
    with so few channels.
    """
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for number, entry in enumerate(proto.graph.initializer):
        values = numpy_helper.to_array(entry)
        if entry.data_type != TensorProto.FLOAT or values.size < 64:
            continue
        name = entry.name
        half = numpy_helper.from_array(values.astype(np.float16), f"half{number}")
        proto.graph.initializer[number].CopyFrom(half)
        casts.append(helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *proto.graph.node]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)


def onnx_answers(
    proto: onnx.ModelProto, images: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """What the file says of (N, H, W, 1) float32 pictures, one by one: (N, ...) float32."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: image[None]})[0] for image in images])


def _folded(proto: onnx.ModelProto, output: str) -> onnx.ModelProto:
    """The same with normalisation and padding folded into the convolutions."""
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 4
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "folded.onnx"
        options.optimized_model_filepath = str(path)
        onnxruntime.InferenceSession(
            proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        folded = onnx.load(path)
    assert isinstance(folded, onnx.ModelProto)
    drop_unused_domains(folded)
    _shorten_names(folded.graph, output)
    scale_last(folded.graph)
    return folded


def scale_last(graph: onnx.GraphProto) -> None:
    """Bring the picture into the convolutions' order before it is scaled, not after.

    onnxruntime scales along the last axis, and a grey picture of (1, H, W, 1) has one number
    there: two fifths of a search went into that. The answers are the same to the bit.
    """
    nodes, tensor = list(graph.node), graph.input[0].name
    first = next(i for i, node in enumerate(nodes) if tensor in node.input)
    last = next(i for i in range(first, len(nodes)) if nodes[i].op_type == "Conv")
    before = sorted(nodes[first:last], key=lambda node: node.op_type in ("Mul", "Add", "Sub"))
    for node in (*before, nodes[last]):
        node.input[0] = tensor
        tensor = node.output[0]
    del graph.node[:]
    graph.node.extend([*nodes[:first], *before, *nodes[last:]])


def _shorten_names(graph: onnx.GraphProto, output: str) -> None:
    """Number what TensorFlow gave long names: a twentieth of the file."""
    names = {value.name: "grey" for value in graph.input}
    names |= {value.name: output for value in graph.output}

    def short(name: str) -> str:
        return names.setdefault(name, f"v{len(names)}") if name else name

    for node in graph.node:
        node.name = ""
        node.input[:] = [short(name) for name in node.input]
        node.output[:] = [short(name) for name in node.output]
    for entry in (*graph.initializer, *graph.input, *graph.output):
        entry.name = short(entry.name)
    del graph.value_info[:]
