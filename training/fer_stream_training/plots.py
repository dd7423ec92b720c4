"""Pictures of a run: accuracy and loss over its epochs, and who is taken for whom."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .checkpoint import EpochRecord, write_atomically
from .evaluation import Evaluation

_TRAIN_COLOUR, _VAL_COLOUR = "#b0651b", "#1b5e9e"
_CELL_IN = 0.85  # side of a cell of the confusion matrix, in inches


def write_curves(path: Path, history: list[EpochRecord], title: str) -> None:
    """Write a PNG with one panel for accuracy (percent) and one for loss (nats)."""
    # The object interface: pyplot would choose a window system and keep global state.
    from matplotlib.figure import Figure

    epochs = [record.epoch for record in history]
    best = max(history, key=lambda record: record.val_accuracy)
    figure = Figure(figsize=(10, 4), layout="constrained")
    accuracy, loss = figure.subplots(1, 2)
    accuracy.plot(epochs, [100 * r.train_accuracy for r in history], color=_TRAIN_COLOUR)
    accuracy.plot(epochs, [100 * r.val_accuracy for r in history], color=_VAL_COLOUR)
    accuracy.plot(best.epoch, 100 * best.val_accuracy, "o", color=_VAL_COLOUR)
    accuracy.set(
        title=f"accuracy (best {best.val_accuracy:.2%}, epoch {best.epoch})",
        xlabel="epoch",
        ylabel="%",
    )
    loss.plot(epochs, [r.train_loss for r in history], color=_TRAIN_COLOUR, label="training")
    loss.plot(epochs, [r.val_loss for r in history], color=_VAL_COLOUR, label="validation")
    loss.set(title="loss (cross-entropy)", xlabel="epoch", ylabel="nats")
    loss.legend(frameon=False)
    for panel in (accuracy, loss):
        panel.grid(alpha=0.3)
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.spines[["top", "right"]].set_visible(False)
    figure.suptitle(_literal(title))
    write_atomically(path, lambda file: figure.savefig(file, format="png"))


def write_confusion(path: Path, evaluation: Evaluation, names: tuple[str, ...], title: str) -> None:
    """Write a PNG of the confusion matrix: a row per label, a column per answer.

    Each cell shows its share of the row, which its colour stands for, and its number of images.
    """
    from matplotlib.figure import Figure

    counts = evaluation.confusion
    shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    side = _CELL_IN * len(names)
    figure = Figure(figsize=(side + 1.9, side + 1.7), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(counts.shape):
        share, count = shares[row, column], counts[row, column]
        colour = "white" if share > 0.55 else "#222222"
        for text, offset, size in ((f"{share:.0%}", -0.08, 11), (f"{count:,}", 0.22, 8)):
            axes.text(
                column, row + offset, text, ha="center", va="center", color=colour, fontsize=size
            )
    places, names = np.arange(len(names)), tuple(map(_literal, names))
    axes.set_xticks(places, names, rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, names)
    axes.tick_params(length=0, labelsize=11)
    # White lines between the cells.
    axes.set_xticks(places[1:] - 0.5, minor=True)
    axes.set_yticks(places[1:] - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="answer", ylabel="label")
    axes.set_title(
        f"{_literal(title)}\n{evaluation.accuracy:.2%} of {evaluation.images:,} right", fontsize=11
    )
    write_atomically(path, lambda file: figure.savefig(file, format="png"))


def _literal(text: str) -> str:
    """Names of people's own: what stands between two dollar signs is no formula."""
    return text.replace("$", r"\$")
