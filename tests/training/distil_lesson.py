"""Run as a program, for Keras computes with one library in a process: a network that is taught by
two constant teachers, and prints what it says at the end, and what came of its average."""

from __future__ import annotations

import sys

from fer_stream_training.quiet import import_keras_on_jax

import_keras_on_jax()

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
from fer_stream_training.distil.lesson import (  # noqa: E402
    Material,
    Strength,
    beginning,
    epoch_of,
    scores_of,
    stacked,
    variables_of,
)
from fer_stream_training.distil.settings import read_settings  # noqa: E402


def network() -> keras.Model:
    grey = keras.Input((48, 48, 1))
    x = keras.layers.AveragePooling2D(16)(keras.layers.Rescaling(1 / 255)(grey))
    x = keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(x))
    return keras.Model(grey, x)


def saying(scores: list[float]) -> keras.Model:
    model = network()
    *_, kernel, bias = model.weights
    kernel.assign(np.zeros(kernel.shape))
    bias.assign(np.log(scores))
    return model


share = float(sys.argv[1])
teachers = [saying(scores) for scores in ([0.1, 0.2, 0.7], [0.5, 0.4, 0.1])]
model = network()
faces = np.random.default_rng(0).integers(0, 256, (64, 48, 48), np.uint8)
labels = np.eye(3, dtype=np.float32)[np.zeros(64, int)]
material = Material(
    jnp.asarray(faces), jnp.asarray(labels), stacked([variables_of(one) for one in teachers])
)
epoch = epoch_of(model, teachers[0], read_settings(None, None, None))
progress = beginning(variables_of(model))
strength = Strength(*[jnp.float32(value) for value in (0, 0, 0, 0, share)])
for number in range(60):
    random = np.random.default_rng(number)
    order = jnp.asarray(random.permutation(64).reshape(8, 8))
    rates = jnp.full(8, 0.01)
    progress, *_ = epoch(progress, material, strength, jax.random.key(number), order, rates)
scores = scores_of(model)
for variables in (progress.variables, progress.average):
    print(*scores(variables, jnp.asarray(faces)).mean(axis=0))
