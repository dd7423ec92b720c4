"""Reads how a stage is asked for: `NAME`, `NAME:TARGET` or a URL, with options as a query."""

from __future__ import annotations

import inspect
import math
import types
import typing
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from fer_stream.errors import ConfigError
from fer_stream.stages import Stage
from fer_stream.urls import without_password

S = TypeVar("S", bound=Stage)

_OPTION_TYPES = (int, float, bool, str)
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_ONE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_BY_PLACE = (*_ONE, inspect.Parameter.VAR_POSITIONAL)


@dataclass(frozen=True, slots=True)
class StageSpec:
    """A stage that somebody asked for: which, on what, with which options."""

    name: str
    target: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Text from a query, or typed values from TOML."""
    called: str = ""
    """What the user calls a source; empty: what it calls itself."""

    def __str__(self) -> str:
        """Return what the user would recognise, without a password."""
        return f"{self.name}:{without_password(self.target)}" if self.target else self.name


def split_query(text: str) -> tuple[str, dict[str, str]]:
    """Split `what?key=value&key=value` at its last `?`; without `=` behind it, it is no query.

    %20 and the like stand for a letter; a + is one, as in file names, and no blank.
    """
    head, mark, query = text.rpartition("?")
    if not mark or "=" not in query:
        return text, {}
    return head, dict(parse_qsl(query.replace("+", "%2B"), keep_blank_values=True))


def options_of(cls: type[Stage]) -> dict[str, inspect.Parameter]:
    """Return a stage's options: the keyword-only parameters of its constructor."""
    parameters = inspect.signature(cls, eval_str=True).parameters
    return {k: p for k, p in parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}


def refuse_valueless(cls: type[Stage], text: str) -> None:
    """Raise `ConfigError` if text that is no query ends in one of a stage's options: `?append`."""
    known = options_of(cls)
    for key in text.rpartition("?")[2].split("&"):
        if key in known:
            value = "yes" if _wanted(known[key].annotation) is bool else "..."
            raise ConfigError(f"{cls.name}: option '{key}' has no value; write ?{key}={value}")


def constructor_problem(cls: type[Stage]) -> str | None:
    """Return why a stage cannot be built from `(target, **options)`, or None."""
    try:
        signature = inspect.signature(cls, eval_str=True)
    except Exception as error:  # an annotation is any expression
        return (
            f"has a constructor whose annotations cannot be read ({error}); import what they name "
            "at run time too, not only under TYPE_CHECKING"
        )
    ordered = [p for p in signature.parameters.values() if p.kind in _BY_PLACE]
    if not ordered or any(p.default is p.empty and p.kind in _ONE for p in ordered[1:]):
        return "needs a constructor that takes a target, and options by keyword"
    for key, option in options_of(cls).items():
        if _wanted(option.annotation) not in _OPTION_TYPES:
            return (
                f"needs a type for its option '{key}', such as {key}: int; "
                "there are int, float, bool and str, each also | None"
            )
    return None


def build(cls: type[S], spec: StageSpec) -> S:
    """Build a stage; raises `ConfigError` for an option it lacks, needs or cannot read."""
    known = options_of(cls)
    options = {}
    for key, value in spec.options.items():
        if key not in known:
            expected = ", ".join(known) if known else "it has none"
            raise ConfigError(f"{spec.name} has no option '{key}'; its options: {expected}")
        options[key] = _convert(spec.name, key, value, known[key].annotation)
    for key, option in known.items():
        if option.default is option.empty and key not in options:
            raise ConfigError(f"{spec.name} needs the option '{key}': {spec.name}?{key}=...")
    return cls(spec.target, **options)


def _convert(name: str, key: str, value: Any, annotation: Any) -> Any:
    kind = _wanted(annotation)
    read = None
    if isinstance(value, str):
        with suppress(ValueError, KeyError):
            read = _WORDS[value.lower()] if kind is bool else kind(value)
    elif isinstance(value, int if kind is not float else (int, float)) and (
        isinstance(value, bool) == (kind is bool)
    ):
        read = kind(value)
    # A NaN would slip through every limit, and nobody can count or wait up to infinity.
    if read is not None and (kind is not float or math.isfinite(read)):
        return read
    expected = {bool: "true or false", int: "a whole number", float: "a number"}.get(kind, "text")
    raise ConfigError(f"{name}: option '{key}' must be {expected}, got '{value}'")


def _wanted(annotation: Any) -> Any:
    """Return what an option is turned into: `int` of `int | None`."""
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotation
    return next(t for t in typing.get_args(annotation) if t is not type(None))
