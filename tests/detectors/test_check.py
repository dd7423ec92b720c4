"""The check of the `onnx` detector: what it says counts, and a file that is none is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_stream.detectors.check import look_at
from fer_stream.detectors.onnx import OnnxDetector
from fer_stream.errors import ModelError
from fer_stream.models import FACE_MODEL
from fer_stream.models.face_check import check_path
from fer_stream.models.info import describe, load_session
from fer_stream.testing import check_detector, make_frame
from fer_stream.types import Box, Detection
from tests.detectors.models import SQUARE, write_bright_finder, write_check


def picture(grey: int) -> np.ndarray:
    """Make a black picture with one cell of a grey: the finder's score is that grey over 255."""
    image = np.zeros((64, 64), np.uint8)
    image[24:32, 24:32] = grey
    return image


def found(path: Path, grey: int, **options: Any) -> list[Detection]:
    """Return what a detector's file finds in such a picture."""
    return check_detector(OnnxDetector(str(path), **options), make_frame(image=picture(grey)))


@pytest.fixture
def finder(tmp_path: Path) -> Path:
    return write_bright_finder(tmp_path / "bright.onnx", threshold="0.7")


def test_log_odds_of_search_and_check_add_up(finder: Path) -> None:
    write_check(finder.with_name("bright-check.onnx"), odds=30.0)
    grey = 153  # a score of 0.6
    seen = grey * (8 / SQUARE) ** 2 / 255  # mean of the square that was found
    expected = 1 / (1 + np.exp(-np.log(0.6 / 0.4) - 30.0 * seen / 2))
    (detection,) = found(finder, grey)
    assert detection.confidence == pytest.approx(expected, abs=0.02)


def test_a_doubtful_face_is_found_with_its_help_alone(finder: Path) -> None:
    assert found(finder, 128) == []
    write_check(finder.with_name("bright-check.onnx"), odds=60.0)
    assert len(found(finder, 128)) == 1
    assert found(finder, 128, check=False) == []
    assert found(finder, 64) == [], "that was not worth a look"
    assert len(found(finder, 64, threshold=0.2)) == 1, "but to who asks for such"


def test_what_the_search_was_sure_of_is_given_up(finder: Path) -> None:
    assert len(found(finder, 240)) == 1
    write_check(finder.with_name("bright-check.onnx"), odds=-60.0)
    assert found(finder, 240) == []
    assert len(found(finder, 240, check=False)) == 1


def test_the_first_is_the_surest_of_both_together(finder: Path) -> None:
    write_check(finder.with_name("bright-check.onnx"), odds=100.0)
    image = np.zeros((64, 64), np.uint8)
    image[8:16, 8:16] = 200
    image[40:48, 40:48] = 190
    image[48:50, 40:48] = 255  # no face by itself, and in that one's square
    first, second = OnnxDetector(str(finder)).detect(make_frame(image=image))
    assert first.box.x > second.box.x
    assert (first.confidence or 0) > (second.confidence or 0)


def test_a_frame_full_of_faces_is_looked_at_in_bounded_time(finder: Path) -> None:
    write_check(finder.with_name("bright-check.onnx"), odds=60.0)
    detector = OnnxDetector(str(finder))
    white = make_frame(image=np.full((640, 640), 255, np.uint8))
    assert 20 < len(detector.detect(white)) <= 64


def test_it_looks_again_at_places_that_it_is_asked_about(finder: Path) -> None:
    frame = make_frame(image=picture(255))
    boxes = [Box(24, 24, 8, 8), Box(0, 0, 8, 8)]
    assert OnnxDetector(str(finder)).look_again(frame, boxes) is None, "nobody can"
    write_check(finder.with_name("bright-check.onnx"), odds=4.0)
    said = OnnxDetector(str(finder)).look_again(frame, boxes)
    assert said == pytest.approx([1 / (1 + np.exp(-4.0)), 0.5], abs=0.001)


@pytest.mark.parametrize("edge", ["left", "right", "top", "bottom"])
def test_a_face_that_leaves_the_frame_is_looked_at_whole(astronaut: np.ndarray, edge: str) -> None:
    """Its box was cut at the edge; the middle of the box is not that of the face."""
    x, y, width, height = 170, 65, 110, 110  # the face, and the frames that show three fifths of it
    cut = {
        "left": (astronaut[:, x + 45 :], Box(0, y, width - 45, height)),
        "right": (astronaut[:, : x + width - 45], Box(x, y, width - 45, height)),
        "top": (astronaut[y + 45 :], Box(x, 0, width, height - 45)),
        "bottom": (astronaut[: y + height - 45], Box(x, y, width, height - 45)),
    }
    image, box = cut[edge]
    detector = OnnxDetector()
    (whole,) = detector.look_again(make_frame(image=astronaut), [Box(x, y, width, height)]) or ()
    (seen,) = detector.look_again(make_frame(image=image), [box]) or ()
    assert whole > 0.9
    assert seen > 0.7


@pytest.mark.parametrize(("x", "y"), [(50.0, 40.0), (3.0, 2.0), (97.0, 76.0)])
def test_a_square_is_cut_about_its_centre(x: float, y: float) -> None:
    image = np.zeros((80, 100), np.uint8)
    image[int(y) - 1 : int(y) + 1, int(x) - 1 : int(x) + 1] = 255
    seen = look_at(make_frame(image=image), np.array((x, y, 16.0)), 1.5, 24)
    assert seen.shape == (24, 24)
    bright = np.argwhere(seen == 255).mean(axis=0)
    assert bright == pytest.approx((11.5, 11.5), abs=1.0)


def test_the_detector_that_ships_has_one_and_it_helps(astronaut: np.ndarray) -> None:
    assert check_path(FACE_MODEL) is not None
    frame = make_frame(image=astronaut)
    alone = OnnxDetector(check=False).detect(frame)[0].confidence
    together = OnnxDetector().detect(frame)[0].confidence
    assert alone is not None
    assert together is not None
    assert together > alone


def test_it_reads_no_emotions() -> None:
    path = check_path(FACE_MODEL)
    assert path is not None
    with pytest.raises(ModelError, match="belongs to a face detector; expected one that reads"):
        describe(path, load_session(path))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"check": "{"}, "looks at no squares that a detector found; expected an input"),
        ({"check": {"around": 1.5}}, "looks at no squares"),
        ({"check": {"around": 0.5, "worth_from": 0.3}}, "looks at no squares"),
        ({"check": {"around": 1.5, "worth_from": 1.0}}, "looks at no squares"),
        ({"side": None}, "looks at no squares"),
        ({"numbers": 2}, r"gives \(1, 2\) for 1 squares; expected \(1, 1\)"),
    ],
)
def test_a_file_that_is_no_check_is_refused(
    finder: Path, options: dict[str, Any], problem: str
) -> None:
    write_check(finder.with_name("bright-check.onnx"), odds=1.0, **options)
    with pytest.raises(ModelError, match=problem) as caught:
        OnnxDetector(str(finder))
    assert "bright-check.onnx" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert OnnxDetector(str(finder), check=False)
