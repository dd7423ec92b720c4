"""What a distillation is told, and the recipe that it is read from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from ..recipes import RULES, chosen_recipe
from ..rules import SHARE, Rule, changed_recipe, whole


@dataclass(frozen=True, slots=True)
class DistilSettings:
    """The settings that decide the weights; a resumed run must have the same ones."""

    arch: str
    """The network that learns from the teachers."""
    epochs: int
    """Of that network."""
    generations: int
    """Of teachers: the first learns from the labels alone, each other one from the one before."""
    teachers: int
    """In each generation."""
    teacher_width: int
    """Channels of a teacher's first stage; each next one has twice as many."""
    teacher_epochs: int
    share: float
    """Of the target, what the teachers say; the rest is the label."""
    share_among_teachers: float
    """The same where a teacher learns from others."""
    batch_size: int
    lr: float
    """The highest of each network's training."""
    weight_decay: float
    """Added to each gradient, times the weight."""
    average: float
    """Decay per step of the weights' running average, which is what is kept."""
    label_smoothing: float
    mixup: float
    erase: float
    degrade: float
    seed: int

    def as_dict(self) -> dict[str, int | float | str]:
        """The settings as plain JSON values."""
        return asdict(self)


# Which mean the same for any network's training.
_SHARED = (
    "arch",
    "epochs",
    "batch_size",
    "lr",
    "weight_decay",
    "average",
    "label_smoothing",
    "mixup",
    "erase",
    "degrade",
    "seed",
)
_RULES: dict[str, Rule] = {
    **{name: RULES[name] for name in _SHARED},
    "generations": whole(1),
    "teachers": whole(1),
    "teacher_width": whole(2, multiple=2),
    "teacher_epochs": whole(1),
    "share": SHARE,
    "share_among_teachers": SHARE,
}


def read_settings(recipe: Path | None, epochs: int | None, seed: int | None) -> DistilSettings:
    """The settings of `recipe`, or of the one that ships, with what was asked for instead.

    `recipe` is a file, or the name of one that ships. Raises ConfigError for a file that is no such
    recipe.
    """
    path = chosen_recipe(recipe, "distil")
    return DistilSettings(**changed_recipe(path, _RULES, {"epochs": epochs, "seed": seed}))
