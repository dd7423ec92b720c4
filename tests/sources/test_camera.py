"""The camera source, as far as it goes without a camera."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fer_stream.errors import ConfigError, SourceError
from fer_stream.plugins import installed
from fer_stream.sources.camera import CameraSource, named_cameras
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
