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

_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


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
    """Split `what?key=value&key=value` at its last `?`; without `=` behind it, it is no query."""
    head, mark, query = text.rpartition("?")
    if not mark or "=" not in query:
        return text, {}
    return head, dict(parse_qsl(query, keep_blank_values=True))


def options_of(cls: type[Stage]) -> dict[str, inspect.Parameter]:
    """Return a stage's options: the keyword-only parameters of its constructor."""
    parameters = inspect.signature(cls, eval_str=True).parameters
    return {k: p for k, p in parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}


def build(cls: type[S], spec: StageSpec) -> S:
    """Build a stage; raises `ConfigError` for an option it does not have or cannot read."""
    known = options_of(cls)
    options = {}
    for key, value in spec.options.items():
        if key not in known:
            expected = ", ".join(known) if known else "it has none"
            raise ConfigError(f"{spec.name} has no option '{key}'; its options: {expected}")
        options[key] = _convert(spec.name, key, value, known[key].annotation)
    return cls(spec.target, **options)


def _convert(name: str, key: str, value: Any, annotation: Any) -> Any:
    union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    wanted = (
        [t for t in typing.get_args(annotation) if t is not type(None)] if union else [annotation]
    )
    kind = wanted[0]
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
