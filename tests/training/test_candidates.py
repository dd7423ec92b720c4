"""What the check of a detector learns from: the detector's own answers about known scenes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fer_stream_training.detector.candidates import AROUND, SIDE, Candidates, gather
from fer_stream_training.detector.pictures import Picture, no_squares
from fer_stream_training.processor import compute_dtype

from tests.detectors.models import SQUARE, write_bright_finder


def scene(*cells: tuple[int, int]) -> np.ndarray:
    """Make a black scene with bright cells of 8 px, which a finder takes for faces."""
    image = np.zeros((128, 128), np.uint8)
    for row, column in cells:
        image[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = 250
    return image


def square(row: int, column: int) -> np.ndarray:
    return np.array([[8 * column + 4, 8 * row + 4, SQUARE]], np.float32)


@pytest.fixture
def finder(tmp_path: Path) -> Path:
    return write_bright_finder(tmp_path / "bright.onnx")


def test_what_is_found_is_a_face_or_none_or_left_out(finder: Path) -> None:
    image = scene((3, 3), (3, 11), (11, 3))
    found = gather(finder, [Picture(image, square(3, 3), square(11, 3))], seed=0)
    assert found.images.shape == (3, SIDE, SIDE)
    # The face as it was found, and as it lies; what is nobody's; and not the unsure one.
    assert sorted(found.faces.tolist()) == [False, True, True]
    bright = [image.mean() for image in found.images]
    share = (8 / (AROUND * SQUARE)) ** 2 * 250
    assert bright == pytest.approx([share] * 3, rel=0.4)


def test_what_frames_a_face_badly_teaches_nothing_or_that_it_is_none(finder: Path) -> None:
    for away, marks in ((7, [True]), (14, [False, True])):
        face = square(3, 3) + np.array((away, away, 0), np.float32)
        found = gather(finder, [Picture(scene((3, 3)), face)], seed=0)
        assert sorted(found.faces.tolist()) == marks


def test_a_face_that_was_not_found_counts_too(finder: Path) -> None:
    found = gather(finder, [Picture(scene(), square(5, 5), no_squares())], seed=0)
    assert found.faces.tolist() == [True]


@pytest.mark.filterwarnings("default")  # TensorFlow warns about its own insides
@pytest.mark.usefixtures("tensorflow_installed")
def test_a_check_is_trained_in_what_this_cpu_multiplies_fast() -> None:
    from fer_stream_training.detector.check import train_check

    images = np.random.default_rng(1).integers(0, 256, (4, SIDE, SIDE), dtype=np.uint8)
    found = Candidates(images, np.array([True, False, True, False]))
    losses: dict[int, float] = {}
    model = train_check(found, 1, 0, losses.__setitem__)
    assert list(losses) == [1]
    expected = "bfloat16" if compute_dtype() == "mixed_bfloat16" else "float32"
    assert {layer.compute_dtype for layer in model.layers[1:-1]} == {expected}
