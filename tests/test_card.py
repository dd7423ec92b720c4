"""The card of the shipped model speaks of the file that ships."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fer_stream.models import DEFAULT_MODEL
from fer_stream.models.info import ModelInfo, describe, load_session

ROOT = Path(__file__).resolve().parents[1]
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


def test_the_comparison_with_the_fer_package_is_of_this_file(model: ModelInfo) -> None:
    assert model.accuracy is not None
    ours = float(_compared()["as they are"][0])
    assert ours == pytest.approx(100 * model.accuracy["accuracy"], abs=0.051)


def test_the_readme_and_the_changelog_round_what_was_measured() -> None:
    ours, theirs = _compared()["as they are"]
    blurred_ours, blurred_theirs = _compared()["blurred (Gaussian, 1.5 px)"]
    number = r"(\d+(?:\.\d+)?)"
    said = re.search(
        rf"right about {number} % of the faces \(people 65 %, the `fer` package {number} %\), and "
        rf"on the same faces out of focus about {number} % \(`fer` {number} %\)",
        _in_one_line("README.md"),
    )
    assert said is not None
    for rounded, measured in zip(
        said.groups(), (ours, theirs, blurred_ours, blurred_theirs), strict=True
    ):
        assert float(rounded) == pytest.approx(float(measured), abs=0.51)
    logged = re.search(rf"reads {number} % of FER-2013's PublicTest", _in_one_line("CHANGELOG.md"))
    assert logged is not None
    assert logged[1] == ours


def _compared() -> dict[str, list[str]]:
    """What is read right, in percent, by fer-stream and by the `fer` package, by degradation."""
    text = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"<!-- accuracy -->\n(.*?)<!-- end -->", text, re.DOTALL)
    return {
        name: [cell.rstrip("%") for cell in cells]
        for name, cells in _rows(block, 3).items()
        if cells[0].endswith("%")
    }


def _in_one_line(name: str) -> str:
    return " ".join((ROOT / name).read_text(encoding="utf-8").split())
