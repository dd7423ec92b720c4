"""Cameras, films, brokers and runs, ended with each test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults.camera import RtspCamera, write_film
from tests.faults.running import Running
from tests.mqtt.conftest import broker, listen, make_broker

__all__ = ["broker", "listen", "make_broker"]
# File limits of other processes, /proc and GStreamer's server: all of it is Linux's.
collect_ignore_glob = [] if sys.platform == "linux" else ["test_*.py"]


@dataclass(frozen=True)
class Films:
    """What cameras show, as raw H.264."""

    large: Path
    """640x480 px."""
    small: Path
    """320x240 px."""


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Films:
    folder = tmp_path_factory.mktemp("films")
    return Films(
        write_film(folder / "large.h264", (640, 480), 3.0),
        write_film(folder / "small.h264", (320, 240), 3.0),
    )


@pytest.fixture
def make_camera() -> Iterator[Callable[[], RtspCamera]]:
    """Return a function that makes a camera, not started yet."""
    with ExitStack() as stack:

        def make() -> RtspCamera:
            camera = RtspCamera()
            stack.callback(camera.kill)
            return camera

        yield make


@pytest.fixture
def camera(make_camera: Callable[[], RtspCamera], films: Films) -> RtspCamera:
    """Return a camera that shows the large film."""
    camera = make_camera()
    camera.start(films.large)
    return camera


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of the run under test."""
    path = tmp_path / "run"
    path.mkdir()
    return path


@pytest.fixture
def run(folder: Path) -> Iterator[Callable[..., Running]]:
    """Return a function that starts `fer-stream run ARGUMENTS`."""
    with ExitStack() as stack:

        def start(*arguments: str, **options: Any) -> Running:
            running = Running(folder, *arguments, **options)
            stack.enter_context(running.program)
            return running

        yield start
