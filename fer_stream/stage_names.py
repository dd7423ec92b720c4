"""Which stage a text, a path or a table names."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import Any, cast

from fer_stream.errors import ConfigError
from fer_stream.plugins import Plugins
from fer_stream.sources import IMAGE_ENDINGS
from fer_stream.spec import StageSpec, refuse_valueless, split_query
from fer_stream.urls import without_password

StageName = str | Mapping[str, Any]
"""A stage as on the command line, or a table as in TOML: `{"use": "csv:a.csv", "append": True}`."""

# "door=rtsp://camera/1"; before the first `=` stands nothing that a URL or an option would have.
_NAMED = re.compile(r"([^\W\d_](?:[\w -]*\w)?)=(.+)", re.DOTALL)

_SINK_OF = {".csv": "csv", ".jsonl": "jsonl", ".mp4": "video", ".mkv": "video", ".mov": "video"}
"""What a file with that ending is written by."""


def stage_spec(kind: str, asked: object, plugins: Plugins) -> StageSpec:
    """Read one stage: text as on the command line, a path, or a table: `use`, `target`, options.

    A source may have a name before it, `door=rtsp://camera/1`, or in its table, and may be a
    camera's number.
    """
    if isinstance(asked, StageSpec):
        return asked
    asked = _as_written(kind, asked)
    if isinstance(asked, str):
        spec = _parse(kind, asked, plugins)
    elif isinstance(asked, Mapping):
        table = dict(cast("Mapping[str, Any]", asked))
        if not isinstance(table.get("use"), str):
            raise ConfigError(f"{kind}: a table needs the key 'use', e.g. use = \"csv:out.csv\"")
        base = _parse(kind, table.pop("use"), plugins)
        target = _as_written(kind, table.pop("target", base.target))
        if not isinstance(target, str):
            raise ConfigError(f"{kind}: the key 'target' must be text, got {target!r}")
        called = table.pop("name", base.called) if kind == "source" else ""
        spec = StageSpec(base.name, target, {**base.options, **table}, called)
    else:
        shown = without_password(" ".join(repr(asked).split()))  # an array's has several lines
        raise ConfigError(f"{kind} must be text or a table, got {shown}")
    if not isinstance(spec.called, str):
        raise ConfigError(f"source: the key 'name' must be text, got {spec.called!r}")
    ending = Path(spec.name).suffix.lower()
    if kind == "sink" and spec.name not in plugins.table("sink") and ending in _SINK_OF:
        raise ConfigError(f"unknown sink '{spec.name}'; write {_SINK_OF[ending]}:{spec.name}")
    plugins.get(kind, spec.name)
    return spec


def _as_written(kind: str, value: object) -> object:
    """Return a path or a camera's number as on the command line; what is neither, as it is."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    is_number = isinstance(value, Integral) and not isinstance(value, bool)
    return str(value) if kind == "source" and is_number else value


def _parse(kind: str, text: str, plugins: Plugins) -> StageSpec:
    if not text:
        raise ConfigError(f"an empty {kind} was given; expected NAME, NAME:TARGET or a URL")
    exists = os.path.exists  # not Path: that raises for a name that is too long
    if kind == "source" and (named := _NAMED.fullmatch(text)) and not exists(text):
        return replace(_parse(kind, named[2], plugins), called=named[1])
    scheme, is_url, _ = text.partition("://")
    by_scheme = plugins.by_scheme(kind, scheme.lower()) if is_url else None
    if kind == "source" and is_url:
        # A camera's own query (?channel=1&subtype=0) belongs to its URL, also in network:rtsp://...
        name, _, target = text.partition(":")
        return StageSpec(by_scheme, text) if by_scheme else StageSpec(name, target)
    head, options = (text, {}) if kind == "source" and exists(text) else split_query(text)
    name, _, target = head.partition(":")
    if by_scheme:
        spec = StageSpec(by_scheme, head, options)
    elif kind == "source":
        spec = _bare_source(head, options, plugins)
    else:
        spec = StageSpec(name, target, options)
    if "?" in head and not exists(head):
        written = name.partition("?")[0]
        meant = written if written in plugins.table(kind) else spec.name
        if meant in plugins.table(kind):
            refuse_valueless(plugins.get(kind, meant), head)
    return spec


def _bare_source(head: str, options: Mapping[str, Any], plugins: Plugins) -> StageSpec:
    # os.path, not Path: that raises for a name that is too long.
    exists, is_dir = os.path.exists, os.path.isdir
    name, _, target = head.partition(":")
    if not exists(head):
        if head.isdecimal():
            return StageSpec("camera", head, options)
        if name in plugins.table("source"):
            return StageSpec(name, target, options)
    is_glob = bool(set(head) & set("*[")) and not exists(head)  # "talk [final].mp4" is a file
    is_pictures = is_dir(head) or Path(head).suffix.lower() in IMAGE_ENDINGS or is_glob
    reader = "images" if is_pictures else "file"
    # A file may have any name: one that is there is meant, but where that is a source in full.
    stage = "camera" if head.isdecimal() else head
    if exists(head) and stage != reader and stage in plugins.table("source"):
        here, number = "folder" if is_dir(head) else "file", head if head.isdecimal() else ""
        raise ConfigError(
            f"'{head}' is a {here} here and also a source; write ./{head} for the {here}, or "
            f"{stage}:{number} for the source"
        )
    return StageSpec(reader, head, options)
