"""The figures of known answers."""

from __future__ import annotations

import numpy as np
import pytest
from fer_stream_training.evaluation import class_table, confusion_table, evaluate

NAMES = ("low", "middle", "high")
# Of four low ones three are right and one is called high; no middle one exists.
LABELS = np.array([0, 0, 0, 0, 2, 2], np.uint8)
ANSWERS = [0, 0, 0, 2, 2, 0]


def _scores() -> np.ndarray:
    rows = np.full((len(ANSWERS), 3), 0.2, np.float32)
    rows[np.arange(len(ANSWERS)), ANSWERS] = 0.6
    return rows


def test_every_figure_follows_from_the_counts() -> None:
    result = evaluate(_scores(), LABELS)
    assert result.confusion.tolist() == [[3, 0, 1], [0, 0, 0], [1, 0, 1]]
    assert result.accuracy == pytest.approx(4 / 6)
    assert result.loss == pytest.approx(-(4 * np.log(0.6) + 2 * np.log(0.2)) / 6, rel=1e-5)
    low, middle, high = result.classes()
    assert (low.images, low.recall, low.precision, low.f1) == (4, 0.75, 0.75, 0.75)
    assert (high.images, high.recall, high.precision, high.f1) == (2, 0.5, 0.5, 0.5)
    assert (middle.images, middle.f1) == (0, 0)
    assert np.isnan(middle.recall)
    assert np.isnan(middle.precision)
    assert result.macro_f1 == pytest.approx((0.75 + 0.5) / 2)  # of the classes that there are


def test_tables_are_markdown_that_can_be_read_as_it_is() -> None:
    result = evaluate(_scores(), LABELS)
    assert class_table(result, NAMES).splitlines() == [
        "| label  | images | recall | precision |    F1 |",
        "| ------ | -----: | -----: | --------: | ----: |",
        "| low    |      4 |  75.0% |     75.0% | 0.750 |",
        "| middle |      0 |      - |         - | 0.000 |",
        "| high   |      2 |  50.0% |     50.0% | 0.500 |",
    ]
    barred = class_table(result, ("lo|w", *NAMES[1:])).splitlines()[2]
    assert barred == r"| lo\|w  |      4 |  75.0% |     75.0% | 0.750 |"
    assert confusion_table(result, NAMES).splitlines()[2] == "| low    |   3 |      0 |    1 |"


def test_tables_are_aligned_in_letters_of_double_width() -> None:
    lines = confusion_table(evaluate(np.eye(2, dtype=np.float32), np.arange(2)), ("悲しみ", "yes"))
    assert lines.splitlines() == [
        "| label  | 悲しみ | yes |",
        "| ------ | -----: | --: |",
        "| 悲しみ |      1 |   0 |",
        "| yes    |      0 |   1 |",
    ]
