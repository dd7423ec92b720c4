"""From trained weights to a self-describing ONNX file that is proven equal to the Keras model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_stream.errors import ConfigError, ModelError
from fer_stream.models.output import require_folder

from .architectures import ARCHITECTURES
from .checkpoint import Arrays
from .mirror import unfolded
from .quiet import silenced

if TYPE_CHECKING:
    import keras
    import onnx

OPSET = 17  # read by every onnxruntime since 1.12 (2022)
MAX_DIFFERENCE = 1e-4  # of a probability; float32 rounding alone stays below 1e-6
_BATCH = 256

Predict = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Parity:
    """How close two models' outputs are over the same images."""

    images: int
    max_difference: float  # of any probability
    disagreements: int  # images whose top label differs, ties aside


def float32_model(arch: str, classes: int, size: tuple[int, int], weights: Arrays) -> keras.Model:
    """A Keras model of ``arch`` in float32 with ``weights``, whatever it was trained in.

    All of its layers are Keras's own.
    """
    model = ARCHITECTURES[arch](classes, size, "float32")
    model.set_weights(weights)
    return unfolded(model)


def to_onnx(model: keras.Model) -> onnx.ModelProto:
    """Convert a Keras model of (N, H, W, 1) float32 input to ONNX; any N goes."""
    # A function, for tf2onnx 1.17 fails on an unnamed Sequential.
    proto = converted(lambda grey: model(grey, training=False), (None, *model.input_shape[1:]))
    _name_output(proto.graph, "probabilities")
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return proto


def converted(answer: Callable[[Any], Any], shape: tuple[int | None, ...]) -> onnx.ModelProto:
    """Convert what TensorFlow computes from one float32 tensor of ``shape``, called ``grey``."""
    import onnx
    import tensorflow as tf
    import tf2onnx

    signature = (tf.TensorSpec(shape, tf.float32, name="grey"),)
    function = tf.function(answer, input_signature=signature)
    with silenced():
        proto, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=OPSET)
    assert isinstance(proto, onnx.ModelProto)
    _keep_constants(proto.graph, function.get_concrete_function().graph.captures)
    return proto


def _keep_constants(graph: onnx.GraphProto, captures: Iterable[tuple[Any, Any]]) -> None:
    """Put in the tensors that a layer holds outside of its weights, as Normalization its mean.

    tf2onnx 1.17 takes them for further inputs of the model, also those that it has put into
    constants itself, which no node reads any more. ``captures`` are pairs: the tensor, and what
    stands for it in the graph.
    """
    from onnx import numpy_helper

    held, read = {inner.name: outer for outer, inner in captures}, _read(graph)
    for value in [value for value in graph.input if value.name in held]:
        graph.input.remove(value)
        if value.name in read:
            array = np.asarray(held[value.name].numpy())
            graph.initializer.append(numpy_helper.from_array(array, value.name))


def _read(graph: onnx.GraphProto) -> set[str]:
    """The names of all values that a node reads, those of loops and branches included."""
    names = {name for node in graph.node for name in node.input}
    inner = (attribute.g for node in graph.node for attribute in node.attribute)
    return names.union(*(_read(body) for body in inner))


def _name_output(graph: onnx.GraphProto, name: str) -> None:
    """Rename the graph's output, which tf2onnx calls ``Identity:0``."""
    (output,) = graph.output
    for node in graph.node:
        node.output[:] = [name if value == output.name else value for value in node.output]
    output.name = name


def onnx_predictor(proto: bytes) -> Predict:
    """A function from (N, H, W) uint8 grey images to (N, K) float32 by onnxruntime on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(proto, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def predict(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        inputs = images.astype(np.float32)[..., None]
        batches = [
            session.run(None, {name: inputs[start : start + _BATCH]})[0]
            for start in range(0, len(inputs), _BATCH)
        ]
        return np.concatenate(batches).astype(np.float32)

    return predict


def compare(expected: npt.NDArray[np.float32], actual: npt.NDArray[np.float32]) -> Parity:
    """Compare two (N, K) float32 outputs.

    Two different top labels count as a disagreement only when ``expected`` tells them apart by
    more than the tolerated difference; closer scores are a tie.
    """
    rows = np.arange(len(expected))
    margin = expected[rows, expected.argmax(axis=1)] - expected[rows, actual.argmax(axis=1)]
    return Parity(
        images=len(expected),
        max_difference=float(np.abs(expected - actual).max()),
        disagreements=int((margin > MAX_DIFFERENCE).sum()),
    )


def require_parity(parity: Parity) -> None:
    """Raise ModelError when the exported model is not the trained one."""
    if parity.max_difference <= MAX_DIFFERENCE and parity.disagreements == 0:
        return
    raise ModelError(
        f"the ONNX model differs from the Keras model by up to {parity.max_difference:.2g} and on "
        f"{parity.disagreements} of {parity.images} labels; expected at most {MAX_DIFFERENCE:g} "
        "and none; try other versions of tensorflow and tf2onnx, then the command again (train: "
        "with --resume)"
    )


def check_out(out: Path, source: Path) -> None:
    """Raise ConfigError, before any work, for an ``out`` that is ``source`` or has no folder."""
    if out.resolve() == source.resolve():
        raise ConfigError(f"--out is {out}, the model itself; expected another file")
    require_folder(out)
