"""The one file that lets a stopped training go on, replaced whole after every epoch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_stream.errors import ConfigError

from ..checkpoint import CHECKPOINT_NAME, opened_arrays
from ..files import replacing
from ..resuming import earlier_run, require_no_run
from .settings import DetectorSettings

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a run keeps itself, and how far it has come."""

    folder: Path
    settings: DetectorSettings
    sources: str
    """A hash of what the run learns from."""
    finished: int = 0
    """Epochs that were done when this run was begun or resumed."""

    def require_sources(self, sources: str) -> None:
        """Raise ConfigError for a run that learns from something else."""
        if self.sources != sources:
            raise ConfigError(
                f"the run in {self.folder} was started with other faces, pictures or videos; "
                "expected the same ones; give the same --data, --backgrounds, --video, --spare and "
                "--earlier, or another --out"
            )

    def begin(self) -> None:
        """Note the run before its first epoch, so that one stopped in it can be resumed too."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write(0)

    def keep(self, model: keras.Model, finished: int) -> None:
        """Write weights, optimizer and the number of finished epochs."""
        optimizer = [np.asarray(variable) for variable in model.optimizer.variables]
        self._write(finished, *model.get_weights(), *optimizer)

    def restore(self, model: keras.Model) -> None:
        """Give a compiled model what `keep` wrote."""
        with opened_arrays(self.folder / CHECKPOINT_NAME) as stored:
            values = [stored[f"arr_{i}"] for i in range(len(stored.files) - 1)]
        count = len(model.weights)
        model.set_weights(values[:count])
        for variable, value in zip(model.optimizer.variables, values[count:], strict=True):
            variable.assign(value)

    def _write(self, finished: int, *arrays: Any) -> None:
        about = {
            "finished": finished,
            "sources": self.sources,
            "settings": self.settings.as_dict(),
        }
        with replacing(self.folder / CHECKPOINT_NAME) as path:
            np.savez(path, *arrays, about=np.array(json.dumps(about)))


def run_to_go_on_with(folder: Path, settings: DetectorSettings, resume: bool) -> Checkpoint | None:
    """The run to go on with, None for a new one; to be asked before the data is read.

    Raises ConfigError for a folder that holds a run if not `resume`, and for one that holds none
    or another one if so.
    """
    path = folder / CHECKPOINT_NAME
    if not resume:
        require_no_run(path)
        return None
    with earlier_run(path, "train-detector"), opened_arrays(path) as stored:
        about = json.loads(str(stored["about"]))
        finished, sources, earlier = about["finished"], about["sources"], about["settings"]
    if earlier != settings.as_dict():
        raise ConfigError(
            f"the run in {folder} was started with other settings; expected the same recipe and "
            "flags; give them again or choose another --out"
        )
    return Checkpoint(folder, settings, sources, finished)
