"""Giving a model file the metadata that it lacks."""

from __future__ import annotations

import json
from pathlib import Path

from fer_stream.errors import ConfigError, ModelError
from fer_stream.models.info import PREFIX


def write_labelled(path: Path, labels: list[str], out: Path) -> None:
    """Write a copy of an ONNX file with its labels; needs the `onnx` package.

    Raises `ModelError` when the file cannot be read, `ConfigError` without `onnx`.
    """
    try:
        import onnx
    except ImportError:
        raise ConfigError("labelling a model needs the onnx package: pip install onnx") from None
    try:
        model = onnx.load(path)
    except OSError as error:
        raise ModelError(
            f"cannot read {path}: {error.strerror}; give the path of an ONNX file"
        ) from None
    except Exception as error:  # protobuf's errors share no base class but Exception
        raise ModelError(f"cannot load model {path}: {error}; expected an ONNX file") from None
    key = f"{PREFIX}labels"
    kept = [entry for entry in model.metadata_props if entry.key != key]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    entry = model.metadata_props.add()
    entry.key, entry.value = key, json.dumps(labels)
    try:
        onnx.save(model, out)
    except OSError as error:
        raise ConfigError(f"cannot write {out}: {error.strerror}") from None
