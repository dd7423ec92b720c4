"""`fer-stream doctor`: what this machine has, and what to do about what it lacks."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

import click

_PACKAGES = ("fer-stream", "numpy", "onnxruntime", "av", "pluggy", "rich", "click")
_OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python")


class Finding(NamedTuple):
    """One thing that was looked at."""

    what: str
    found: str
    hint: str = ""
    """What to do when something is missing."""
    needed: bool = False
    """Without it nothing runs."""


@click.command(short_help="Check this machine: versions, cameras, display, model.")
def doctor() -> None:
    """Check this machine; exit with 1 if something that every run needs is missing."""
    broken = False
    for finding in _findings():
        mark = "ok" if not finding.hint else "MISSING" if finding.needed else "--"
        click.echo(f"{mark:<8} {finding.what:<12} {finding.found}")
        if finding.hint:
            click.echo(f"{'':<21} {finding.hint}")
        broken |= finding.needed and bool(finding.hint)
    sys.exit(1 if broken else 0)


def _findings() -> Iterator[Finding]:
    yield Finding("python", f"{platform.python_version()} on {platform.platform()}")
    for package in _PACKAGES:
        yield _package(package)
    for look in (_opencv, _providers, _model, _encoder, _cameras, _display, _plugins):
        try:
            yield look()
        except ImportError as error:
            what = look.__name__.removeprefix("_")
            hint = f"install what is missing: pip install {error.name or 'fer-stream'}"
            yield Finding(what, str(error), hint, needed=True)


def _package(name: str) -> Finding:
    try:
        return Finding(name, version(name))
    except PackageNotFoundError:
        return Finding(name, "not installed", f"pip install {name}", needed=True)


def _opencv() -> Finding:
    import cv2

    for name in _OPENCV:
        try:
            found = f"{version(name)} ({name})"
        except PackageNotFoundError:
            continue
        if hasattr(cv2, "CascadeClassifier"):
            return Finding("opencv", found)
        return Finding("opencv", found, 'pip install "opencv-python>=4.10,<5"', needed=True)
    return Finding("opencv", cv2.__version__)


def _providers() -> Finding:
    import onnxruntime

    return Finding("providers", ", ".join(onnxruntime.get_available_providers()))


def _model() -> Finding:
    from fer_stream.classifiers.onnx import OnnxClassifier
    from fer_stream.errors import ModelError

    try:
        info = OnnxClassifier().info
    except ModelError as error:
        return Finding("model", str(error), "reinstall fer-stream", needed=True)
    return Finding("model", f"{info.name}, {info.size_bytes / 1e6:.1f} MB, runs")


def _encoder() -> Finding:
    import av

    if "libx264" in av.codecs_available:
        return Finding("h264", "libx264")
    return Finding("h264", "no encoder", "the video sink needs an av with libx264: pip install av")


def _cameras() -> Finding:
    from fer_stream.sources.camera import list_cameras

    found = list_cameras()
    if found:
        return Finding("cameras", ", ".join(found))
    hint = "plug one in and check that you may read it (on Linux: the group 'video')"
    return Finding("cameras", "none found", hint)


def _display() -> Finding:
    from fer_stream.sinks.overlay import display_problem

    problem = display_problem()
    if problem is None:
        return Finding("display", "a window can be opened")
    return Finding("display", "no window can be opened", f"no overlay here: {problem}")


def _plugins() -> Finding:
    from fer_stream.plugins import installed
    from fer_stream.stages import STAGE_KINDS
    from fer_stream.words import counted

    plugins = installed()
    stages = counted(sum(len(plugins.table(kind)) for kind in STAGE_KINDS), "stage")
    if plugins.failures:
        failed = "; ".join(f"{f.plugin}: {f.reason}" for f in plugins.failures)
        return Finding("plugins", f"{stages}; failed: {failed}", "reinstall or remove them")
    return Finding("plugins", f"{stages}, {counted(len(plugins.names()), 'plugin')}")
