"""Pictures of a run: accuracy and loss over its epochs, and who is taken for whom."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .checkpoint import EpochRecord
from .evaluation import Evaluation
from .files import replacing
from .fonts import Fonts, fonts_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TRAIN_COLOUR, _VAL_COLOUR = "#b0651b", "#1b5e9e"
_CELL_IN = 0.85  # side of a cell of the confusion matrix, in inches
_SMALL_CELL_IN = 0.22  # of one without figures, as high as its label
_MOST_WRITTEN = 20  # classes; the figures of more would be small print, and take minutes to draw
_NAME_PT = 11
_NUMBERED = "(class {0}: number {0} of the table, in letters that no installed font has)"


def write_curves(path: Path, history: list[EpochRecord], title: str) -> None:
    """Write a PNG with one panel for accuracy (percent) and one for loss (nats)."""
    # The object interface: pyplot would choose a window system and keep global state.
    from matplotlib.figure import Figure

    epochs = [record.epoch for record in history]
    best = max(history, key=lambda record: record.val_accuracy)
    figure = Figure(figsize=(10, 4), layout="constrained")
    accuracy, loss = figure.subplots(1, 2)
    training: dict[str, Any] = {"color": _TRAIN_COLOUR, "label": "training"}
    validation: dict[str, Any] = {"color": _VAL_COLOUR, "label": "validation"}
    if len(history) == 1:  # a line of one point is not seen
        training["marker"] = validation["marker"] = "o"
    accuracy.plot(epochs, [100 * r.train_accuracy for r in history], **training)
    accuracy.plot(epochs, [100 * r.val_accuracy for r in history], **validation)
    accuracy.plot(best.epoch, 100 * best.val_accuracy, "o", color=_VAL_COLOUR)
    accuracy.set(
        title=f"accuracy (best {best.val_accuracy:.2%}, epoch {best.epoch})",
        xlabel="epoch",
        ylabel="%",
    )
    loss.plot(epochs, [r.train_loss for r in history], **training)
    loss.plot(epochs, [r.val_loss for r in history], **validation)
    loss.set(title="loss (cross-entropy)", xlabel="epoch", ylabel="nats")
    loss.legend(frameon=False)
    for panel in (accuracy, loss):
        panel.grid(alpha=0.3)
        panel.xaxis.get_major_locator().set_params(integer=True)
        if len(history) == 1:
            panel.set_xticks(epochs)
        panel.spines[["top", "right"]].set_visible(False)
    fonts = fonts_for((title,))
    figure.suptitle(_drawable(title, fonts), family=fonts.families)
    _save(figure, path)


def write_confusion(path: Path, evaluation: Evaluation, names: tuple[str, ...], title: str) -> None:
    """Write a PNG of the confusion matrix: a row per label, a column per answer.

    A cell's colour stands for its share of the row. Where there are few classes each cell that is
    not empty shows that share and its number of images; of many the report's table tells.
    """
    from matplotlib.figure import Figure

    counts = evaluation.confusion
    shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    written = len(names) <= _MOST_WRITTEN
    fonts = fonts_for((*names, title))
    # The cells fill the figure and have one size, whatever the names need around them.
    side = len(names) * (_CELL_IN if written else _SMALL_CELL_IN)
    figure = Figure(figsize=(side, side))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1, edgecolors="white", linewidth=2)
    axes.invert_yaxis()
    if written:
        _write_cells(axes, counts, shares)
    _name_cells(axes, names, fonts)
    heading = f"{evaluation.accuracy:.2%} of {evaluation.images:,} right"
    axes.set_title(
        f"{_drawable(title, fonts)}\n{heading}", fontsize=_NAME_PT, family=fonts.families
    )
    _save(figure, path)


def _write_cells(
    axes: Axes, counts: npt.NDArray[np.int64], shares: npt.NDArray[np.float64]
) -> None:
    for row, column in np.argwhere(counts):
        share, count = shares[row, column], counts[row, column]
        colour = "white" if share > 0.55 else "#222222"
        for text, offset, size in ((f"{share:.0%}", 0.42, 11), (f"{count:,}", 0.72, 8)):
            axes.text(
                column + 0.5,
                row + offset,
                text,
                ha="center",
                va="center",
                color=colour,
                fontsize=size,
            )


def _name_cells(axes: Axes, names: tuple[str, ...], fonts: Fonts) -> None:
    places = np.arange(len(names)) + 0.5
    drawn = [
        _literal(name) if fonts.can_write(name) else f"class {place}"
        for place, name in enumerate(names, start=1)
    ]
    # Those of the columns lean, and stand where the cells are narrow, to keep off each other.
    lean = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(
        places,
        drawn,
        family=fonts.families,
        **(lean if len(names) <= _MOST_WRITTEN else {"rotation": 90}),
    )
    axes.set_yticks(places, drawn, family=fonts.families)
    axes.tick_params(length=0, labelsize=_NAME_PT)
    axes.spines[:].set_visible(False)
    numbered = [place for place, name in enumerate(names, start=1) if not fonts.can_write(name)]
    note = f"\n{_NUMBERED.format(numbered[0])}" if numbered else ""
    axes.set(xlabel=f"answer{note}", ylabel="label")


def _save(figure: Figure, path: Path) -> None:
    # "tight" makes room for names and titles that are longer than the picture is wide.
    with replacing(path) as temporary:
        figure.savefig(temporary, bbox_inches="tight", pad_inches=0.15)


def _drawable(text: str, fonts: Fonts) -> str:
    return _literal("".join(letter if fonts.can_write(letter) else "?" for letter in text))


def _literal(text: str) -> str:
    """Names of people's own: what stands between two dollar signs is no formula."""
    return text.replace("$", r"\$")
