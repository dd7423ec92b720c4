"""Milliseconds per face of the well-known demo's network in Keras and of the models that ship.

    python benchmarks/classifiers.py [--rounds N]

The demo CNN (four convolutions, 2.3 M weights; untrained, which costs the same) is called as the
demo calls it, with Keras `predict` on one face, in Keras's two faster ways, and by onnxruntime; the
shipped models as a run of fer-stream calls them: one thread that sleeps when idle. All take turns
in one process. The medians over the rounds are printed, and those of the ratios to the demo's way
within each round. Without TensorFlow, the demo's rows are left out.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime as ort
from fer_stream_training.needs import require_tensorflow
from fer_stream_training.quiet import import_keras
from fer_stream_training.tables import markdown_table

from fer_stream.errors import ConfigError
from fer_stream.models import model_path
from fer_stream.models.info import load_session
from fer_stream.words import counted

Row = tuple[str, int, Callable[[], object]]
"""What is called, the faces in one call, and the call."""

DEMOS_WAY = "demo CNN, Keras predict"
ROUND_S = 0.2  # of calls in each row's turn
SIZE = 48


def faces(count: int) -> np.ndarray:
    """Return (count, 48, 48, 1) float32 noise, 0..255; what is in a picture costs nothing."""
    return np.random.default_rng(0).uniform(0, 255, (count, SIZE, SIZE, 1)).astype(np.float32)


def demo_rows() -> list[Row]:
    """Return the demo CNN's rows; raises ConfigError without TensorFlow."""
    require_tensorflow()
    import_keras()
    import keras
    from fer_stream_training.architectures import ARCHITECTURES
    from fer_stream_training.export import to_onnx

    keras.utils.set_random_seed(0)
    model = ARCHITECTURES["demo-cnn"](7, (SIZE, SIZE), "float32")
    face = faces(1)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "demo.onnx"
        path.write_bytes(to_onnx(model).SerializeToString())
        plain, quiet = ort.InferenceSession(path), load_session(path)
    return [
        (DEMOS_WAY, 1, lambda: model.predict(face, verbose=0)),
        ("demo CNN, Keras predict_on_batch", 1, lambda: model.predict_on_batch(face)),
        ("demo CNN, Keras model(x)", 1, lambda: np.asarray(model(face, training=False))),
        session_row("demo CNN, onnxruntime, its defaults", plain, 1),
        session_row("demo CNN, onnxruntime, one thread", quiet, 1),
    ]


def session_row(what: str, session: ort.InferenceSession, at_once: int) -> Row:
    name, batch = session.get_inputs()[0].name, faces(at_once)
    return what, at_once, lambda: session.run(None, {name: batch})


def our_rows() -> list[Row]:
    return [
        session_row(name, load_session(model_path(name)), at_once)
        for name in ("default-float32", "default")
        for at_once in (1, 16)
    ]


def ms_per_face(row: Row) -> float:
    _, at_once, call = row
    started, calls = time.perf_counter(), 0
    while (passed := time.perf_counter() - started) < ROUND_S:
        call()
        calls += 1
    return 1000 * passed / calls / at_once


def measure(rows: list[Row], rounds: int) -> list[list[float]]:
    """Return milliseconds per face, a list of the rounds for each row."""
    for row in rows:  # the first calls load and compile
        ms_per_face(row)
    turns = [[ms_per_face(row) for row in rows] for _ in range(rounds)]
    return [list(times) for times in zip(*turns, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    rows = our_rows()
    try:
        rows = demo_rows() + rows
    except ConfigError as error:
        print(f"without the demo's rows: {error}\n")
    times = measure(rows, rounds)
    base = times[0]
    table = []
    for (what, at_once, _), row in zip(rows, times, strict=True):
        ratio = statistics.median(b / ms for b, ms in zip(base, row, strict=True))
        table.append([what, str(at_once), f"{statistics.median(row):.2f}", f"{ratio:.1f}"])
    header = ["classifier", "faces at once", "ms per face", f"times as fast as {rows[0][0]}"]
    print(markdown_table(header, table))
    print(f"\nMedians of {counted(rounds, 'round')}.")


if __name__ == "__main__":
    main()
