"""The one file that lets a killed run go on, replaced whole after every epoch."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .files import replacing, write_whole
from .resuming import earlier_run

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
    with replacing(folder / CHECKPOINT_NAME) as path:
        np.savez(path, allow_pickle=False, **arrays)


def load_checkpoint(folder: Path) -> RunState:
    """Read the checkpoint in ``folder``; raises ConfigError when there is none or it is damaged."""
    path = folder / CHECKPOINT_NAME
    with earlier_run(path, "train"), opened_arrays(path) as stored:
        about = json.loads(str(stored["about"]))
        groups = {
            group: [stored[key] for key in sorted(stored.files) if key.startswith(group + "/")]
            for group in _GROUPS
        }
        history = [EpochRecord(**record) for record in about["history"]]
        return RunState(about["settings"], about["data_sha256"], history, **groups)


def write_history(folder: Path, history: list[EpochRecord]) -> None:
    """Write ``history.csv`` into ``folder``, one row per epoch, replacing an earlier one."""
    text = io.StringIO()
    writer = csv.DictWriter(text, EpochRecord.__slots__, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_record_as_dict(record) for record in history)
    write_whole(folder / "history.csv", text.getvalue().encode("ascii"))


def _record_as_dict(record: EpochRecord) -> dict[str, float]:
    return {name: getattr(record, name) for name in EpochRecord.__slots__}
