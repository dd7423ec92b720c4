"""The pictures of a run, looked at as pixels and as the letters that were drawn."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from fer_stream_training.checkpoint import EpochRecord
from fer_stream_training.evaluation import Evaluation
from fer_stream_training.fonts import fonts_for
from fer_stream_training.plots import write_confusion, write_curves
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.font_manager import fontManager

PRIVATE = "\U0010fffd\U0010fffc"  # letters for private use, which no installed font has


def evaluation(classes: int) -> Evaluation:
    counts = np.full((classes, classes), 3)
    return Evaluation(int(counts.sum()), 1.0, counts)


def drawn(path: Path) -> np.ndarray:
    image = cv2.imread(str(path))
    assert image is not None
    return image


def test_a_picture_of_many_classes_is_no_larger_than_a_screen_can_show(tmp_path: Path) -> None:
    names = tuple(f"class number {place}" for place in range(60))
    write_confusion(tmp_path / "many.png", evaluation(60), names, "a title")
    assert max(drawn(tmp_path / "many.png").shape) < 2000


@pytest.mark.parametrize("classes", [2, 7, 30])
def test_nothing_is_cut_off_at_the_edges(tmp_path: Path, classes: int) -> None:
    names = tuple(f"a name as long as folders have them {place}" for place in range(classes))
    title = f"small-resnet on a folder {'with a long name ' * 20}, held-out tenth"
    record = EpochRecord(1, 0.1, 1.0, 0.5, 1.0, 0.5, 1.0)
    write_confusion(tmp_path / "confusion.png", evaluation(classes), names, title)
    write_curves(tmp_path / "accuracy.png", [record], title)
    for name in ("confusion.png", "accuracy.png"):
        image = drawn(tmp_path / name)
        for edge in (image[:4], image[-4:], image[:, :4], image[:, -4:]):
            assert edge.min() == 255, name


def test_one_epoch_is_seen_in_all_its_curves(tmp_path: Path) -> None:
    record = EpochRecord(1, 0.1, 2.0, 0.2, 1.0, 0.8, 1.0)
    write_curves(tmp_path / "accuracy.png", [record], "a title")
    image = drawn(tmp_path / "accuracy.png").astype(int)
    blue, red = image[..., 0] - image[..., 2] > 60, image[..., 2] - image[..., 0] > 60
    middle = image.shape[1] // 2
    for colour in (blue, red):
        # A dot is 6 px high, a line of the legend 2.
        assert colour[:, :middle].any(axis=1).sum() >= 6
        assert colour[:, middle:].any(axis=1).sum() >= 8


def test_a_name_that_no_font_can_write_becomes_the_class_s_number(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of each letter that it has no picture of
        write_confusion(tmp_path / "own.png", evaluation(2), (PRIVATE, "calm"), PRIVATE)
        write_confusion(tmp_path / "number.png", evaluation(2), (PRIVATE[0], "calm"), "??")
    assert np.array_equal(drawn(tmp_path / "own.png"), drawn(tmp_path / "number.png"))


def test_the_note_on_numbers_is_about_a_class_that_is_there(tmp_path: Path) -> None:
    names = ("calm", PRIVATE[0], "angry", PRIVATE[1])
    write_confusion(tmp_path / "confusion.svg", evaluation(4), names, "a title")
    assert "(class 2: number 2 of the table" in (tmp_path / "confusion.svg").read_text()


@pytest.fixture
def font_of_private_letters(tmp_path: Path) -> Iterator[str]:
    pen = TTGlyphPen(None)
    for at, point in enumerate([(0, 0), (0, 800), (800, 800), (800, 0)]):
        (pen.lineTo if at else pen.moveTo)(point)
    pen.closePath()
    square = pen.glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "square"])
    builder.setupCharacterMap({ord(letter): "square" for letter in PRIVATE})
    builder.setupGlyf({".notdef": square, "square": square})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "square": (1000, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Private Letters", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "private.ttf")
    known = list(fontManager.ttflist)
    fontManager.addfont(tmp_path / "private.ttf")
    yield "Private Letters"
    fontManager.ttflist[:] = known


def test_an_installed_font_writes_what_the_first_one_cannot(
    tmp_path: Path, font_of_private_letters: str
) -> None:
    fonts = fonts_for(("calm", PRIVATE))
    assert fonts.families[-1] == font_of_private_letters
    assert fonts.can_write(PRIVATE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_confusion(tmp_path / "own.png", evaluation(2), (PRIVATE, "calm"), PRIVATE)
        write_confusion(tmp_path / "other.png", evaluation(2), ("class 1", "calm"), PRIVATE)
    assert not np.array_equal(drawn(tmp_path / "own.png"), drawn(tmp_path / "other.png"))
