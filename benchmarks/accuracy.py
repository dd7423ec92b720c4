"""How often the shipped model and the `fer` package's are right about the same faces.

    python benchmarks/accuracy.py --data fer2013.csv [--write]

FER-2013's PublicTest, as it is and degraded as in robustness.py. Each program gets exactly the 48
px of each face, and scales and reads them by its own code: `fer` with its default model, in an
environment of its own. What that model was trained and chosen on is not documented; the shipped
one never learned from PublicTest, but its epoch and temperature were chosen there. Prints a
Markdown table; `--write` puts it into benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
from contest.fer_venv import PACKAGE, fer_python, printed
from fer_stream_training.data import Split, load_splits
from fer_stream_training.data.folders import OTHER_NAMES
from fer_stream_training.measuring import classify, labels_for
from fer_stream_training.tables import markdown_table
from markers import FIGURES, put
from robustness import degraded

from fer_stream.classifiers.onnx import OnnxClassifier

FER_READS = Path(__file__).parent / "contest" / "fer_reads.py"

Images = npt.NDArray[np.uint8]


def fer_words(python: str, images: Images) -> list[str]:
    """What `fer` says of (N, 48, 48) grey faces, in our words."""
    with tempfile.TemporaryDirectory() as folder:
        faces = Path(folder) / "faces.npy"
        np.save(faces, images)
        said = printed("fails", python, str(FER_READS), str(faces))
    return [OTHER_NAMES.get(word, word) for word in json.loads(said)]


def table(classifier: OnnxClassifier, split: Split, python: str) -> str:
    """A Markdown table: for each degradation, how often each of the two is right."""
    labels = labels_for(classifier, split)
    right = np.array(classifier.labels)[labels]
    rows = []
    for name, images in degraded(split.images):
        ours = classify(classifier, images).argmax(axis=1) == labels
        theirs = np.array(fer_words(python, images)) == right
        rows.append([name, f"{ours.mean():.1%}", f"{theirs.mean():.1%}"])
    return markdown_table([f"{split.name}, {len(split):,} faces", "fer-stream", PACKAGE], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="fer2013.csv")
    parser.add_argument("--write", action="store_true", help="also into benchmarks/README.md")
    arguments = parser.parse_args()
    classifier = OnnxClassifier()
    split = load_splits(arguments.data, ("PublicTest",), classifier.input_size)["PublicTest"]
    try:
        text = table(classifier, split, fer_python())
    except RuntimeError as error:
        raise SystemExit(f"{PACKAGE} {error}") from error
    print(text)
    if arguments.write:
        put(FIGURES, "accuracy", text)


if __name__ == "__main__":
    main()
