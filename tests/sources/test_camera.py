"""The camera source, as far as it goes without a camera: a film stands in for one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import pytest

from fer_stream.errors import ConfigError, SourceError
from fer_stream.plugins import installed
from fer_stream.sources import camera
from fer_stream.sources.camera import CameraSource, list_cameras, named_cameras
from fer_stream.spec import StageSpec, build


@pytest.mark.parametrize("target", ["front", "-1", "0.5", "²", "/dev/video0"])
def test_a_camera_is_a_number(target: str) -> None:
    with pytest.raises(ConfigError, match="camera must be a number such as camera:0, of at"):
        CameraSource(target)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"width": 0}, "width must be above 0, got 0"),
        ({"height": -480}, "height must be above 0, got -480"),
        ({"fps": 0.0}, "fps must be above 0, got 0"),
        ({"fourcc": "MJPEG"}, "fourcc must be four letters such as MJPG, got 'MJPEG'"),
        ({"fourcc": "MJP€"}, "fourcc must be four letters"),
    ],
)
def test_options_that_no_camera_has_are_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        CameraSource("0", **options)


def test_options_are_read_from_text() -> None:
    cls = installed().get("source", "camera")
    build(cls, StageSpec("camera", "1", {"width": "1280", "fps": "29.97", "fourcc": "YUYV"}))
    with pytest.raises(ConfigError, match="option 'width' must be a whole number, got 'wide'"):
        build(cls, StageSpec("camera", "1", {"width": "wide"}))


def test_a_name_that_the_kernel_has_cut_in_a_letter_is_no_error(tmp_path: Path) -> None:
    for number, name in ((10, b"Kamera\n"), (2, "Caméra intégrée pour ordinateurs".encode()[:16])):
        (tmp_path / f"video{number}").mkdir()
        (tmp_path / f"video{number}" / "name").write_bytes(name)
    assert named_cameras(tmp_path) == [(2, "Caméra intégr\ufffd"), (10, "Kamera")]


def test_a_camera_that_is_not_there_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SourceError, match="cannot open camera 987; is it plugged in"):
        CameraSource("987").open()


_VideoCapture = cv2.VideoCapture


class Film:
    """OpenCV's reader of a film in place of a camera's; its first `asleep` reads fail."""

    def __init__(self, path: Path, asleep: int = 0) -> None:
        self.reader = _VideoCapture(str(path))
        self.asleep = asleep
        self.asked: list[tuple[int, float]] = []
        self.released = 0

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.reader.isOpened()

    def set(self, key: int, value: float) -> bool:
        self.asked.append((key, value))
        return self.reader.set(key, value)

    def get(self, key: int) -> float:
        return self.reader.get(key)

    def read(self) -> tuple[bool, Any]:
        self.asleep -= 1
        return (False, None) if self.asleep >= 0 else self.reader.read()

    def release(self) -> None:
        self.released += 1


@pytest.fixture
def plugged(face_clip: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Film]:
    """Return a function that puts a film in the cameras' place."""

    def plug(asleep: int = 0, path: Path = face_clip) -> Film:
        film = Film(path, asleep)
        monkeypatch.setattr(camera.cv2, "VideoCapture", lambda _index, _api: film)
        return film

    return plug


def test_a_camera_gives_its_pictures_until_it_is_lost(plugged: Callable[..., Film]) -> None:
    film = plugged()
    source = CameraSource("3")
    info = source.open()
    assert (info.source_id, info.width, info.height, info.fps) == ("camera:3", 320, 240, 25.0)
    assert info.live
    frames = source.frames()
    seen = [next(frames) for _ in range(39)]  # the first of forty was for a look at its size
    assert [frame.index for frame in seen] == list(range(39))
    assert all(later.time_s >= frame.time_s for frame, later in pairwise(seen))
    assert seen[0].image.shape == (240, 320, 3)
    with pytest.raises(SourceError, match="camera 3 was lost after 39 frames"):
        next(frames)
    source.close()
    assert film.released == 1


def test_a_camera_is_asked_for_its_format_before_its_size(plugged: Callable[..., Film]) -> None:
    film = plugged()
    CameraSource("0", width=1280, height=720, fps=30.0).open()
    assert film.asked == [
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
        (cv2.CAP_PROP_FRAME_WIDTH, 1280),
        (cv2.CAP_PROP_FRAME_HEIGHT, 720),
        (cv2.CAP_PROP_FPS, 30.0),
    ]
    film = plugged()
    CameraSource("0", fourcc="YUYV").open()
    assert film.asked == [(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"YUYV"))]


def test_a_camera_that_wakes_up_slowly_is_waited_for(plugged: Callable[..., Film]) -> None:
    plugged(asleep=2)
    assert CameraSource("0").open().width == 320


def test_a_camera_that_gives_no_picture_is_let_go(
    plugged: Callable[..., Film], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera, "_FIRST_FRAME_TRIES", 2)
    film = plugged(asleep=9)
    with pytest.raises(SourceError, match="camera 0 opens but gives no picture; is it in use"):
        CameraSource("0").open()
    assert film.released == 1


def test_cameras_that_can_be_opened_are_listed_with_their_names(
    plugged: Callable[..., Film], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera.sys, "platform", "linux")
    monkeypatch.setattr(camera, "named_cameras", lambda: [(2, "Kamera"), (4, "")])
    film = plugged()
    assert list_cameras() == ["2 (Kamera)", "4"]
    assert film.released == 2
    plugged(path=tmp_path / "none.mp4")
    assert list_cameras() == []
