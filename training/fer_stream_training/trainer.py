"""The training loop: one epoch after another, each ended by a checkpoint."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from .architectures import ARCHITECTURES
from .augment import augment, mix
from .averaging import WeightAverage
from .checkpoint import Arrays, EpochRecord, RunState, save_checkpoint, write_history
from .data import Dataset, Split
from .distillation import Teachers
from .divergence import require_number
from .evaluation import evaluate
from .processor import compute_dtype
from .schedule import augmentation_strength, learning_rate
from .settings import TrainingSettings

if TYPE_CHECKING:
    import keras

_EVALUATION_BATCH = 256
Targets = npt.NDArray[np.float32]


class Reporter(Protocol):
    """What hears of a run's progress."""

    def step(self, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """After each step, counted from 1; loss (nats) and accuracy (0..1) of the epoch so far."""

    def epoch(self, record: EpochRecord, best: EpochRecord) -> None:
        """After each epoch."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learned in every epoch.

    ``images`` is (N, H, W) uint8 grey; ``targets`` is (N, K) float32, each row a share of each
    class; ``class_weights`` is (K,) float32, how much an image of each class counts, or None;
    ``teachers`` are asked about each batch, if there are any.
    """

    images: npt.NDArray[np.uint8]
    targets: Targets
    class_weights: Targets | None
    teachers: Teachers | None


def train(
    data: Dataset,
    settings: TrainingSettings,
    folder: Path,
    state: RunState,
    reporter: Reporter,
    teachers: Teachers | None = None,
    first_weights: Arrays | None = None,
) -> RunState:
    """Train from ``state`` to the last epoch, writing a checkpoint into ``folder`` after each.

    ``first_weights`` are the weights to begin with, unless they are to be random.

    Returns the final state. The weights after epoch N, and which epoch is the last, depend on the
    settings and the data alone, not on how often the run was stopped. Raises ConfigError when the
    weights are no numbers any more.
    """
    import keras

    keras.utils.set_random_seed(settings.seed)
    model = compiled_model(settings, len(data.class_names), data.size, compute_dtype())
    if first_weights is not None:
        model.set_weights(first_weights)
    average = WeightAverage(model, settings.average) if settings.average else None
    _restore(model, average, state)
    lesson = Lesson(
        images=data.training.images,
        targets=one_hot(data.training),
        class_weights=balanced_weights(data.training) if settings.class_weights else None,
        teachers=teachers,
    )
    while not is_finished(state, settings):
        epoch = len(state.history) + 1
        started = time.monotonic()
        train_loss, train_accuracy = _train_epoch(model, average, lesson, settings, epoch, reporter)
        with average.applied() if average else nullcontext():
            probabilities = predict(model, data.validation.images)
            weights = model.get_weights()
        validation = evaluate(probabilities, data.validation.labels)
        require_number(train_loss + validation.loss, epoch)
        record = EpochRecord(
            epoch=epoch,
            lr=float(model.optimizer.learning_rate),
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            val_loss=validation.loss,
            val_accuracy=validation.accuracy,
            seconds=round(time.monotonic() - started, 2),
        )
        _advance(state, model, average, record)
        if state.best_record is record:
            state.best = weights
        save_checkpoint(folder, state)
        write_history(folder, state.history)
        assert state.best_record is not None
        reporter.epoch(record, state.best_record)
    return state


def is_finished(state: RunState, settings: TrainingSettings) -> bool:
    """Whether the last epoch is done, or ``patience`` of them since the best one."""
    done, best = len(state.history), state.best_record
    impatient = best is not None and 0 < settings.patience <= done - best.epoch
    return impatient or done >= settings.epochs


def one_hot(split: Split) -> Targets:
    """The labels as (N, K) float32: 1 for the class, 0 for the others."""
    return np.eye(len(split.class_names), dtype=np.float32)[split.labels]


def balanced_weights(split: Split) -> Targets:
    """A weight for each class, (K,) float32, so that every class counts the same in sum.

    Inverse to the class's images; the mean over all images is 1.
    """
    counts = split.class_counts()
    return (len(split) / (len(counts) * counts)).astype(np.float32)


def predict(model: keras.Model, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Probabilities (N, K) float32 of a Keras model for (N, H, W) uint8 grey images."""
    batches = [
        np.asarray(model.predict_on_batch(_as_input(images[start : start + _EVALUATION_BATCH])))
        for start in range(0, len(images), _EVALUATION_BATCH)
    ]
    return np.concatenate(batches).astype(np.float32)


def compiled_model(
    settings: TrainingSettings, classes: int, size: tuple[int, int], dtype: str
) -> keras.Model:
    """The network of ``settings`` with its optimizer; the others as in `architectures`."""
    import keras

    model = ARCHITECTURES[settings.arch](classes, size, dtype)
    model.compile(
        optimizer=_optimizer(settings),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=settings.label_smoothing),
        # The loss includes smoothing and weights; these two can be compared with the
        # validation's, unless faces are blended or teachers share in the targets.
        metrics=[keras.metrics.CategoricalCrossentropy(name="nll"), "accuracy"],
        jit_compile=False,
    )
    model.optimizer.build(model.trainable_variables)
    return model


def _optimizer(settings: TrainingSettings) -> keras.Optimizer:
    import keras

    decay = settings.weight_decay or None
    optimizer = (
        keras.optimizers.SGD(settings.lr, momentum=0.9, nesterov=True, weight_decay=decay)
        if settings.optimizer == "sgd"
        else keras.optimizers.Adam(settings.lr, weight_decay=decay)
    )
    # Offsets and the scales of batch normalisation have no size to keep small.
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
    return optimizer


def _restore(model: keras.Model, average: WeightAverage | None, state: RunState) -> None:
    if not state.history:
        return
    for variable, value in zip(model.variables, state.variables, strict=True):
        variable.assign(value)
    for variable, value in zip(model.optimizer.variables, state.optimizer, strict=True):
        variable.assign(value)
    if average:
        average.values = [np.array(value) for value in state.average]


def _advance(
    state: RunState, model: keras.Model, average: WeightAverage | None, record: EpochRecord
) -> None:
    state.history.append(record)
    state.variables = [variable.numpy() for variable in model.variables]
    state.optimizer = [variable.numpy() for variable in model.optimizer.variables]
    state.average = [value.copy() for value in average.values] if average else []


def _train_epoch(
    model: keras.Model,
    average: WeightAverage | None,
    lesson: Lesson,
    settings: TrainingSettings,
    epoch: int,
    reporter: Reporter,
) -> tuple[float, float]:
    steps = -(-len(lesson.images) // settings.batch_size)
    loss_sum = accuracy_sum = 0.0
    seen = 0
    for step, (images, targets) in enumerate(_batches(lesson, settings, epoch), start=1):
        progress = epoch - 1 + (step - 1) / steps
        model.optimizer.learning_rate = learning_rate(
            settings.schedule, settings.lr, progress, settings.epochs
        )
        weights = None if lesson.class_weights is None else targets @ lesson.class_weights
        # Some versions of Keras keep a running mean from step to step, some start anew.
        model.reset_metrics()
        figures = model.train_on_batch(images, targets, weights, return_dict=True)
        if average:
            average.update((epoch - 1) * steps + step)
        loss_sum += float(figures["nll"]) * len(images)
        accuracy_sum += float(figures["accuracy"]) * len(images)
        seen += len(images)
        reporter.step(epoch, step, steps, loss_sum / seen, accuracy_sum / seen)
    return loss_sum / seen, accuracy_sum / seen


def _batches(
    lesson: Lesson, settings: TrainingSettings, epoch: int
) -> Iterator[tuple[npt.NDArray[np.float32], Targets]]:
    """Yield the epoch's shuffled batches: (B, H, W, 1) float32 and targets (B, K) float32."""
    # Seeded by the epoch, so that a resumed run sees what an unbroken one would have seen.
    random = np.random.default_rng((settings.seed, epoch))
    order = random.permutation(len(lesson.images))
    strength = augmentation_strength(epoch, settings.epochs, settings.clean_end)
    for start in range(0, len(order), settings.batch_size):
        chosen = order[start : start + settings.batch_size]
        images = lesson.images[chosen]
        inputs, targets = _as_input(images), lesson.targets[chosen]
        if settings.augment:
            changed = augment(
                images, random, strength, degrade=settings.degrade, erase=strength * settings.erase
            )
            inputs = changed[..., None]
            # No blends at a clean end, for no face is one.
            if settings.mixup and strength == 1:
                inputs, targets = mix(inputs, targets, settings.mixup, random)
        if lesson.teachers:
            said = lesson.teachers(inputs, random)
            targets = targets + np.float32(settings.teacher_share) * (said - targets)
        yield inputs, targets


def _as_input(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    return images.astype(np.float32)[..., None]
