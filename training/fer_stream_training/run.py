"""One training run from the command line: check, train or go on, export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from fer_stream.errors import ConfigError
from fer_stream.words import counted

from .checkpoint import CHECKPOINT_NAME, RunState, load_checkpoint, save_checkpoint
from .data import Dataset, load_dataset
from .distillation import load_teachers
from .needs import require_tensorflow
from .prior import Prior
from .quiet import import_keras
from .resuming import require_no_run, resumable
from .settings import TrainingSettings

if TYPE_CHECKING:
    from .artifacts import Outcome


def run_training(
    data_path: Path,
    folder: Path,
    settings: TrainingSettings,
    prior: Prior,
    resume: bool,
    command: str,
) -> None:
    """Train into ``folder`` and print the figures; ``command`` is quoted in the report.

    Raises ConfigError for bad data or a folder that does not fit, ModelError when the export is
    not equal to the trained model.
    """
    require_tensorflow()
    from .artifacts import MODEL_NAME, finish
    from .progress import ProgressReporter
    from .trainer import train

    # Plain: a path with brackets or colons in it is printed as it is.
    console = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
    _check_folder(folder, resume, folder / MODEL_NAME)
    data = load_dataset(data_path)
    state = _starting_state(folder, settings, data, resume)
    _print_start(console, data, settings, state)
    teachers = load_teachers(prior.teachers, data.training) if prior.teachers else None
    import_keras()
    first_weights = prior.first_weights(settings.arch, data)
    with resumable(folder, console):
        if not resume:
            # Before the first epoch, so that a run killed in it can be resumed too, and after all
            # that can be refused, for a folder that holds a run takes no other.
            folder.mkdir(parents=True, exist_ok=True)
            save_checkpoint(folder, state)
        done, best = len(state.history), state.best_record
        with ProgressReporter(console, settings.epochs, done, best) as reporter:
            state = train(data, settings, folder, state, reporter, teachers, first_weights)
        if len(state.history) < settings.epochs:
            console.print(
                f"stopped after epoch {len(state.history)}: "
                f"no better accuracy in {counted(settings.patience, 'epoch')}"
            )
        console.print("exporting to ONNX")
        outcome = finish(folder, data, settings, state, command)
    _print_outcome(console, folder, data, outcome)


def _print_start(
    console: Console, data: Dataset, settings: TrainingSettings, state: RunState
) -> None:
    height, width = data.size
    images = counted(len(data.training), "image", ",")
    classes = counted(len(data.class_names), "class")
    epochs = counted(settings.epochs, "epoch")
    console.print(
        f"{data.name}: {images} to train on ({data.training.name}), "
        f"{len(data.validation):,} to check on ({data.validation.name})\n"
        f"{width}x{height} px in {classes}: {', '.join(data.class_names)}\n"
        f"training {settings.arch}; {len(state.history)} of {epochs} done",
    )


def _print_outcome(console: Console, folder: Path, data: Dataset, outcome: Outcome) -> None:
    parity = outcome.parity
    console.print(
        f"ONNX against Keras over {parity.images:,} images: largest difference "
        f"{parity.max_difference:.2g}, labels that differ {parity.disagreements}\n"
        f"accuracy {outcome.evaluation.accuracy:.2%} on {data.validation.name} "
        f"(epoch {outcome.best.epoch}), {outcome.temperature_words(3)}\n"
        f"wrote {folder / 'model.onnx'}; see {folder / 'report.md'}",
    )


def _check_folder(folder: Path, resume: bool, model: Path) -> None:
    """Refuse a folder that already holds a run, before the data is read."""
    if model.exists():
        raise ConfigError(
            f"{folder} holds a finished run; expected a new folder; choose another --out"
        )
    if not resume:
        require_no_run(folder / CHECKPOINT_NAME)


def _starting_state(
    folder: Path, settings: TrainingSettings, data: Dataset, resume: bool
) -> RunState:
    if not resume:
        return RunState(settings.as_dict(), data.sha256())
    state = load_checkpoint(folder)
    settings.require_same(state.settings)
    if state.data_sha256 != data.sha256():
        raise ConfigError(
            f"the data is not what the run in {folder} was started with; expected the same "
            "images; give the same --data or another --out"
        )
    return state
