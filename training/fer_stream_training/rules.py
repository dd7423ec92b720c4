"""Reading a recipe, a TOML file that names every setting of a training, and what each may be."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fer_stream.errors import ConfigError

from .settings import HIGHEST_SEED

Rule = tuple[Callable[[Any], bool], str]
"""Whether a value fits, and what is expected of it."""


def read_recipe(path: Path, rules: Mapping[str, Rule]) -> dict[str, Any]:
    """Read a recipe that sets all that there are rules for, and nothing else.

    Raises ConfigError for a file that does not, or breaks a rule.
    """
    recipe = _toml(path)
    for name in (*rules, *recipe):
        if name not in recipe or name not in rules:
            fault = "does not set" if name in rules else "sets an unknown"
            raise ConfigError(
                f"the recipe {path} {fault} {name}; expected each of {', '.join(rules)}; "
                "start from a recipe that ships"
            )
    for name, (fits, expected) in rules.items():
        if not fits(recipe[name]):
            raise ConfigError(
                f"the recipe {path} sets {name} to {recipe[name]!r}; expected {expected}; "
                "correct the file"
            )
    return recipe


def changed_recipe(
    path: Path, rules: Mapping[str, Rule], flags: Mapping[str, Any]
) -> dict[str, Any]:
    """A recipe, with what ``flags`` says instead where that is not None.

    Raises ConfigError as `read_recipe` does, also for a flag that breaks a rule.
    """
    chosen = {name: value for name, value in flags.items() if value is not None}
    for name, value in chosen.items():
        if name in rules and not rules[name][0](value):  # click's ranges let NaN and inf through
            flag, expected = name.replace("_", "-"), rules[name][1]
            raise ConfigError(f"--{flag} is {value!r}; expected {expected}; correct it")
    return {**read_recipe(path, rules), **chosen}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"cannot read the recipe {path} ({reason}); expected a TOML file of settings; "
            "check --recipe"
        ) from error


def one_of(names: tuple[str, ...]) -> Rule:
    """One of some words."""
    return (lambda value: value in names), " or ".join(names)


def whole(low: int, multiple: int = 1) -> Rule:
    """A whole number from ``low`` on; of a ``multiple`` where only those fit."""
    kind = f"a multiple of {multiple}" if multiple > 1 else "a whole number"
    return (
        # Not a bool, which is an int to Python.
        lambda value: type(value) is int and value >= low and value % multiple == 0
    ), f"{kind} from {low}"


def number(fits: Callable[[float], bool], expected: str) -> Rule:
    """A number that ``fits``."""
    return (lambda value: type(value) in (int, float) and fits(value)), expected


TRUE_OR_FALSE: Rule = ((lambda value: isinstance(value, bool)), "true or false")
SHARE = number(lambda value: 0 <= value <= 1, "a share from 0 to 1")
SHARE_BELOW_1 = number(lambda value: 0 <= value < 1, "a share from 0 to below 1")
FROM_0 = number(lambda value: 0 <= value < float("inf"), "a number from 0")
ABOVE_0 = number(lambda value: 0 < value < float("inf"), "a number above 0")
SEED: Rule = (
    (lambda value: type(value) is int and 0 <= value <= HIGHEST_SEED),
    f"a whole number from 0 to {HIGHEST_SEED}",
)
