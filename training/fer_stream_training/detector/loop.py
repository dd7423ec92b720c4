"""Training the detector, epoch by epoch, from where an earlier run stopped."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_stream.errors import ConfigError

from ..checkpoint import opened_arrays
from ..divergence import require_number
from ..files import replacing
from ..growth import grown
from ..processor import compute_dtype
from .batches import batches
from .checkpoint import Checkpoint
from .scenes import Material
from .schedule import rise_and_fall
from .settings import DetectorSettings

if TYPE_CHECKING:
    import keras

Report = Callable[[int, float], None]
"""Told the finished epochs and the last one's mean loss."""


def train(
    material: Material,
    checkpoint: Checkpoint,
    start: Path | None,
    report: Report,
) -> keras.Model:
    """Train on from `checkpoint`, keeping each epoch; returns the model with averaged weights.

    `start` is a file of weights to begin with.
    """
    import keras

    from .loss import detection_loss
    from .network import build

    settings, done = checkpoint.settings, checkpoint.finished
    keras.utils.set_random_seed(settings.seed)
    model = build(compute_dtype())
    if start:
        load_weights(model, start)
    model.compile(_optimizer(settings), detection_loss)
    model.optimizer.build(model.trainable_variables)
    if done:
        checkpoint.restore(model)
    else:
        checkpoint.begin()
    with batches(material, settings, done * settings.steps) as source:
        for epoch in range(done, settings.epochs):
            loss = float(np.mean([_step(model, *next(source)) for _ in range(settings.steps)]))
            require_number(loss, epoch + 1)
            checkpoint.keep(model, epoch + 1)
            report(epoch + 1, loss)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    return model


def _step(model: keras.Model, *batch: np.ndarray) -> float:
    """Learn from a batch; returns its loss."""
    # Some versions of Keras keep a running mean from step to step, some start anew.
    model.reset_metrics()
    return float(model.train_on_batch(*batch))


def _optimizer(settings: DetectorSettings) -> Any:
    import keras

    return keras.optimizers.AdamW(
        rise_and_fall(settings.lr, settings.epochs * settings.steps),
        weight_decay=settings.weight_decay,
        clipnorm=5.0,
        use_ema=True,
        ema_momentum=settings.average,
        ema_overwrite_frequency=None,
    )


def save_weights(model: keras.Model, path: Path) -> None:
    """Write a model's weights, for `load_weights`."""
    with replacing(path) as temporary:
        np.savez(temporary, *model.get_weights())


def load_weights(model: keras.Model, path: Path) -> None:
    """Give a model the weights of a file, or of a narrower network's.

    Raises ConfigError when they are another network's.
    """
    try:
        with opened_arrays(path) as stored:
            values = [stored[f"arr_{i}"] for i in range(len(stored.files))]
        # As they are if they cannot be grown, for Keras to say what is wrong.
        model.set_weights(grown(values, model.get_weights()) or values)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ConfigError(
            f"{path} does not hold the weights of this network ({error}); expected those of an "
            "earlier train-detector; check --earlier"
        ) from None
