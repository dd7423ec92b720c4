"""How fast this machine trains each network, and what its layers of normalisation cost.

    python benchmarks/training.py [--rounds N]

First the networks: one step of each one's recipe (forwards, backwards, the weights changed) on a
batch of noise, in what `fer-stream train` computes in here and in float32. Then one normalisation
of a batch as large as the first of `mirror-resnet`, forwards and backwards: by Keras's own layer,
by TensorFlow's one operation, and by that for channels in pairs, as 24 of a picture twice as wide
and as the 48 that they are. All rows of a table take turns in one process; medians over the rounds.
The changes to the faces and what a run's teachers say of them come on top.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from fer_stream_training.architectures import ARCHITECTURES
from fer_stream_training.needs import require_tensorflow
from fer_stream_training.processor import compute_dtype, processor_name
from fer_stream_training.quiet import import_keras
from fer_stream_training.recipes import settings_from
from fer_stream_training.settings import TrainingSettings
from fer_stream_training.tables import markdown_table
from fer_stream_training.trainer import compiled_model

from fer_stream.words import counted

BATCH = 128  # faces of the normalisations' batches
FACES = 28_709  # of FER-2013's Training
Call = Callable[[], object]


def step(settings: TrainingSettings, dtype: str) -> Call:
    """Return one step of a training by ``settings`` in the Keras policy ``dtype``."""
    count = settings.batch_size
    random = np.random.default_rng(0)
    faces = random.uniform(0, 255, (count, 48, 48, 1)).astype(np.float32)
    targets = np.eye(7, dtype=np.float32)[random.integers(0, 7, count)]
    model = compiled_model(settings, 7, (48, 48), dtype)
    return lambda: model.train_on_batch(faces, targets)


def normalisation(layer: Any, shape: tuple[int, ...]) -> Call:
    """Return one pass of ``layer`` over a batch of ``shape``, forwards and backwards."""
    import tensorflow as tf

    batch = tf.cast(tf.random.normal(shape, seed=0), tf.bfloat16)
    layer.build(shape)

    def both_ways() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(batch)
            answer = layer(batch, training=True)
        sources = [batch, *(weight.value for weight in layer.trainable_weights)]
        return tape.gradient(answer, sources, output_gradients=batch)

    compiled = tf.function(both_ways)
    return lambda: [np.asarray(gradient[..., :1]) for gradient in compiled()]


def normalisations() -> dict[str, Call]:
    import keras
    from fer_stream_training.batch_norm import batch_normalization
    from fer_stream_training.mirror import pair_normalization

    dtype, shape, wide = "mixed_bfloat16", (BATCH, 48, 48, 48), (BATCH, 48, 96, 24)
    return {
        "Keras's own layer": normalisation(keras.layers.BatchNormalization(dtype=dtype), shape),
        "one operation": normalisation(batch_normalization(dtype), shape),
        "one operation, pairs side by side": normalisation(batch_normalization(dtype), wide),
        "one operation, pairs as they are": normalisation(pair_normalization(dtype), shape),
    }


def in_turns(calls: dict[str, Call], rounds: int) -> dict[str, float]:
    """Return the median seconds of each call; the first two of each compile and are left out."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds + 2):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - started)
    return {name: statistics.median(each[2:]) for name, each in times.items()}


def networks_table(rounds: int) -> str:
    dtype = compute_dtype()
    table = []
    for arch in ARCHITECTURES:
        settings = settings_from(None, {"arch": arch})
        seconds = in_turns({kind: step(settings, kind) for kind in {dtype, "float32"}}, rounds)
        each = seconds[dtype] / settings.batch_size
        epoch = each * FACES
        hours = epoch * settings.epochs / 3600
        ratio = f"{seconds['float32'] / seconds[dtype]:.1f}"
        table.append([arch, f"{1 / each:.0f}", f"{epoch:.0f}", f"{hours:.1f}", ratio])
    header = ["network", "faces/s", "s an epoch", "hours of its recipe", "times float32's speed"]
    return markdown_table(header, table)


def normalisations_table(rounds: int) -> str:
    seconds = in_turns(normalisations(), rounds)
    fastest = min(seconds.values())
    table = [[what, f"{1e3 * s:.1f}", f"{s / fastest:.1f}"] for what, s in seconds.items()]
    return markdown_table(["normalisation", "ms", "times the fastest"], table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    require_tensorflow()
    import_keras()
    print(f"{processor_name()}, {compute_dtype()}\n")
    print(networks_table(rounds))
    print()
    print(normalisations_table(rounds))
    print(f"\nMedians of {counted(rounds, 'round')}.")


if __name__ == "__main__":
    main()
