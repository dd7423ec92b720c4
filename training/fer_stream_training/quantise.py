"""The int8 twin of a model file: the same network in whole numbers, smaller and faster on a CPU.

Static quantisation in QDQ form: activations uint8 by one range per tensor, which training faces
give; weights int8 per channel, in 7 bits of them, because CPUs without VNNI add two products in 16
bits, which would overflow.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_stream.errors import ConfigError, ModelError
from fer_stream.models.info import PREFIX, Layout, ModelInfo
from fer_stream.words import counted

from .metadata import ModelMetadata
from .temporary import temporary_folder

if TYPE_CHECKING:
    import onnx

FACES = 1024
_AT_ONCE = 64  # faces; the activations of all of them are held in memory
# Of the values of an activation; the rare ones beyond would make the steps coarse for all others.
_PERCENTILE = 99.999
_OLDEST_OPSET = 13  # the first that quantises per channel
_COPIES = 3  # of the model that there must be room for; a little more than two are there at once
_FEWEST_LAYERS = 3  # of weights: the first and the last are not quantised


class _Faces:
    """Calibration faces in the form that onnxruntime asks for."""

    def __init__(self, name: str, inputs: npt.NDArray[np.float32]) -> None:
        self._name = name
        self._inputs = inputs
        self.set_range(0, len(inputs))

    def __len__(self) -> int:
        return len(self._inputs)

    def set_range(self, start_index: int, end_index: int) -> None:
        self._left = [self._inputs[start_index:end_index]]

    def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
        return {self._name: self._left.pop()} if self._left else None


def require_onnx() -> None:
    """Raise ConfigError where the onnx package is missing."""
    try:
        import onnx  # noqa: F401
    except ImportError:
        raise ConfigError("quantising needs the onnx package: pip install onnx") from None


def require_quantisable(info: ModelInfo) -> None:
    """Raise ModelError for a model file that ``quantised`` can do nothing with."""
    import onnx

    model = onnx.load(info.path)
    opset = max(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    if any(node.op_type in ("QuantizeLinear", "QLinearConv") for node in model.graph.node):
        raise ModelError(f"model {info.path} is quantised already; expected a float32 one")
    if opset < _OLDEST_OPSET:
        raise ModelError(
            f"model {info.path} has opset {opset}; expected {_OLDEST_OPSET} or later; "
            "export it again with a newer one"
        )
    if (heavy := len(_heavy(model.graph))) < _FEWEST_LAYERS:
        raise ModelError(
            f"model {info.path} has {counted(heavy, 'layer')} of weights; expected three or more, "
            "for the first and the last are not quantised; keep it as it is"
        )


def quantised(info: ModelInfo, images: npt.NDArray[np.uint8]) -> onnx.ModelProto:
    """The int8 twin of the model file that ``info`` describes, without metadata.

    ``images`` is (N, H, W) uint8 grey, as the model takes them; FACES of them are drawn, always
    the same. Raises ConfigError without room for temporary files.
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    with temporary_folder(_COPIES * onnx.load(info.path).ByteSize()) as folder:
        prepared, result = folder / "prepared.onnx", folder / "int8.onnx"
        model = _prepared(info, prepared)
        reader = _Faces(model.graph.input[0].name, _drawn(images, info.layout))
        # It prints what it is doing.
        with contextlib.redirect_stdout(io.StringIO()):
            quantize_static(
                prepared,
                result,
                reader,
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
                reduce_range=True,
                nodes_to_exclude=_float_nodes(model.graph),
                calibrate_method=CalibrationMethod.Percentile,
                extra_options={
                    "CalibPercentile": _PERCENTILE,
                    "CalibStridedMinMax": min(_AT_ONCE, len(reader)),
                },
            )
        twin = onnx.load(result)
    drop_unused_domains(twin)
    assert isinstance(twin, onnx.ModelProto)
    return twin


def write_twin_metadata(
    twin: onnx.ModelProto, original: onnx.ModelProto, metadata: ModelMetadata
) -> None:
    """Give ``twin`` what ``original`` says of itself, except for what was measured anew."""
    import onnx

    measured = {"name", "accuracy", "temperature", "uncertain_below", "exporter"}
    kept = {
        entry.key: entry.value
        for entry in original.metadata_props
        if entry.key.removeprefix(PREFIX) not in measured
    }
    onnx.helper.set_model_props(twin, metadata.as_properties() | kept)


