"""Loading Keras and converting its models without the notes that TensorFlow prints meanwhile."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def import_keras() -> None:
    """Import Keras and the library it computes with; their start-up notes look like failures."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with silenced():
        import keras  # noqa: F401


def import_keras_on_jax() -> None:
    """The same, with JAX as what it computes with; Keras decides once in a process."""
    os.environ["KERAS_BACKEND"] = "jax"
    import_keras()
    if importlib.util.find_spec("tensorflow"):  # Keras would load it later, and not in silence
        with silenced():
            import tensorflow  # noqa: F401


@contextmanager
def silenced() -> Iterator[None]:
    """A block in which nothing reaches standard error; a real failure raises, and is seen.

    TensorFlow prints some of its notes straight there, whatever ``TF_CPP_MIN_LOG_LEVEL`` says:
    2.21 as it is loaded, 2.18 and 2.19 also as a model is converted.
    """
    standard_error = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)
