"""What a plugin can add. A hook registers classes once; it never runs per frame.

A plugin is a module that defines one or more of these functions, marked with `hookimpl`, and is
named in the entry-point group `fer_stream` (or given as a file to `--plugin`):

    from fer_stream import Sink, hookimpl

    class Shout(Sink):
        name = "shout"

        def write(self, result):
            for face in result.faces:
                print(face.scores.top.upper())

    @hookimpl
    def fer_register_sinks():
        return [Shout]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:  # a plugin that adds only a command should not pay for numpy
    import click

    from fer_stream.stages import Classifier, Detector, Filter, Sink, Source, Tracker

PROJECT = "fer_stream"
"""pluggy's project name and the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def fer_register_sources() -> Sequence[type[Source]]:  # type: ignore[empty-body]
    """Return `Source` classes."""


@hookspec
def fer_register_detectors() -> Sequence[type[Detector]]:  # type: ignore[empty-body]
    """Return `Detector` classes."""


@hookspec
def fer_register_trackers() -> Sequence[type[Tracker]]:  # type: ignore[empty-body]
    """Return `Tracker` classes."""


@hookspec
def fer_register_classifiers() -> Sequence[type[Classifier]]:  # type: ignore[empty-body]
    """Return `Classifier` classes."""


@hookspec
def fer_register_filters() -> Sequence[type[Filter]]:  # type: ignore[empty-body]
    """Return `Filter` classes."""


@hookspec
def fer_register_sinks() -> Sequence[type[Sink]]:  # type: ignore[empty-body]
    """Return `Sink` classes."""


@hookspec
def fer_register_commands() -> Sequence[click.Command]:  # type: ignore[empty-body]
    """Return click commands, added to `fer-stream`. Import heavy things inside the command."""
