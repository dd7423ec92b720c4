"""Measures how much of a model's accuracy is left on faces as streams deliver them.

    python benchmarks/robustness.py --data fer2013.csv [--model model.onnx]

Degrades FER-2013's PublicTest one way at a time, as small, soft, compressed, badly lit and badly
framed faces in video are, and prints a Markdown table. Random parts are seeded: a table can be
repeated. `fer-stream evaluate` measures the faces as they are in more detail.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from fer_stream_training.data import Split, load_splits
from fer_stream_training.evaluation import evaluate
from fer_stream_training.measuring import classify, labels_for
from fer_stream_training.tables import markdown_table

from fer_stream.classifiers.onnx import OnnxClassifier
from fer_stream.errors import FerStreamError

Image = npt.NDArray[np.uint8]
"""(H, W) uint8 grey, 0..255."""
Degrade = Callable[[Image, np.random.Generator], Image]


def seen_from_afar(side: int) -> Degrade:
    """A face of `side` px in the frame, enlarged to the model's input as a run does."""

    def degrade(image: Image, _: np.random.Generator) -> Image:
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        return as_grey(cv2.resize(small, image.shape[::-1], interpolation=cv2.INTER_LINEAR))

    return degrade


def blurred(image: Image, _: np.random.Generator) -> Image:
    return as_grey(cv2.GaussianBlur(image, (0, 0), sigmaX=1.5))


def compressed(image: Image, _: np.random.Generator) -> Image:
    _done, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 30])
    return as_grey(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))


def relit(contrast: float, brightness: float) -> Degrade:
    return lambda image, _: as_grey(contrast * image + brightness)


def noisy(image: Image, random: np.random.Generator) -> Image:
    return as_grey(image + random.normal(0, 15, image.shape))


def misframed(image: Image, random: np.random.Generator) -> Image:
    """Shift the frame by up to a tenth of its side each way and scale it by 0.9 to 1.1."""
    height, width = image.shape
    scale = 1 + random.uniform(-0.1, 0.1)
    shift = random.uniform(-0.1, 0.1, 2) * (width, height)
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    matrix = np.column_stack([scale * np.eye(2), (1 - scale) * centre + shift])
    return as_grey(cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE))


def as_grey(image: npt.ArrayLike | None) -> Image:
    return np.clip(np.round(np.asarray(image)), 0, 255).astype(np.uint8)


DEGRADATIONS: dict[str, Degrade] = {
    "as they are": lambda image, _: image,
    "32 px sources": seen_from_afar(32),
    "24 px sources": seen_from_afar(24),
    "blurred (Gaussian, 1.5 px)": blurred,
    "JPEG, quality 30": compressed,
    "dark (a quarter of the light)": relit(0.25, 0),
    "washed out (a third of the contrast)": relit(0.33, 140),
    "noisy (deviation 15 of 255)": noisy,
    "misframed by up to 10 %": misframed,
}


def degraded(images: Image) -> Iterator[tuple[str, Image]]:
    """Yield (N, H, W) uint8 grey images degraded in each way, and its name."""
    for name, degrade in DEGRADATIONS.items():
        random = np.random.default_rng(0)
        yield name, np.stack([degrade(image, random) for image in images])


def table(classifier: OnnxClassifier, split: Split) -> str:
    """A Markdown table: accuracy for each degradation, and the points that it costs."""
    labels = labels_for(classifier, split)
    rows: list[list[str]] = []
    plain = 0.0
    for name, images in degraded(split.images):
        accuracy = evaluate(classify(classifier, images), labels).accuracy
        plain = plain if rows else accuracy
        rows.append([name, f"{accuracy:.2%}", f"{100 * (accuracy - plain):+.2f}" if rows else ""])
    return markdown_table([f"{split.name}, {len(split):,} faces", "accuracy", "points"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="fer2013.csv or folders of images")
    parser.add_argument("--model", default="default", help="ONNX file; default: the shipped one")
    arguments = parser.parse_args()
    classifier = OnnxClassifier(arguments.model)
    split = load_splits(arguments.data, ("PublicTest",), classifier.input_size)["PublicTest"]
    print(table(classifier, split))


if __name__ == "__main__":
    try:
        main()
    except FerStreamError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
