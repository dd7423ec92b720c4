"""What an ONNX model file says of itself: its metadata and the shapes of its graph."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import onnxruntime as ort

from fer_stream.errors import ModelError
from fer_stream.labels import naming_problem
from fer_stream.models import require_file
from fer_stream.words import counted

PREFIX = "fer_stream."
"""Begins every metadata key of ours."""

Layout = Literal["NHWC", "NCHW", "NHW"]


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model, described by itself."""

    path: Path
    name: str
    labels: tuple[str, ...]
    height: int
    width: int
    layout: Layout
    sha256: str
    size_bytes: int
    temperature: float | None = None
    """Divides the logits: above 1 the scores are less sure than the network's own; None: not said,
    and nothing is divided."""
    uncertain_below: float = 0.0
    """Highest score, 0..1, under which the answer is more likely wrong than right; 0: not said."""
    trained_on: str = ""
    accuracy: Mapping[str, Any] | None = None
    """`{"data": ..., "images": ..., "accuracy": 0..1}`."""
    exporter: str = ""


def load_session(path: Path) -> ort.InferenceSession:
    """Load a model file; raises `ModelError` when it is missing or not an ONNX model."""
    require_file(path, "an ONNX file")
    options = ort.SessionOptions()
    # One thread that sleeps when idle costs the least CPU, and the run has other threads.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Learning which memory a size of input takes holds it twice: 8 MB, and no call is faster.
    options.enable_mem_pattern = False
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no base class but Exception
        raise ModelError(
            f"cannot load model {path}: {load_reason(error)}; expected a whole ONNX file"
        ) from None


def load_reason(error: Exception) -> str:
    """Return why onnxruntime cannot load a model, without its codes."""
    # "[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : Load model from ... failed:..."
    return " ".join(str(error).rpartition(" : ")[2].split())[:200].rstrip(".")


@contextmanager
def first_run(path: Path) -> Iterator[None]:
    """Run a model's session for the first time in a block; raises `ModelError` if it cannot be.

    Whoever loads a model does it at once: such a file is to be known before a source is opened.
    """
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # onnxruntime's errors share no base class but Exception
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"model {path} cannot be run: {reason}") from None


def own_metadata(session: ort.InferenceSession) -> dict[str, str]:
    """What a model's file says of itself to fer-stream, by key without the prefix."""
    metadata = session.get_modelmeta().custom_metadata_map
    return {k.removeprefix(PREFIX): v for k, v in metadata.items() if k.startswith(PREFIX)}


def describe(path: Path, session: ort.InferenceSession) -> ModelInfo:
    """Read a model's own description; raises `ModelError` when it is none that we can run."""
    own = own_metadata(session)
    if "cells" in own:
        raise ModelError(
            f"model {path} is a face detector; expected one that reads emotions; use it as "
            f"--detector onnx:{path}"
        )
    if "check" in own:
        raise ModelError(
            f"model {path} belongs to a face detector; expected one that reads emotions; "
            "--detector onnx:PATH uses it by itself"
        )
    layout, height, width = _input_shape(path, session)
    labels = _labels(path, own)
    _check_output(path, session, len(labels))
    data = path.read_bytes()
    return ModelInfo(
        path=path,
        name=own.get("name", path.stem),
        labels=labels,
        height=height,
        width=width,
        layout=layout,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        temperature=_temperature(path, own),
        uncertain_below=_uncertain_below(path, own),
        trained_on=own.get("trained_on", ""),
        accuracy=_json(path, own, "accuracy"),
        exporter=own.get("exporter", ""),
    )


def _json(path: Path, own: Mapping[str, str], key: str) -> Any:
    if key not in own:
        return None
    try:
        return json.loads(own[key])
    except json.JSONDecodeError:
        raise ModelError(f"model {path}: metadata '{PREFIX}{key}' is not valid JSON") from None


def _labels(path: Path, own: Mapping[str, str]) -> tuple[str, ...]:
    labels = _json(path, own, "labels")
    if not labels:
        raise ModelError(
            f"model {path} does not name its labels; expected metadata '{PREFIX}labels'; add it "
            f"with: fer-stream models label {path} --labels angry,disgusted,... --out NEW.onnx"
        )
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise ModelError(f"model {path}: '{PREFIX}labels' must be a JSON list of names")
    if problem := naming_problem(labels):
        raise ModelError(
            f"model {path}: {problem}; give it other names with: fer-stream models label {path} "
            "--labels ... --out NEW.onnx"
        )
    return tuple(labels)


def _temperature(path: Path, own: Mapping[str, str]) -> float | None:
    if "temperature" not in own:
        return None
    try:
        temperature = float(own["temperature"])
    except ValueError:
        temperature = 0.0
    if not 0 < temperature < math.inf:
        raise ModelError(f"model {path}: '{PREFIX}temperature' must be a number above 0")
    return temperature


def _uncertain_below(path: Path, own: Mapping[str, str]) -> float:
    try:
        score = float(own.get("uncertain_below", "0"))
    except ValueError:
        score = -1.0
    if not 0 <= score <= 1:
        raise ModelError(f"model {path}: '{PREFIX}uncertain_below' must be a number from 0 to 1")
    return score


def _input_shape(path: Path, session: ort.InferenceSession) -> tuple[Layout, int, int]:
    inputs = session.get_inputs()
    shape = list(inputs[0].shape) if inputs else []
    expected = "expected one float32 input of grey faces, (N, H, W, 1), (N, 1, H, W) or (N, H, W)"
    if len(inputs) == 1 and inputs[0].type == "tensor(float)":
        match shape:
            case [None | str(), int(height), int(width), 1]:
                return "NHWC", height, width
            case [None | str(), 1, int(height), int(width)]:
                return "NCHW", height, width
            case [None | str(), int(height), int(width)]:
                return "NHW", height, width
    takes = " and ".join(f"{i.type} {list(i.shape)}" for i in inputs) or "nothing"
    raise ModelError(f"model {path} takes {takes}; {expected} with any number N of faces")


def _check_output(path: Path, session: ort.InferenceSession, count: int) -> None:
    shape = session.get_outputs()[0].shape
    if len(shape) != 2 or shape[1] != count:
        raise ModelError(
            f"model {path} names {counted(count, 'label')} but gives an output of shape {shape}; "
            f"expected (N, {count}), a label for each score"
        )
