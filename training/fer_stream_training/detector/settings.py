"""What a detector's training is told, and the recipe that it is read from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from ..recipes import chosen_recipe
from ..rules import ABOVE_0, FROM_0, SEED, SHARE, SHARE_BELOW_1, Rule, changed_recipe, number, whole


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """The settings that decide a run's weights; a resumed run must have the same ones."""

    epochs: int
    steps: int
    """Batches in each epoch; scenes never end, so this is only how often progress is kept."""
    batch_size: int
    height: int
    """Of the scenes, px; a multiple of 32, as the width."""
    width: int
    large: int
    """Both sides of every third batch's scenes, px: faces that fill a whole frame are as large."""
    lr: float
    """The highest of the run."""
    weight_decay: float
    average: float
    """Decay per step of the weights' running average."""
    filmed_share: float
    """Of the scenes, those made on a frame of the videos, where there are any."""
    threshold: float
    """The score from which the file says that an answer is a face, 0..1."""
    check_scenes: int
    """Scenes that the trained detector searches, for the check to learn from what it finds."""
    check_epochs: int
    """Of the check: times that it sees all of that."""
    seed: int

    def as_dict(self) -> dict[str, int | float]:
        """The settings as plain JSON values."""
        return asdict(self)


_SIDE = whole(32, multiple=32)

_RULES: dict[str, Rule] = {
    "epochs": whole(1),
    "steps": whole(1),
    "batch_size": whole(1),
    "height": _SIDE,
    "width": _SIDE,
    "large": _SIDE,
    "lr": ABOVE_0,
    "weight_decay": FROM_0,
    "average": SHARE_BELOW_1,
    "filmed_share": SHARE,
    "threshold": number(lambda value: 0 < value < 1, "a score between 0 and 1"),
    "check_scenes": whole(1),
    "check_epochs": whole(1),
    "seed": SEED,
}


def read_settings(recipe: Path | None, epochs: int | None, seed: int | None) -> DetectorSettings:
    """The settings of `recipe`, or of the one that ships, with what was asked for instead.

    `recipe` is a file, or the name of one that ships. Raises ConfigError for a file that is no such
    recipe.
    """
    path = chosen_recipe(recipe, "face-detector")
    return DetectorSettings(**changed_recipe(path, _RULES, {"epochs": epochs, "seed": seed}))
