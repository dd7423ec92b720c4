"""What a command needs that is not installed with this package by itself."""

from __future__ import annotations

import importlib.util

from fer_stream.errors import ConfigError

_PACKAGES = ("tensorflow", "tf2onnx", "onnx")


def require_tensorflow() -> None:
    """Raise ConfigError when TensorFlow or what turns its models into ONNX is not installed."""
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"this command needs {', '.join(missing)}, which fer-stream-training does not bring by "
            'itself; install with: pip install "fer-stream-training[tensorflow]"'
        )
