"""The folder of a distillation: each finished network is in it, so that it can go on after that."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from fer_stream.errors import ConfigError

from ..checkpoint import EpochRecord, opened_arrays, write_history
from ..files import replacing, write_whole
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
            if path.exists():
                raise ConfigError(
                    f"{self.folder} holds a run; expected a new folder; go on with --resume or "
                    "choose another --out"
                )
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps(about).encode())
            return
        try:
            earlier = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ConfigError(
                f"no run to resume in {self.folder}; expected {ABOUT_NAME}; start without --resume"
            ) from error
        except (OSError, ValueError) as error:
            raise self._unreadable(path, error) from error
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
        try:
            with opened_arrays(path) as stored:
                groups = [
                    [jnp.asarray(stored[key]) for key in sorted(stored.files) if key[0] == group]
                    for group in "to"
                ]
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise self._unreadable(path, error) from error
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

    def _unreadable(self, path: Path, error: Exception) -> ConfigError:
        return ConfigError(
            f"cannot read {path} ({error}); expected a file of fer-stream distil; start again in "
            "another --out"
        )
