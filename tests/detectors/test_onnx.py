"""The `onnx` detector: the file that ships finds faces, any file is read as it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fer_stream.detectors.onnx import OnnxDetector
from fer_stream.errors import ConfigError, ModelError
from fer_stream.models import DEFAULT_MODEL, FACE_MODEL
from fer_stream.testing import check_detector, make_frame
from fer_stream.types import Box
from tests.clips import Image
from tests.detectors.models import SQUARE, write_bright_finder

FACE = (224.0, 114.0)
"""Centre of the astronaut's face, px."""


def centre(box: Box) -> tuple[float, float]:
    return box.x + box.width / 2, box.y + box.height / 2


def found(detector: OnnxDetector, image: np.ndarray) -> list[Box]:
    return [detection.box for detection in check_detector(detector, make_frame(image=image))]


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.5])
def test_a_face_is_found_where_it_is(scale: float, astronaut: Image) -> None:
    image = cv2.resize(astronaut, None, fx=scale, fy=scale)
    (box,) = found(OnnxDetector(), image)
    assert centre(box) == pytest.approx((FACE[0] * scale, FACE[1] * scale), abs=12 * scale)
    assert 80 * scale < box.width < 140 * scale
    assert abs(box.width - box.height) <= 1


def test_a_mirrored_face_is_found(astronaut: Image) -> None:
    (box,) = found(OnnxDetector(), np.ascontiguousarray(astronaut[:, ::-1]))
    assert centre(box) == pytest.approx((512 - FACE[0], FACE[1]), abs=12)


@pytest.mark.parametrize("degrees", [-25, 25])
def test_a_tilted_head_is_found(degrees: int, astronaut: Image) -> None:
    turn = cv2.getRotationMatrix2D(FACE, degrees, 1.0)
    tilted = cv2.warpAffine(astronaut, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    (box,) = found(OnnxDetector(), tilted)
    assert centre(box) == pytest.approx(FACE, abs=20)


def test_nothing_is_found_where_nobody_is(astronaut: Image) -> None:
    assert found(OnnxDetector(), astronaut[200:, :].copy()) == []
    assert found(OnnxDetector(), np.zeros((480, 640), np.uint8)) == []
    noise = np.random.default_rng(0).integers(0, 256, (480, 640), dtype=np.uint8)
    assert found(OnnxDetector(), noise) == []


def test_a_higher_threshold_is_stricter(astronaut: Image) -> None:
    (detection,) = OnnxDetector().detect(make_frame(image=astronaut))
    assert detection.confidence is not None
    assert detection.confidence >= OnnxDetector().info.threshold
    above = OnnxDetector(threshold=(1 + detection.confidence) / 2)
    assert above.detect(make_frame(image=astronaut)) == []


def test_the_file_that_ships_is_small_and_says_what_it_is() -> None:
    info = OnnxDetector().info
    assert info.path == FACE_MODEL
    assert info.size_bytes < 600_000
    assert info.trained_on
    assert info.exporter.startswith("fer-stream-training ")


@pytest.fixture
def finder(tmp_path: Path) -> Path:
    return write_bright_finder(tmp_path / "bright.onnx")


@pytest.mark.parametrize("size", [(64, 96), (61, 90), (33, 17), (16, 16)])
def test_a_box_lies_where_its_cell_does(finder: Path, size: tuple[int, int]) -> None:
    image = np.zeros(size, np.uint8)
    image[8:16, 8:16] = 255  # one cell of 8 px
    (detection,) = check_detector(OnnxDetector(str(finder)), make_frame(image=image))
    whole = Box.inside(0, 0, SQUARE, SQUARE, make_frame(image=image))
    assert detection.box == whole
    assert detection.confidence == pytest.approx(1.0)


def test_boxes_are_in_the_pixels_of_the_frame_that_was_shrunk(finder: Path) -> None:
    image = np.zeros((512, 1024), np.uint8)
    image[256:320, 640:704] = 255
    (box,) = found(OnnxDetector(str(finder), detect_size=128), image)
    assert centre(box) == (672, 288)
    assert (box.width, box.height) == (8 * SQUARE, 8 * SQUARE)


def test_a_face_in_the_padding_is_nobodys(finder: Path) -> None:
    image = np.zeros((17, 17), np.uint8)
    image[:, -1] = 255  # repeated, it fills the cells from 17 to 32 px
    assert found(OnnxDetector(str(finder)), image) == []


def test_videos_limited_range_is_widened(finder: Path) -> None:
    image = np.full((32, 32), 16, np.uint8)
    image[8:16, 8:16] = 235
    limited = replace(make_frame(image=image), full_range=False)
    detector = OnnxDetector(str(finder), threshold=0.99)
    assert len(detector.detect(limited)) == 1
    assert detector.detect(make_frame(image=image)) == []


def test_where_everything_is_like_a_face_the_surest_are_kept(finder: Path) -> None:
    image = np.full((640, 640), 240, np.uint8)
    image[600:608, 600:608] = 255
    faces = OnnxDetector(str(finder)).detect(make_frame(image=image))
    assert len(faces) > 20
    assert faces[0].confidence == pytest.approx(1.0)
    assert centre(faces[0].box) == pytest.approx((604, 604), abs=8)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"detect_size": 31}, "onnx: detect_size must be at least 32, got 31"),
        ({"threshold": 0.0}, "onnx: threshold must be between 0 and 1, got 0.0"),
        ({"threshold": 1.0}, "onnx: threshold must be between 0 and 1"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        OnnxDetector(**options)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no such model: .*nowhere\.onnx"):
        OnnxDetector(str(tmp_path / "nowhere.onnx"))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "half.onnx"
    path.write_bytes(FACE_MODEL.read_bytes()[:20_000])
    with pytest.raises(ModelError, match=r"cannot load model .*half\.onnx"):
        OnnxDetector(str(path))


def test_a_classifier_is_refused_by_what_it_is() -> None:
    with pytest.raises(ModelError, match="is an emotion classifier; expected metadata"):
        OnnxDetector(str(DEFAULT_MODEL))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"cells": None}, "is no face detector of fer-stream; expected metadata"),
        ({"cells": "{"}, "must be its grids"),
        ({"cells": {"strides": [8, 16]}}, "must be its grids"),
        ({"cells": {"strides": [], "side_unit": 4}}, "must be its grids"),
        ({"cells": {"strides": [0, 16], "side_unit": 4}}, "must be its grids"),
        ({"cells": {"strides": [6, 16], "side_unit": 4}}, "must be its grids"),
        ({"cells": {"strides": [8, 16], "side_unit": 0}}, "must be its grids"),
        ({"threshold": "often"}, "a number from 0 to 1"),
        ({"threshold": "2"}, "a number from 0 to 1"),
        ({"channels": 3}, r"takes \[1, 'H', 'W', 3\]; expected one float32 grey picture"),
        ({"numbers": 3}, r"gives \(1, 5, 3\) for a picture of 16x16 px; expected \(1, 5, 4\)"),
        ({"cells": {"strides": [16], "side_unit": 4}}, r"expected \(1, 1, 4\)"),
    ],
)
def test_a_file_that_is_no_detector_is_refused(
    tmp_path: Path, options: dict[str, Any], problem: str
) -> None:
    path = write_bright_finder(tmp_path / "odd.onnx", **options)
    with pytest.raises(ModelError, match=problem) as caught:
        OnnxDetector(str(path))
    assert "odd.onnx" in str(caught.value)
    assert "\n" not in str(caught.value)
