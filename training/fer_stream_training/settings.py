"""What a training run is told, fixed from its first epoch to its last."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fer_stream.errors import ConfigError

from .schedule import CLEAN_END

SCHEDULES = ("cosine", "constant")
OPTIMIZERS = ("adam", "sgd")
HIGHEST_SEED = 2**32 - 1  # that numpy takes, and Keras with it


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """The settings that decide a run's weights; a resumed run must have the same ones."""

    arch: str = "demo-cnn"
    epochs: int = 50
    batch_size: int = 64
    lr: float = 1e-3  # peak learning rate
    schedule: str = "cosine"
    label_smoothing: float = 0.1
    augment: bool = True  # False leaves mixup, erase and degrade out, too
    class_weights: bool = False  # each class counts the same in the loss, however rare
    patience: int = 0  # epochs without better validation accuracy that end the run; 0: no end
    seed: int = 0
    optimizer: str = "adam"
    weight_decay: float = 0.0  # share of each weight taken off per step, times the learning rate
    average: float = 0.0  # decay per step of the weights' running average; 0: the weights as such
    clean_end: float = CLEAN_END  # share of the epochs, the last, changed less and not mixed
    mixup: float = 0.0  # alpha of the Beta distribution that two images are mixed by; 0: unmixed
    erase: float = 0.0  # share of the images that lose a rectangle
    degrade: float = 0.0  # share of the images made coarse, blurred, noisy or blocky
    teacher_share: float = 0.7  # of the target, where there are teachers; the rest is the label
    teachers: tuple[str, ...] = ()  # SHA-256 of each teacher's file
    start_from: str = ""  # SHA-256 of the model whose weights are the first ones; "": random ones

    def as_dict(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return {**asdict(self), "teachers": list(self.teachers)}

    def require_same(self, earlier: dict[str, Any]) -> None:
        """Raise ConfigError naming the first setting that differs from an earlier run's."""
        for name, value in self.as_dict().items():
            if earlier.get(name) != value:
                raise ConfigError(
                    f"cannot resume with {name} {value}: the run was started with "
                    f"{earlier.get(name)}; give the same settings or another --out"
                )
