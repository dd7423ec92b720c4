"""What a command needs that is not installed with this package by itself."""

from __future__ import annotations

import importlib.util

from fer_stream.errors import ConfigError

_OF_TENSORFLOW = ("tensorflow", "tf2onnx", "onnx")
_OF_JAX = ("jax", "keras")


def require_tensorflow() -> None:
    """Raise ConfigError when TensorFlow or what turns its models into ONNX is not installed."""
    _require(_OF_TENSORFLOW, "tensorflow")


def require_jax() -> None:
    """Raise ConfigError when JAX or Keras is not installed."""
    _require(_OF_JAX, "jax")


def _require(packages: tuple[str, ...], extra: str) -> None:
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"this command needs {', '.join(missing)}, which fer-stream-training does not bring by "
            f'itself; install with: pip install "fer-stream-training[{extra}]"'
        )
