"""Training the detector, epoch by epoch, from where an earlier run stopped."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_stream.errors import ConfigError

from ..checkpoint import write_atomically
from ..divergence import require_number
from ..growth import grown
from ..processor import compute_dtype
from .batches import batches
from .scenes import Material
from .settings import DetectorSettings

if TYPE_CHECKING:
    import keras

Report = Callable[[int, float], None]
"""Told the finished epochs and the last one's loss."""

_STATE, _SETTINGS = "state.npz", "settings.json"
_RISE = 0.05  # of the run, over which the learning rate rises


def train(
    material: Material,
    settings: DetectorSettings,
    folder: Path,
    start: Path | None,
    done: int,
    report: Report,
) -> keras.Model:
    """Train in `folder`, keeping each epoch there; returns the model with averaged weights.

    `start` is a file of weights to begin with; `done` epochs are `finished_epochs` in the folder.
    """
    import keras

    from .loss import detection_loss
    from .network import build

    keras.utils.set_random_seed(settings.seed)
    model = build(compute_dtype())
    if start:
        load_weights(model, start)
    model.compile(_optimizer(settings), detection_loss)
    model.optimizer.build(model.trainable_variables)
    if done:
        _restore(model, folder / _STATE)
    else:
        # Noted before the first epoch, so that a run stopped in it can be resumed too.
        folder.mkdir(parents=True, exist_ok=True)
        _note(folder, settings, 0)
    with batches(material, settings, done * settings.steps) as source:
        for epoch in range(done, settings.epochs):
            losses = [model.train_on_batch(*next(source)) for _ in range(settings.steps)]
            require_number(float(losses[-1]), epoch + 1)
            _keep(model, folder, settings, epoch + 1)
            report(epoch + 1, float(losses[-1]))
    model.optimizer.finalize_variable_values(model.trainable_variables)
    return model


def _optimizer(settings: DetectorSettings) -> Any:
    import keras

    total = settings.epochs * settings.steps
    rise = max(int(total * _RISE), 1)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, max(total - rise, 1), warmup_target=settings.lr, warmup_steps=rise
    )
    return keras.optimizers.AdamW(
        schedule,
        weight_decay=settings.weight_decay,
        clipnorm=5.0,
        use_ema=True,
        ema_momentum=settings.average,
        ema_overwrite_frequency=None,
    )


def _keep(model: keras.Model, folder: Path, settings: DetectorSettings, epochs: int) -> None:
    """Write weights and optimizer, then the number of epochs; each file whole or not at all."""
    optimizer = [np.asarray(variable) for variable in model.optimizer.variables]
    arrays = (*model.get_weights(), *optimizer)
    write_atomically(folder / _STATE, lambda file: np.savez(file, *arrays))
    _note(folder, settings, epochs)


def _note(folder: Path, settings: DetectorSettings, epochs: int) -> None:
    text = json.dumps({"finished": epochs, **settings.as_dict()})
    write_atomically(folder / _SETTINGS, lambda file: file.write(text.encode("ascii")))


def _restore(model: keras.Model, path: Path) -> None:
    count = len(model.weights)
    values = _arrays(path)
    model.set_weights(values[:count])
    for variable, value in zip(model.optimizer.variables, values[count:], strict=True):
        variable.assign(value)


def save_weights(model: keras.Model, path: Path) -> None:
    """Write a model's weights, for `load_weights`."""
    write_atomically(path, lambda file: np.savez(file, *model.get_weights()))


def load_weights(model: keras.Model, path: Path) -> None:
    """Give a model the weights of a file, or of a narrower network's.

    Raises ConfigError when they are another network's.
    """
    try:
        values = _arrays(path)
        # As they are if they cannot be grown, for Keras to say what is wrong.
        model.set_weights(grown(values, model.get_weights()) or values)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ConfigError(
            f"{path} does not hold the weights of this network ({error}); expected those of an "
            "earlier train-detector; check --earlier"
        ) from None


def _arrays(path: Path) -> list[npt.NDArray[np.float32]]:
    with np.load(path, allow_pickle=False) as file:
        return [file[f"arr_{i}"] for i in range(len(file.files))]


def finished_epochs(folder: Path, settings: DetectorSettings, resume: bool) -> int:
    """How many epochs of a run are done in `folder`.

    Raises ConfigError for a folder that holds a run if not `resume`, and for one that holds none
    or another one if so.
    """
    path = folder / _SETTINGS
    if not resume:
        if path.exists():
            raise ConfigError(
                f"{folder} holds a run; expected a new folder; go on with --resume or choose "
                "another --out"
            )
        return 0
    try:
        earlier = json.loads(path.read_text(encoding="utf-8"))
        finished = int(earlier.pop("finished"))
    except (OSError, ValueError, KeyError, AttributeError):
        raise ConfigError(
            f"there is no run in {folder} to go on with; leave out --resume"
        ) from None
    if earlier != settings.as_dict():
        raise ConfigError(
            f"the run in {folder} was started with other settings; expected the same recipe and "
            "flags; give them again or choose another --out"
        )
    return finished
