"""One run's settings: flags over a TOML file over defaults, checked before anything is opened."""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from fer_stream.errors import ConfigError
from fer_stream.plugins import Plugins
from fer_stream.sources import is_picture_of
from fer_stream.spec import StageSpec, options_of
from fer_stream.stage_names import stage_spec
from fer_stream.words import nearest

OnSinkError = Literal["auto", "stop", "continue"]
Mode = Literal["auto", "file", "live"]

_FLAGS = ("config", "profile")  # of `fer-stream run`, that are no settings
_STREAM = "-"
"""The target that is standard input of a source, standard output of a sink."""


@dataclass(frozen=True, slots=True)
class RunConfig:
    """All settings of a run. The field names are the TOML file's keys."""

    source: tuple[StageSpec, ...]
    sink: tuple[StageSpec, ...] = ()
    detector: StageSpec = StageSpec("onnx")
    tracker: StageSpec = StageSpec("iou")
    classifier: StageSpec = StageSpec("onnx")
    filter: tuple[StageSpec, ...] = (StageSpec("smooth"),)
    detect_every: int | None = None
    """N: detect on every N-th frame; the tracker follows the boxes in between. None: about three
    times a second where the picture changes, once where it does not."""
    detect_size: int | None = None
    """Long side in px that the detector shrinks a frame to; None: its own."""
    analyse_fps: float | None = None
    """How many frames of a second to analyse; None: all. In between faces are searched for and
    followed, but not read."""
    on_sink_error: OnSinkError = "auto"
    """auto: stop a run over files; continue a live one and try the failed sink again."""
    mode: Mode = "auto"
    """auto: each source says what it is. file: all are recordings that must be there and whole.
    live: of each the newest frame counts, and one that is lost is opened again."""
    instance: str = "fer-stream"
    """Names this run in events."""
    metrics: str = ""
    """HOST:PORT where `fer-stream run` serves metrics and health; empty: nowhere."""

    def __post_init__(self) -> None:
        if not self.source:
            raise ConfigError(
                "no source; give at least one, such as --source 0 or --source talk.mp4"
            )
        if self.detect_every is not None and self.detect_every < 1:
            raise ConfigError(f"detect_every must be at least 1, got {self.detect_every}")
        if self.analyse_fps is not None and not 0 < self.analyse_fps < math.inf:  # no NaN either
            raise ConfigError(f"analyse_fps must be above 0 and finite, got {self.analyse_fps}")
        for key, kind in (("on_sink_error", OnSinkError), ("mode", Mode)):
            if getattr(self, key) not in get_args(kind):
                expected = ", ".join(get_args(kind))
                raise ConfigError(f"{key} must be one of {expected}; got '{getattr(self, key)}'")

    @property
    def sized_detector(self) -> StageSpec:
        """The detector, with `detect_size` among its options."""
        if self.detect_size is None:
            return self.detector
        options = {**self.detector.options, "detect_size": self.detect_size}
        return replace(self.detector, options=options)


def read_toml(path: str | Path) -> dict[str, Any]:
    """Return the settings of a TOML file; raises `ConfigError` for what is not a setting."""
    _refuse_empty("config", path)
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")  # some editors begin with a mark
        settings = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    known = {*(f.name for f in fields(RunConfig)), "model", "plugin"}
    for key in settings:
        if key in _FLAGS:
            raise ConfigError(f"{path}: '{key}' is for the command line alone: --{key}")
        if key not in known:
            hint = nearest(key, known)
            raise ConfigError(
                f"{path}: unknown key '{key}'; {hint}known: {', '.join(sorted(known))}"
            )
    return settings


def make_config(settings: Mapping[str, Any], plugins: Plugins) -> RunConfig:
    """Turn settings (TOML's shapes; flags give strings and lists of strings) into a `RunConfig`.

    Raises `ConfigError` or `PluginError` for a name that nothing provides.
    """
    values = dict(settings)
    values.pop("plugin", None)
    if asked := classifier_of(values.pop("model", None), values.get("classifier")):
        values["classifier"] = asked
    for key in ("source", "sink", "filter"):
        if key in values:
            values[key] = tuple(stage_spec(key, one, plugins) for one in as_list(values[key]))
    for key in ("detector", "tracker", "classifier"):
        if key in values:
            values[key] = stage_spec(key, values[key], plugins)
    values.setdefault("source", ())
    _check_plain(values)
    config = RunConfig(**values)
    _check_apart(config, plugins)
    _check_size(config, plugins)
    return config


def classifier_of(model: str | Path | None, classifier: object) -> object:
    """Return the classifier that is asked for, as either may ask for it; None if neither does."""
    if model is None:
        return classifier
    _refuse_empty("model", model)
    if classifier is not None:
        raise ConfigError("give either model or classifier: model is short for onnx:PATH")
    return {"use": "onnx", "target": str(model)}


def as_list(one_or_several: Any) -> list[Any]:
    """Return a list or tuple as a list, anything else as its only item."""
    several = isinstance(one_or_several, list | tuple)
    return list(one_or_several) if several else [one_or_several]


def _check_apart(config: RunConfig, plugins: Plugins) -> None:
    """Refuse sources and sinks that would get in each other's way; raises `ConfigError`."""
    for number, spec in enumerate(config.source):
        before = config.source[:number]
        if spec in before:
            raise ConfigError(f"source '{spec}' is given twice; its rows could not be told apart")
        if spec.called and spec.called in (other.called for other in before):
            raise ConfigError(f"two sources are called '{spec.called}'; give each its own name")
    read = [
        spec.target
        for spec in config.source
        if plugins.get("source", spec.name).target_is_path and spec.target != _STREAM
    ]
    written: list[str] = []
    for sink in config.sink:
        files = plugins.get("sink", sink.name).files(sink.target, len(config.source))
        for file in files:
            if any(_same_file(file, other) or is_picture_of(other, file) for other in read):
                raise ConfigError(
                    f"sink '{sink}' would overwrite its own source '{file}'; name another file"
                )
            if any(_same_file(file, other) for other in written):
                shown = "standard output" if file == _STREAM else f"'{file}'"
                raise ConfigError(f"two sinks write to {shown}; give each its own file")
        written += files


def _check_size(config: RunConfig, plugins: Plugins) -> None:
    name = config.detector.name
    if config.detect_size is not None and "detect_size" not in options_of(
        plugins.get("detector", name)
    ):
        raise ConfigError(
            f"detector '{name}' has no detect_size: it sees frames at a size of its own; "
            "leave detect_size away"
        )


def _same_file(one: str, other: str) -> bool:
    if not one or not other:
        return False
    try:
        # A file that is not there yet has only its name; a hard link has another.
        return os.path.realpath(one) == os.path.realpath(other) or Path(one).samefile(other)
    except (OSError, ValueError):
        return False


def _check_plain(values: Mapping[str, Any]) -> None:
    for key, kind, expected in (
        ("detect_every", int, "a whole number"),
        ("detect_size", int, "a whole number"),
        ("analyse_fps", (int, float), "a number"),
        ("on_sink_error", str, "text"),
        ("instance", str, "text"),
        ("mode", str, "text"),
        ("metrics", str, "text"),
    ):
        value = values.get(key)
        if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            raise ConfigError(f"{key} must be {expected}, got {value!r}")
        _refuse_empty(key, value)


def _refuse_empty(key: str, value: object) -> None:
    """Refuse an empty text, which a shell makes of a variable that is not set."""
    if value == "":
        raise ConfigError(f"{key} is empty; give it a value, or leave it away for the default")
