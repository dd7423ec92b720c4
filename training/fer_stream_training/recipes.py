"""The networks' recipes, ``recipes/<arch>.toml``: the settings that suit each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .architectures import ARCHITECTURES
from .rules import (
    ABOVE_0,
    FROM_0,
    SEED,
    SHARE,
    SHARE_BELOW_1,
    TRUE_OR_FALSE,
    Rule,
    changed_recipe,
    one_of,
    whole,
)
from .settings import OPTIMIZERS, SCHEDULES, TrainingSettings

DEFAULT_ARCH = "small-resnet"
_PACKAGE = Path(__file__).parent
# In an installed package the recipes lie within it, in a checkout beside it.
_FOLDERS = (_PACKAGE / "recipes", _PACKAGE.parent / "recipes")

# Of all settings but `teachers` and `start_from`: those name files of one's own, so flags only.
RULES: dict[str, Rule] = {
    "arch": one_of(tuple(sorted(ARCHITECTURES))),
    "epochs": whole(1),
    "batch_size": whole(1),
    "lr": ABOVE_0,
    "schedule": one_of(SCHEDULES),
    "label_smoothing": SHARE_BELOW_1,
    "augment": TRUE_OR_FALSE,
    "class_weights": TRUE_OR_FALSE,
    "patience": whole(0),
    "seed": SEED,
    "optimizer": one_of(OPTIMIZERS),
    "weight_decay": FROM_0,
    "average": SHARE_BELOW_1,
    "clean_end": SHARE,
    "mixup": FROM_0,
    "erase": SHARE,
    "degrade": SHARE,
    "teacher_share": SHARE,
}


def settings_from(recipe: Path | None, flags: dict[str, Any]) -> TrainingSettings:
    """The settings of ``recipe``, or of the network's own without one, changed by ``flags``.

    ``recipe`` is a file, or the name of one that ships. ``flags`` holds what the user chose; None
    stands for no choice. Raises ConfigError for a file that is no recipe.
    """
    path = chosen_recipe(recipe, flags.get("arch") or DEFAULT_ARCH)
    return TrainingSettings(**changed_recipe(path, RULES, flags))


def chosen_recipe(recipe: Path | None, default: str) -> Path:
    """The file of ``recipe``, a file or the name of one that ships, or else of ``default``."""
    if recipe is None:
        return recipe_of(default)
    if not recipe.exists() and recipe.parent == Path() and not recipe.suffix:
        return recipe_of(recipe.name)
    return recipe


def recipe_of(network: str) -> Path:
    """The recipe that comes with a network, or another one that ships, by its name."""
    name = f"{network}.toml"
    return next((folder / name for folder in _FOLDERS if (folder / name).is_file()), Path(name))
