"""Pictures, clips and real media for all tests."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data

from tests.clips import Image, pan, write_clip
from tests.clock import Clock
from tests.mjpeg import MjpegCamera, mjpeg_camera
from tests.needs import require_media, require_program

MakeClip = Callable[..., Path]


@pytest.fixture(scope="session")
def astronaut() -> Image:
    """Return a portrait, (512, 512, 3) uint8 BGR; the face is at 175..273 x 65..163 px."""
    picture = np.ascontiguousarray(skimage.data.astronaut()[:, :, ::-1])
    picture.flags.writeable = False
    return picture


@pytest.fixture(scope="session")
def moving_face(astronaut: Image) -> list[Image]:
    """Return 40 views, 320x240 px, of a face that moves 2 px to the left from each to the next."""
    return pan(astronaut, 40)


@pytest.fixture(scope="session")
def face_clip(moving_face: list[Image], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an MP4 of the moving face, 25 frames per second; not to be changed."""
    return write_clip(tmp_path_factory.mktemp("clips") / "face.mp4", moving_face)


@pytest.fixture
def clip(tmp_path: Path, moving_face: list[Image]) -> MakeClip:
    """Return a function that writes a video of its own: `clip("name.mkv", images, **options)`."""

    def make(name: str = "clip.mp4", images: Sequence[Image] | None = None, **options: Any) -> Path:
        return write_clip(tmp_path / name, images or moving_face, **options)

    return make


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """Start an X server that nobody sees, on a free display; return its name."""
    require_program("Xvfb")
    reading, writing = os.pipe()
    # -noreset: without it the server starts anew, and hangs its next client, when one leaves.
    command = ["Xvfb", "-displayfd", str(writing), "-noreset", "-nolisten", "tcp"]
    server = subprocess.Popen(
        [*command, "-screen", "0", "1024x768x24"],
        pass_fds=[writing],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as answer:
        number = answer.readline().strip()
    assert number, "Xvfb does not start"
    yield f":{number}"
    server.terminate()
    server.wait(10)


@pytest.fixture
def camera() -> Iterator[MjpegCamera]:
    """Start a network camera."""
    with mjpeg_camera() as one:
        yield one


@pytest.fixture
def media() -> Callable[[str], Path]:
    """Return a function that finds a file of the real media, or skips the test."""
    return require_media


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Put a clock that stands still in the place of the monotonic one."""
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock
