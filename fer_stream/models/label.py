"""Giving a model file the metadata that it lacks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fer_stream.errors import ConfigError, ModelError
from fer_stream.labels import naming_problem
from fer_stream.models.info import PREFIX, load_session
from fer_stream.models.network import Network
from fer_stream.models.output import require_folder, unfinished

if TYPE_CHECKING:
    import onnx


def label_names(text: str) -> tuple[str, ...]:
    """The names in what `--labels` was given; raises `ConfigError` for one that no label has."""
    names = tuple(part.strip() for part in text.split(","))
    if problem := naming_problem(names):
        raise ConfigError(
            f"--labels is {text!r}: {problem}; separate them by commas, as in angry,happy,neutral"
        )
    return names


def write_labelled(path: Path, labels: Sequence[str], out: Path) -> None:
    """Write a copy of an ONNX file with its labels; needs the `onnx` package.

    `out` is written when the copy can be used, and left as it was otherwise. Raises `ModelError`
    for a file that cannot be read or run, or labels that do not fit, `ConfigError` without `onnx`
    and for an `out` that cannot be written.
    """
    model = _loaded(path)
    key = f"{PREFIX}labels"
    kept = [entry for entry in model.metadata_props if entry.key != key]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    entry = model.metadata_props.add()
    entry.key, entry.value = key, json.dumps(list(labels))
    require_folder(out)
    with unfinished(out) as copy:
        copy.write_bytes(model.SerializeToString())
        Network(path, load_session(copy))  # messages name the file that was given


def _loaded(path: Path) -> onnx.ModelProto:
    try:
        import onnx
    except ImportError:
        raise ConfigError("labelling a model needs the onnx package: pip install onnx") from None
    try:
        return onnx.load(path)
    except OSError as error:
        raise ModelError(
            f"cannot read {path}: {error.strerror}; give the path of an ONNX file"
        ) from None
    except Exception as error:  # protobuf's errors share no base class but Exception
        raise ModelError(f"cannot load model {path}: {error}; expected an ONNX file") from None
