"""Loading Keras without the notes that TensorFlow prints as it is loaded."""

from __future__ import annotations

import os
from pathlib import Path


def import_keras() -> None:
    """Import Keras and the library it computes with; their start-up notes look like failures.

    TensorFlow 2.21 prints them whatever ``TF_CPP_MIN_LOG_LEVEL`` says, straight to the process's
    standard error. A real failure raises, and is seen.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    standard_error = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        import keras  # noqa: F401
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)
