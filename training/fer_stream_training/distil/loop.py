"""Training one network of a distillation from random weights to its last epoch."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from ..checkpoint import EpochRecord
from ..data import Dataset
from ..divergence import require_number
from ..evaluation import evaluate
from ..schedule import augmentation_strength, learning_rate
from .faces import Array
from .lesson import (
    Material,
    Progress,
    Strength,
    Variables,
    beginning,
    epoch_of,
    scores_of,
    variables_of,
)
from .settings import DistilSettings

if TYPE_CHECKING:
    import keras

_WARM_UP_EPOCHS = 5.0  # twice the rate of a CPU's smaller batches

Report = Callable[[list[EpochRecord]], None]
"""Hears of all finished epochs after each."""


@dataclass(frozen=True, slots=True)
class Task:
    """What one network is to do: ``share`` of its target is what the material's teachers say."""

    epochs: int
    seed: int
    material: Material
    share: float


class Trainer:
    """Trains networks of one build; two of them are compiled once.

    ``build`` makes one, ``teacher`` is any network of the teachers' build.
    """

    def __init__(
        self,
        build: Callable[[], keras.Model],
        teacher: keras.Model,
        data: Dataset,
        settings: DistilSettings,
    ) -> None:
        self._build = build
        self._data = data
        self._settings = settings
        model = build()
        self._epoch = epoch_of(model, teacher, settings)
        self._scores = scores_of(model)
        self._faces = jnp.asarray(data.validation.images)

    def train(self, task: Task, report: Report) -> tuple[Variables, list[EpochRecord]]:
        """The running average of the weights after the last epoch, and the course of all.

        Raises ConfigError when the weights are no numbers any more.
        """
        import keras

        keras.utils.set_random_seed(task.seed)
        progress = beginning(variables_of(self._build()))
        history: list[EpochRecord] = []
        for epoch in range(1, task.epochs + 1):
            started = time.monotonic()
            progress, rate, nats, right = self._one_epoch(progress, task, epoch)
            validation = evaluate(self.scores(progress.average), self._data.validation.labels)
            require_number(nats + validation.loss, epoch)
            seconds = round(time.monotonic() - started, 2)
            history.append(
                EpochRecord(epoch, rate, nats, right, validation.loss, validation.accuracy, seconds)
            )
            report(history)
        return progress.average, history

    def scores(self, network: Variables) -> npt.NDArray[np.float32]:
        """What a network says of the validation's N faces, (N, K) float32."""
        return self._scores(network, self._faces)

    def _one_epoch(
        self, progress: Progress, task: Task, epoch: int
    ) -> tuple[Progress, float, float, float]:
        settings = self._settings
        random = np.random.default_rng((task.seed, epoch))
        batch = min(settings.batch_size, len(self._data.training))
        steps = len(self._data.training) // batch  # the rest is learned from in other epochs
        order = random.permutation(len(self._data.training))[: steps * batch].reshape(steps, batch)
        rates = [
            learning_rate(
                "cosine",
                settings.lr,
                epoch - 1 + step / steps,
                task.epochs,
                warm_up=_WARM_UP_EPOCHS,
            )
            for step in range(steps)
        ]
        key: Array = jax.random.fold_in(jax.random.key(task.seed), epoch)
        progress, nats, right = self._epoch(
            progress,
            task.material,
            _strength(epoch, task, settings),
            key,
            jnp.asarray(order.astype(np.int32)),
            jnp.asarray(rates, jnp.float32),
        )
        return progress, rates[-1], float(nats), float(right)


def _strength(epoch: int, task: Task, settings: DistilSettings) -> Any:
    """As numbers of the device, so that no epoch is compiled anew for its own."""
    strength = augmentation_strength(epoch, task.epochs)
    given = Strength(
        augment=strength,
        degrade=settings.degrade,
        erase=strength * settings.erase,
        mixup=float(strength == 1),  # no blends at the end, for no face is one
        teachers=task.share,
    )
    return Strength(*[jnp.float32(value) for value in given])