def _prepared(info: ModelInfo, out: Path) -> onnx.ModelProto:
    """Write the model with constants and normalisation folded, and its shapes known, to ``out``."""
    import onnx
    from onnxruntime.quantization.shape_inference import quant_pre_process

    quant_pre_process(info.path, out, skip_symbolic_shape=True)
    model = onnx.load(out)
    fold_pooling(model.graph)
    for index, node in enumerate(model.graph.node):
        node.name = node.name or f"node_{index}"
    onnx.save(model, out)
    return model


def _drawn(images: npt.NDArray[np.uint8], layout: Layout) -> npt.NDArray[np.float32]:
    """FACES of the images as the model's input, or all if there are fewer."""
    count = min(FACES, len(images))
    count -= count % min(_AT_ONCE, count)  # onnxruntime wants whole batches
    chosen = np.random.default_rng(0).choice(len(images), count, replace=False)
    inputs = images[chosen].astype(np.float32)
    match layout:
        case "NHWC":
            return inputs[..., None]
        case "NCHW":
            return inputs[:, None]
        case "NHW":
            return inputs


def _float_nodes(graph: onnx.GraphProto) -> list[str]:
    """The nodes to leave in float32, by name: first layer and last, and what is before and after.

    Quantised, the first convolution alone loses 0.3 points of accuracy and is slower, for it has
    one channel; the last multiplication and the softmax cost next to nothing.
    """
    heavy = _heavy(graph)
    return [node.name for i, node in enumerate(graph.node) if i <= heavy[0] or i >= heavy[-1]]


def _heavy(graph: onnx.GraphProto) -> list[int]:
    """The places of the nodes that multiply by weights."""
    kinds = ("Conv", "MatMul", "Gemm")
    return [i for i, node in enumerate(graph.node) if node.op_type in kinds]


def fold_pooling(graph: onnx.GraphProto) -> None:
    """Turn an average over squares and the 1x1 convolution after it into one convolution.

    That is the same sum. onnxruntime's average of uint8 takes longer than a block of convolutions.
    """
    from onnx import helper, numpy_helper

    initializers = {entry.name: entry for entry in graph.initializer}
    for pool in [node for node in graph.node if node.op_type == "AveragePool"]:
        users = [node for node in graph.node if pool.output[0] in node.input]
        if len(users) != 1 or not _is_pointwise(users[0]) or not _tiles(pool, graph):
            continue
        convolution, size = users[0], _attributes(pool)["kernel_shape"]
        weights = numpy_helper.to_array(initializers[convolution.input[1]])
        spread = np.tile(weights / np.prod(size), (1, 1, *size)).astype(np.float32)
        name = f"{convolution.input[1]}/pooled/{pool.output[0]}"
        graph.initializer.append(numpy_helper.from_array(spread, name))
        convolution.input[:2] = [pool.input[0], name]
        del convolution.attribute[:]
        convolution.attribute.extend(
            [helper.make_attribute("kernel_shape", size), helper.make_attribute("strides", size)]
        )
        graph.node.remove(pool)
    used = {name for node in graph.node for name in node.input}
    for entry in [entry for entry in graph.initializer if entry.name not in used]:
        graph.initializer.remove(entry)


def _is_pointwise(node: onnx.NodeProto) -> bool:
    values = _attributes(node)
    return (
        node.op_type == "Conv"
        and values.get("kernel_shape") == [1, 1]
        and values.get("strides", [1, 1]) == [1, 1]
        and values.get("group", 1) == 1
        and not any(values.get("pads", []))
    )


def _tiles(pool: onnx.NodeProto, graph: onnx.GraphProto) -> bool:
    """Whether the pooled squares lie side by side and none reaches over the picture's edge."""
    values = _attributes(pool)
    size = values["kernel_shape"]
    if values.get("strides") != size or values.get("ceil_mode") or any(values.get("pads", [])):
        return False
    if values.get("auto_pad", b"NOTSET") in (b"NOTSET", b"VALID"):
        return True
    for value in graph.value_info:
        if value.name == pool.input[0]:
            sides = [side.dim_value for side in value.type.tensor_type.shape.dim[2:]]
            return all(side and side % step == 0 for side, step in zip(sides, size, strict=True))
    return False


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    from onnx import helper

    return {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}


def drop_unused_domains(model: onnx.ModelProto) -> None:
    """Unname the operator sets that onnxruntime's optimiser knows and the model does not use.

    Another version of onnxruntime refuses sets that it does not know.
    """
    used = {node.domain for node in model.graph.node} | {""}
    kept = [entry for entry in model.opset_import if entry.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
