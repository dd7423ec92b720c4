"""The `yunet` detector, with a small model of YuNet's form: a real one is the user's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_stream.detectors.yunet import YunetDetector
from fer_stream.errors import ConfigError, ModelError
from fer_stream.models import DEFAULT_MODEL
from fer_stream.testing import check_detector, make_frame
from tests.detectors.models import SQUARE, write_bright_yunet


@pytest.fixture
def yunet(tmp_path: Path) -> str:
    return str(write_bright_yunet(tmp_path / "yunet.onnx"))


@pytest.mark.parametrize(("width", "scale"), [(64, 1), (256, 4)])
def test_a_face_is_framed_by_its_eyes_and_mouth(yunet: str, width: int, scale: int) -> None:
    image = np.zeros((64 * scale, width), np.uint8)
    image[24 * scale : 32 * scale, 24 * scale : 32 * scale] = 255
    detector = YunetDetector(yunet, detect_size=64)
    (detection,) = check_detector(detector, make_frame(image=image))
    box = detection.box
    assert (box.width, box.height) == pytest.approx((SQUARE * scale,) * 2, abs=scale)
    assert box.x + box.width / 2 == pytest.approx(28 * scale, abs=scale)
    eyes = (24 + 0.4 * 8) * scale
    assert box.y + 0.4 * box.height == pytest.approx(eyes, abs=scale)
    assert detection.confidence == pytest.approx(1.0, abs=0.01)


def test_videos_limited_range_is_widened(yunet: str) -> None:
    image = np.full((64, 64), 16, np.uint8)
    image[24:32, 24:32] = 235
    detector = YunetDetector(yunet, threshold=0.98)
    whole = make_frame(image=image)
    assert len(detector.detect(replace(whole, full_range=False))) == 1
    assert detector.detect(whole) == []


@pytest.mark.parametrize("size", [(1, 1), (5, 30), (24, 24), (3, 2000)])
def test_frames_of_any_size_are_borne(yunet: str, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    check_detector(YunetDetector(yunet), make_frame(image=noise))


@pytest.mark.parametrize(
    ("target", "options", "error", "problem"),
    [
        ("", {}, ConfigError, "yunet needs the path of a YuNet file: --detector yunet:PATH"),
        ("x", {"detect_size": 31}, ConfigError, "detect_size must be at least 32"),
        ("x", {"threshold": 1.0}, ConfigError, "threshold between 0 and 1"),
        ("nowhere.onnx", {}, ModelError, "no such model: nowhere.onnx"),
        (str(DEFAULT_MODEL), {}, ModelError, "cannot be run as YuNet"),
    ],
)
def test_what_cannot_be_run_is_refused(
    target: str, options: dict[str, Any], error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem) as caught:
        YunetDetector(target, **options)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_onnx_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.onnx"
    path.write_text("hello")
    with pytest.raises(ModelError, match="cannot be run as YuNet"):
        YunetDetector(str(path))
