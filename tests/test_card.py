"""The card of the shipped model speaks of the file that ships."""

from __future__ import annotations

import re

import pytest

from fer_stream.models import DEFAULT_MODEL
from fer_stream.models.info import ModelInfo, describe, load_session

CARD = DEFAULT_MODEL.with_suffix(".md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def model() -> ModelInfo:
    return describe(DEFAULT_MODEL, load_session(DEFAULT_MODEL))


def _block(name: str) -> str:
    (block,) = re.findall(rf"<!-- {name} -->\n(.*?)<!-- end -->", CARD, re.DOTALL)
    return block


def _rows(text: str, columns: int) -> dict[str, list[str]]:
    """First cell to the others, of every table row with so many cells."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    return {row[0]: row[1:] for row in rows if len(row) == columns}


def test_the_figures_are_of_this_file(model: ModelInfo) -> None:
    block = _block("evaluate")
    assert f"({model.name}, {model.size_bytes:,} bytes," in block
    assert f"SHA-256 `{model.sha256[:16]}`" in block
    figures = _rows(block, 2)
    assert figures["temperature"] == [f"{model.temperature:.4f}"]
    uncertain = [name for name in figures if name.startswith("uncertain")]
    expected = [f"uncertain (score under {model.uncertain_below:.4f})"]
    assert uncertain == (expected if model.uncertain_below else [])


def test_the_accuracy_is_what_the_file_says_of_itself(model: ModelInfo) -> None:
    assert model.accuracy is not None
    block = _block("evaluate")
    images = model.accuracy["images"]
    assert f"{images:,} faces" in block
    assert _rows(block, 2)["accuracy"] == [f"{model.accuracy['accuracy']:.2%}"]
    confusion = _rows(block, 1 + len(model.labels))
    right = sum(int(confusion[label][k]) for k, label in enumerate(model.labels))
    assert right / images == pytest.approx(model.accuracy["accuracy"], abs=1e-6)
    assert sum(int(count) for label in model.labels for count in confusion[label]) == images


def test_every_label_is_spoken_of(model: ModelInfo) -> None:
    block = _block("evaluate")
    assert list(_rows(block, 5)) == ["label", "---------", *model.labels]
    assert ", ".join(model.labels) in CARD


def test_degraded_faces_are_compared_with_the_same_accuracy(model: ModelInfo) -> None:
    assert model.accuracy is not None
    rows = _rows(_block("robustness"), 3)
    assert rows["as they are"] == [f"{model.accuracy['accuracy']:.2%}", ""]
    for accuracy, points in list(rows.values())[3:]:
        lost = float(accuracy.rstrip("%")) - 100 * model.accuracy["accuracy"]
        assert float(points) == pytest.approx(lost, abs=0.011)
