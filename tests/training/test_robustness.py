"""The degradations of benchmarks/robustness.py change faces, and the same way each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fer_stream_training.data import Split

from benchmarks.robustness import DEGRADATIONS, table
from fer_stream.classifiers.onnx import OnnxClassifier

from .conftest import faces
from .shades import write_shades


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_a_degraded_face_is_another_face_of_the_same_form(name: str) -> None:
    image = np.random.default_rng(1).integers(0, 256, (48, 48)).astype(np.uint8)
    before = image.copy()
    one, two = (DEGRADATIONS[name](image, np.random.default_rng(2)) for _ in range(2))
    assert (one.shape, one.dtype) == (image.shape, np.uint8)
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(image, before)
    assert np.array_equal(one, image) == (name == "as they are")


def test_the_table_tells_what_each_degradation_costs(tmp_path: Path) -> None:
    # A model that goes by the light alone: only darkness and haze can mislead it.
    classifier = OnnxClassifier(str(write_shades(tmp_path / "m.onnx")))
    split = Split("PublicTest", *faces(70, 2))
    rows = {
        cells[1].strip(): [cell.strip() for cell in cells[2:4]]
        for cells in (line.split("|") for line in table(classifier, split).splitlines()[2:])
    }
    assert list(rows) == list(DEGRADATIONS)
    assert rows["as they are"] == ["100.00%", ""]
    assert rows["24 px sources"] == ["100.00%", "+0.00"]
    dark, points = rows["dark (a quarter of the light)"]
    assert float(points) == pytest.approx(float(dark.rstrip("%")) - 100, abs=0.01)
    assert float(points) < -30
