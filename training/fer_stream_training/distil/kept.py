"""The folder of a distillation: each finished network is in it, so that it can go on after that."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from fer_stream.errors import ConfigError

from ..checkpoint import EpochRecord, opened_arrays, write_history
from ..files import replacing, write_whole
from ..resuming import earlier_run, require_no_run
from .lesson import Variables
from .settings import DistilSettings

ABOUT_NAME = "distil.json"
MODEL_NAME = "model.keras"
_WEIGHTS_NAME = "weights.npz"


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a distillation keeps its networks."""

    folder: Path

    def begin(self, settings: DistilSettings, data: str, resume: bool) -> None:
        """Note what is learned from what, or compare it with what was noted.

        ``data`` is the data's SHA-256. Raises ConfigError for a folder that holds a run if not
        ``resume``, and for one that holds none or another one if so.
        """
        about = {"data": data, "settings": settings.as_dict()}
        path = self.folder / ABOUT_NAME
        if not resume:
            require_no_run(path)
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps(about).encode())
            return
        with earlier_run(path, "distil"):
            earlier = json.loads(path.read_text(encoding="utf-8"))
        if earlier != about:
            raise ConfigError(
                f"the run in {self.folder} was started with other settings or other faces; "
                "expected the same; give the same --recipe, flags and --data, or another --out"
            )

    def network(self, name: str) -> Variables | None:
        """A finished network; None for one that is not."""
        path = self.folder / name / _WEIGHTS_NAME
        if not path.exists():
            return None
        with earlier_run(path, "distil"), opened_arrays(path) as stored:
            groups = [
                [jnp.asarray(stored[key]) for key in sorted(stored.files) if key[0] == group]
                for group in "to"
            ]
        return Variables(*groups)

    def keep(self, name: str, network: Variables) -> None:
        """Write a finished network."""
        arrays = {
            f"{group}{index:03d}": np.asarray(value)
            for group, values in zip("to", network, strict=True)
            for index, value in enumerate(values)
        }
        with replacing(self.folder / name / _WEIGHTS_NAME) as path:
            np.savez(path, allow_pickle=False, **arrays)

    def note(self, name: str, history: list[EpochRecord]) -> None:
        """Write the course of a network's training."""
        (self.folder / name).mkdir(exist_ok=True)
        write_history(self.folder / name, history)
