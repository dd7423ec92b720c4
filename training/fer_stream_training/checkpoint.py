"""The one file that lets a killed run go on, replaced whole after every epoch."""

from __future__ import annotations

import csv
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from fer_stream.errors import ConfigError

CHECKPOINT_NAME = "checkpoint.npz"
Arrays = list[npt.NDArray[Any]]
_GROUPS = ("variables", "optimizer", "average", "best")


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """Figures of one epoch. Losses are cross-entropy in nats; accuracies are 0..1."""

    epoch: int  # from 1
    lr: float  # at the epoch's end
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float


@dataclass(slots=True)
class RunState:
    """Everything a run needs to go on after its last finished epoch.

    ``variables`` are the model's (weights and dropout seeds), ``optimizer`` the optimizer's,
    ``average`` the running average of the weights (empty without one), ``best`` the weights with
    the highest validation accuracy so far; each a list of arrays.
    """

    settings: dict[str, Any]
    data_sha256: str
    history: list[EpochRecord] = field(default_factory=list)
    variables: Arrays = field(default_factory=list)
    optimizer: Arrays = field(default_factory=list)
    average: Arrays = field(default_factory=list)
    best: Arrays = field(default_factory=list)

    @property
    def best_record(self) -> EpochRecord | None:
        """The first epoch with the highest validation accuracy; None before the first epoch."""
        return max(self.history, key=lambda record: record.val_accuracy, default=None)


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Call ``write`` with a temporary file, then put it in the place of ``path`` in one step.

    A kill or power cut at any moment leaves the old file or the new one, never a part.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("wb") as file:
            write(file)
        put_in_place(temporary, path)
    except OSError:
        # On a full disk it would take the room that is needed to go on.
        temporary.unlink(missing_ok=True)
        raise


def put_in_place(temporary: Path, path: Path) -> None:
    """Give a file that is whole its name, in one step, so that a power cut finds it there."""
    with temporary.open("r+b") as file:  # Windows makes no file safe that is only read
        os.fsync(file.fileno())
    temporary.replace(path)
    try:
        directory = os.open(path.parent, os.O_RDONLY)
    except PermissionError:  # Windows opens no folders
        return
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextmanager
def opened_arrays(path: Path) -> Iterator[Any]:
    """The arrays of an .npz file by name; np.load alone leaves a damaged file open."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        yield stored


def save_checkpoint(folder: Path, state: RunState) -> None:
    """Write ``state`` into ``folder``, replacing an earlier checkpoint."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for group in _GROUPS:
        for index, array in enumerate(getattr(state, group)):
            arrays[f"{group}/{index:03d}"] = array
    about = {
        "settings": state.settings,
        "data_sha256": state.data_sha256,
        "history": [_record_as_dict(record) for record in state.history],
    }
    arrays["about"] = np.array(json.dumps(about))
    write_atomically(
        folder / CHECKPOINT_NAME, lambda file: np.savez(file, allow_pickle=False, **arrays)
    )


def load_checkpoint(folder: Path) -> RunState:
    """Read the checkpoint in ``folder``; raises ConfigError when there is none or it is damaged."""
    path = folder / CHECKPOINT_NAME
    try:
        with opened_arrays(path) as stored:
            about = json.loads(str(stored["about"]))
            groups = {
                group: [stored[key] for key in sorted(stored.files) if key.startswith(group + "/")]
                for group in _GROUPS
            }
        history = [EpochRecord(**record) for record in about["history"]]
        return RunState(about["settings"], about["data_sha256"], history, **groups)
    except FileNotFoundError as error:
        raise ConfigError(
            f"no run to resume in {folder}; expected {CHECKPOINT_NAME}; start without --resume"
        ) from error
    except KeyError as error:  # as in a folder of train-detector
        raise ConfigError(
            f"{path} has no {error.args[0]}; expected a checkpoint of fer-stream train; "
            "choose another --out"
        ) from error
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ConfigError(
            f"cannot read {path} ({error}); expected a checkpoint of fer-stream train; "
            "start again in another --out"
        ) from error


def write_history(folder: Path, history: list[EpochRecord]) -> None:
    """Write ``history.csv`` into ``folder``, one row per epoch, replacing an earlier one."""
    text = io.StringIO()
    writer = csv.DictWriter(text, EpochRecord.__slots__, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_record_as_dict(record) for record in history)
    content = text.getvalue().encode("ascii")
    write_atomically(folder / "history.csv", lambda file: file.write(content))


def _record_as_dict(record: EpochRecord) -> dict[str, float]:
    return {name: getattr(record, name) for name in EpochRecord.__slots__}
