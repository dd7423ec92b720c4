"""Every source that is installed keeps the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import pytest

from fer_stream.plugins import installed
from fer_stream.sources.camera import list_cameras
from fer_stream.spec import StageSpec, build
from fer_stream.testing import FakeSource, check_source
from tests.clips import Image
from tests.webserver import serving


@pytest.fixture
def web(face_clip: Path) -> Iterator[str]:
    with serving(face_clip.parent) as address:
        yield f"http://{address}/{face_clip.name}"


@pytest.fixture
def folder(tmp_path: Path, moving_face: list[Image]) -> Path:
    for number, image in enumerate(moving_face[:5]):
        cv2.imwrite(str(tmp_path / f"{number}.png"), image[: 200 + 10 * number])
    return tmp_path


def _camera() -> str:
    if not list_cameras():
        pytest.skip("needs a camera")
    return "0"


# What each is asked to read; a new source without a line here fails.
TARGETS: dict[str, Callable[[pytest.FixtureRequest], StageSpec]] = {
    "file": lambda request: StageSpec("file", str(request.getfixturevalue("face_clip"))),
    "images": lambda request: StageSpec("images", str(request.getfixturevalue("folder"))),
    "network": lambda request: StageSpec("network", request.getfixturevalue("web")),
    "camera": lambda _: StageSpec("camera", _camera()),
    "demo": lambda _: StageSpec("demo", options={"seconds": "2"}),
}


@pytest.mark.parametrize("name", sorted(installed().table("source")))
def test_a_source_keeps_the_contract(name: str, request: pytest.FixtureRequest) -> None:
    spec = TARGETS[name](request)
    source = build(installed().get("source", name), spec)
    frames = check_source(source, finite=name != "camera")
    assert len(frames) > 4


def test_the_fake_source_keeps_the_contract() -> None:
    source = FakeSource(count=3)
    assert len(check_source(source)) == 3
    assert (source.opened, source.given, source.closed) == (1, 3, 1)
