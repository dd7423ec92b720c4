"""Recipes: files that name every setting of a training run.

Each network has one, ``recipes/<arch>.toml``, with the settings that suit it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from fer_stream.errors import ConfigError

from .architectures import ARCHITECTURES
from .settings import OPTIMIZERS, SCHEDULES, TrainingSettings

DEFAULT_ARCH = "small-resnet"
_PACKAGE = Path(__file__).parent
# In an installed package the recipes lie within it, in a checkout beside it.
_FOLDERS = (_PACKAGE / "recipes", _PACKAGE.parent / "recipes")

_FILES = ("teachers", "start_from")  # settings that name files of one's own, so flags only

Rule = tuple[Callable[[Any], bool], str]


def settings_from(recipe: Path | None, flags: dict[str, Any]) -> TrainingSettings:
    """The settings of ``recipe``, or of the network's own without one, changed by ``flags``.

    ``flags`` holds what the user chose; None stands for no choice. Raises ConfigError for a file
    that is no recipe.
    """
    chosen = {name: value for name, value in flags.items() if value is not None}
    path = recipe or recipe_of(chosen.get("arch", DEFAULT_ARCH))
    return TrainingSettings(**{**read_recipe(path), **chosen})


def recipe_of(network: str) -> Path:
    """The recipe that comes with a network."""
    name = f"{network}.toml"
    return next((folder / name for folder in _FOLDERS if (folder / name).is_file()), Path(name))


def read_values(path: Path) -> dict[str, Any]:
    """What a recipe sets, unchecked; raises ConfigError for a file that is no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"cannot read the recipe {path} ({reason}); expected a TOML file of settings; "
            "check --recipe"
        ) from error


def read_recipe(path: Path) -> dict[str, Any]:
    """Read a recipe: all of the settings, none besides; raises ConfigError otherwise."""
    recipe = read_values(path)
    names = [field.name for field in fields(TrainingSettings) if field.name not in _FILES]
    for name in (*names, *recipe):
        if name not in recipe or name not in names:
            fault = "does not set" if name in names else "sets an unknown"
            raise ConfigError(
                f"the recipe {path} {fault} {name}; expected each of {', '.join(names)}; "
                "start from the recipe of another network"
            )
    for name, (fits, expected) in _RULES.items():
        if not fits(recipe[name]):
            raise ConfigError(
                f"the recipe {path} sets {name} to {recipe[name]!r}; expected {expected}; "
                "correct the file"
            )
    return recipe


def _one_of(names: tuple[str, ...]) -> Rule:
    return (lambda value: value in names), " or ".join(names)


def _whole(low: int) -> Rule:
    # Not a bool, which is an int to Python.
    return (lambda value: type(value) is int and value >= low), f"a whole number from {low}"


def _number(fits: Callable[[float], bool], expected: str) -> Rule:
    return (lambda value: type(value) in (int, float) and fits(value)), expected


_TRUE_OR_FALSE: Rule = ((lambda value: isinstance(value, bool)), "true or false")
_SHARE = _number(lambda value: 0 <= value <= 1, "a share from 0 to 1")
_SHARE_BELOW_1 = _number(lambda value: 0 <= value < 1, "a share from 0 to below 1")
_FROM_0 = _number(lambda value: 0 <= value < float("inf"), "a number from 0")

_RULES: dict[str, Rule] = {
    "arch": _one_of(tuple(sorted(ARCHITECTURES))),
    "epochs": _whole(1),
    "batch_size": _whole(1),
    "lr": _number(lambda value: 0 < value < float("inf"), "a number above 0"),
    "schedule": _one_of(SCHEDULES),
    "label_smoothing": _SHARE_BELOW_1,
    "augment": _TRUE_OR_FALSE,
    "class_weights": _TRUE_OR_FALSE,
    "patience": _whole(0),
    "seed": _whole(0),
    "optimizer": _one_of(OPTIMIZERS),
    "weight_decay": _FROM_0,
    "average": _SHARE_BELOW_1,
    "mixup": _FROM_0,
    "erase": _SHARE,
    "degrade": _SHARE,
    "teacher_share": _SHARE,
}
