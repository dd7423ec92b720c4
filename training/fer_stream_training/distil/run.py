"""One distillation from the command line: generations of teachers, then the network itself."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console

from fer_stream.errors import ConfigError
from fer_stream.words import counted

from ..architectures import ARCHITECTURES, mirror_teacher
from ..checkpoint import EpochRecord
from ..data import Dataset, load_dataset
from ..evaluation import evaluate
from ..fer2013 import IMAGE_SIZE
from ..files import replacing
from ..mirror import unfolded
from ..plots import write_curves
from ..progress import ProgressReporter
from ..quiet import import_keras_on_jax
from ..resuming import resumable
from ..trainer import one_hot
from .kept import MODEL_NAME, Kept
from .lesson import Material, Variables, stacked
from .loop import Task, Trainer
from .settings import DistilSettings

if TYPE_CHECKING:
    import keras

_LINES = 12  # of a network's epochs, printed


def run_distillation(data_path: Path, folder: Path, settings: DistilSettings, resume: bool) -> None:
    """Train into ``folder`` and print the figures.

    Raises ConfigError for bad data or a folder that does not fit.
    """
    console = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
    data = load_dataset(data_path)
    if data.size != (IMAGE_SIZE, IMAGE_SIZE):
        raise ConfigError(
            f"the faces of {data_path} have {data.size[1]}x{data.size[0]} px; distil expects "
            f"{IMAGE_SIZE}x{IMAGE_SIZE}; resize them, or use fer-stream train"
        )
    kept = Kept(folder)
    kept.begin(settings, data.sha256(), resume)
    import_keras_on_jax()
    console.print(
        f"{data.name}: {counted(len(data.training), 'image', ',')} to train on, "
        f"{len(data.validation):,} to check on; computing on {jax.devices()[0].device_kind}"
    )
    with resumable(folder, console):
        Distillation(data, settings, kept, console).run()
    console.print(
        f"wrote {folder / MODEL_NAME}; go on with fer-stream train --arch {settings.arch} "
        f"--start-from {folder / MODEL_NAME}, or fer-stream export {folder / MODEL_NAME}"
    )


class Distillation:
    """The networks of one run, each trained or taken from where it is kept."""

    def __init__(
        self, data: Dataset, settings: DistilSettings, kept: Kept, console: Console
    ) -> None:
        self._data = data
        self._settings = settings
        self._kept = kept
        self._console = console
        self._faces = jnp.asarray(data.training.images)
        self._targets = jnp.asarray(one_hot(data.training))

    def run(self) -> None:
        """Train what is not finished yet, and write each network as a ``model.keras``."""
        settings, dtype = self._settings, _dtype()
        shape = (len(self._data.class_names), self._data.size)

        def teacher(dtype: str) -> keras.Model:
            return mirror_teacher(*shape, dtype, settings.teacher_width)

        built = teacher(dtype)
        of_teachers = Trainer(partial(teacher, dtype), built, self._data, settings)
        teachers = self._teachers(of_teachers)
        self._print_teachers(of_teachers, teachers)
        for number, network in enumerate(teachers, 1):
            self._write(teacher("float32"), network, f"teacher-{number}")
        student = partial(ARCHITECTURES[settings.arch], *shape)
        trainer = Trainer(partial(student, dtype), built, self._data, settings)
        seed = settings.seed + len(teachers) + 1
        task = Task(settings.epochs, seed, self._material(teachers), settings.share)
        self._write(student("float32"), self._network("student", trainer, task))

    def _teachers(self, trainer: Trainer) -> list[Variables]:
        """All generations, each taught by the one before it."""
        settings = self._settings
        teachers: list[Variables] = []
        for generation in range(settings.generations):
            first = generation * settings.teachers
            material = self._material(teachers[first - settings.teachers : first])
            for number in range(first + 1, first + settings.teachers + 1):
                task = Task(
                    settings.teacher_epochs,
                    settings.seed + number,
                    material,
                    settings.share_among_teachers,
                )
                teachers.append(self._network(f"teacher-{number}", trainer, task))
        return teachers

    def _material(self, teachers: list[Variables]) -> Material:
        return Material(self._faces, self._targets, stacked(teachers) if teachers else ())

    def _network(self, name: str, trainer: Trainer, task: Task) -> Variables:
        if (finished := self._kept.network(name)) is not None:
            self._console.print(f"{name}: finished earlier")
            return finished
        epochs = task.epochs
        self._console.print(f"{name}: {counted(epochs, 'epoch')}")
        with ProgressReporter(self._console, epochs, 0, None) as reporter:

            def report(history: list[EpochRecord]) -> None:
                self._kept.note(name, history)
                last = history[-1]
                reporter.step(last.epoch, 1, 1, last.train_loss, last.train_accuracy)
                if last.epoch % max(epochs // _LINES, 1) == 0 or last.epoch == epochs:
                    reporter.epoch(last, max(history, key=lambda record: record.val_accuracy))

            network, history = trainer.train(task, report)
        write_curves(self._kept.folder / name / "accuracy.png", history, name)
        self._kept.keep(name, network)
        return network

    def _write(self, model: keras.Model, network: Variables, name: str = "") -> None:
        """Write a network as an ordinary Keras model, in float32."""
        own = (model.trainable_variables, model.non_trainable_variables)
        for variables, values in zip(own, network, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        with replacing(self._kept.folder / name / MODEL_NAME) as path:
            unfolded(model).save(path)

    def _print_teachers(self, trainer: Trainer, teachers: list[Variables]) -> None:
        validation = self._data.validation
        said = np.stack([trainer.scores(network) for network in teachers])
        together = evaluate(said.mean(axis=0), validation.labels)
        self._console.print(
            f"the teachers together: {together.accuracy:.2%}, {together.loss:.3f} nats on "
            f"{validation.name}"
        )


def _dtype() -> str:
    """What networks compute in: GPUs multiply bfloat16 many times as fast as float32."""
    return "float32" if jax.default_backend() == "cpu" else "mixed_bfloat16"
