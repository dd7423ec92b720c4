"""The models that ship with the package, and what any model file says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from fer_stream.errors import ModelError
from fer_stream.urls import path_target

_FOLDER = Path(__file__).parent

DEFAULT_MODEL = _FOLDER / "default.onnx"
"""The model that runs unless another is named: the int8 twin of the float32 one."""

FACE_MODEL = _FOLDER / "face.onnx"
"""The face detector that runs unless another is named."""

SHIPPED = {"default": DEFAULT_MODEL, "default-float32": _FOLDER / "default-float32.onnx"}
"""Every name that stands for an emotion model of this package."""


def model_path(target: str, named: Mapping[str, Path] = SHIPPED) -> Path:
    """Return the file of one of the names, or else of `PATH`; raises `ModelError` without one."""
    return named.get(target) or _own_model(target, f"an ONNX file, or {_either(named)}")


def face_model_path(target: str) -> Path:
    """Return the file of `PATH`, or of the face detector that ships when there is none."""
    return _own_model(target, "a face detector's ONNX file") if target else FACE_MODEL


def require_file(path: Path, expected: str) -> None:
    """Raise `ModelError` unless `path` is a file; `expected` says of what kind."""
    problem = f"no such model: {path}"
    try:
        if path.is_file():
            return
    except OSError as error:  # its folder may not be entered, or no name is as long
        problem = f"cannot read model {path}: {error.strerror}"
    raise ModelError(f"{problem}; give the path of {expected}")


def _own_model(target: str, expected: str) -> Path:
    path = Path(path_target("model", target, f"the path of {expected}"))
    require_file(path, expected)
    return path


def _either(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}"
