"""A run's stages, made of its settings, and the engine that joins them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from fer_stream.config import RunConfig
from fer_stream.engine.blame import refuse, stage_error
from fer_stream.engine.engine import Engine
from fer_stream.engine.lane import Plan
from fer_stream.engine.supervisor import Origin
from fer_stream.errors import FerStreamError
from fer_stream.plugins import Plugins
from fer_stream.promises import classifier_problem
from fer_stream.spec import StageSpec, build, options_of
from fer_stream.stages import Classifier, Filter, Sink, Tracker
from fer_stream.types import RunInfo


def make_engine(config: RunConfig, plugins: Plugins, *, collect: bool = False) -> Engine:
    """Build a run's stages, as `make_parts` does, and the engine that joins them."""
    parts = make_parts(config, plugins)
    return Engine(
        parts.plans,
        parts.classifier,
        parts.sinks,
        parts.run,
        collect=collect,
        on_sink_error=config.on_sink_error,
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """What an engine is made of."""

    plans: list[Plan]
    classifier: Classifier
    sinks: list[Sink]
    run: RunInfo


def make_parts(config: RunConfig, plugins: Plugins) -> Parts:
    """Build a run's stages; nothing but the models is opened yet.

    Raises `ConfigError` for an option that a stage does not have, `ModelError` for a model that
    cannot be used, and `StageError` for a stage with a bug.
    """
    maker = _Maker(config, plugins)
    maker.tracker(), maker.filters()  # a wrong option is found now, not at the first frame
    plans = [maker.plan(spec) for spec in config.source]
    sinks: list[Sink] = [maker.stage("sink", spec) for spec in config.sink]
    classifier = make_classifier(config.classifier, plugins)
    info = RunInfo(
        instance=config.instance,
        sources=(),  # the engine names them once they are open
        labels=tuple(classifier.labels),
        model_name=classifier.model_name,
        model_sha256=classifier.model_sha256,
    )
    return Parts(plans, classifier, sinks, info)


class _Maker:
    """Makes a run's stages, each as often as it is asked: most serve one session only."""

    def __init__(self, config: RunConfig, plugins: Plugins) -> None:
        self._config = config
        self._plugins = plugins

    def stage(self, kind: str, spec: StageSpec) -> Any:
        return make_stage(kind, spec, self._plugins)

    def tracker(self) -> Tracker:
        tracker: Tracker = self.stage("tracker", self._config.tracker)
        return tracker

    def filters(self) -> list[Filter]:
        return [self.stage("filter", spec) for spec in self._config.filter]

    def plan(self, source: StageSpec) -> Plan:
        return Plan(
            origin=self._origin(source),
            detector=self.stage("detector", self._config.sized_detector),
            new_tracker=self.tracker,
            new_filters=self.filters,
            detect_every=self._config.detect_every,
            analyse_fps=self._config.analyse_fps,
        )

    def _origin(self, spec: StageSpec) -> Origin:
        live = {"auto": None, "file": False, "live": True}[self._config.mode]
        if live is not None and "live" in options_of(self._plugins.get("source", spec.name)):
            spec = replace(spec, options={**spec.options, "live": live})
        return Origin(partial(self.stage, "source", spec), spec.called, live)


def make_classifier(spec: StageSpec, plugins: Plugins) -> Classifier:
    """Build a classifier; raises what `make_parts` does."""
    classifier: Classifier = make_stage("classifier", spec, plugins)
    refuse(classifier, "as it was made", classifier_problem(classifier))
    return classifier


def make_stage(kind: str, spec: StageSpec, plugins: Plugins) -> Any:
    """Build one stage; raises what `make_parts` does."""
    try:
        return build(plugins.get(kind, spec.name), spec)
    except FerStreamError:
        raise
    except Exception as error:
        raise stage_error(f"{kind} '{spec.name}'", "cannot be made", error) from error
