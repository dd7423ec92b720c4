"""Figures of a classifier over labelled images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .tables import markdown_table


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """How well one class is told from the others, each 0..1.

    ``recall`` is the share of its images that were recognised, nan without images; ``precision``
    the share of the answers naming it that were right, nan if it was never named; ``f1`` the
    harmonic mean of the two, 0 if no image of it was recognised.
    """

    images: int
    recall: float
    precision: float
    f1: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How (N, K) scores compare with (N,) labels.

    ``confusion`` is (K, K) int64: row = true class, column = predicted class, in label order.
    ``loss`` is the mean cross-entropy in nats.
    """

    images: int
    loss: float
    confusion: npt.NDArray[np.int64]

    @property
    def accuracy(self) -> float:
        """Share of images whose top score is their label, 0..1."""
        return float(np.trace(self.confusion) / self.images)

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the classes that have images, each counting the same, 0..1."""
        return float(np.mean([figures.f1 for figures in self.classes() if figures.images]))

    def classes(self) -> list[ClassFigures]:
        """The figures of each class, in label order."""
        right = np.diagonal(self.confusion)
        images, named = self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        return [
            ClassFigures(
                images=int(images[k]),
                recall=_share(right[k], images[k]),
                precision=_share(right[k], named[k]),
                f1=float(2 * right[k] / max(images[k] + named[k], 1)),
            )
            for k in range(len(right))
        ]


def evaluate(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.uint8]) -> Evaluation:
    """Compare (N, K) float32 probabilities with (N,) uint8 classes 0..K-1."""
    count = probabilities.shape[1]
    pairs = labels.astype(np.int64) * count + probabilities.argmax(axis=1)
    confusion = np.bincount(pairs, minlength=count * count).reshape(count, count)
    return Evaluation(len(labels), cross_entropy(probabilities, labels), confusion)


def cross_entropy(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.uint8]) -> float:
    """Mean negative log-likelihood in nats of (N,) classes under (N, K) probabilities."""
    chosen = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.clip(chosen, 1e-12, 1)).mean())


def class_table(evaluation: Evaluation, names: tuple[str, ...]) -> str:
    """Markdown table of the images, recall, precision and F1 of each class."""
    rows = [
        [
            name,
            f"{figures.images:,}",
            _percent(figures.recall),
            _percent(figures.precision),
            f"{figures.f1:.3f}",
        ]
        for name, figures in zip(names, evaluation.classes(), strict=True)
    ]
    return markdown_table(["label", "images", "recall", "precision", "F1"], rows)


def confusion_table(evaluation: Evaluation, names: tuple[str, ...]) -> str:
    """Markdown table of image counts: one row per true class, one column per predicted class."""
    rows = [
        [name, *(str(count) for count in row)]
        for name, row in zip(names, evaluation.confusion, strict=True)
    ]
    return markdown_table(["label", *names], rows)


def _share(part: np.int64, whole: np.int64) -> float:
    return float(part / whole) if whole else float("nan")


def _percent(share: float) -> str:
    return "-" if np.isnan(share) else f"{share:.1%}"
