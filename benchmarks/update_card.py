"""Measures the shipped model and writes the figures into its card.

    python benchmarks/update_card.py --data fer2013.csv

Replaces what stands in fer_stream/models/default.md between `<!-- evaluate -->` and
`<!-- end -->` by what `fer-stream evaluate` prints, and likewise `<!-- robustness -->` by the table
of benchmarks/robustness.py. Needs an idle machine for the time per face alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fer_stream_training.data import load_splits
from fer_stream_training.measurement_report import as_markdown
from fer_stream_training.measuring import measure
from markers import put
from robustness import table

from fer_stream.classifiers.onnx import OnnxClassifier
from fer_stream.models import DEFAULT_MODEL

CARD = DEFAULT_MODEL.with_suffix(".md")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="fer2013.csv")
    data = parser.parse_args().data
    classifier = OnnxClassifier()
    split = load_splits(data, ("PublicTest",), classifier.input_size)["PublicTest"]
    put(CARD, "evaluate", as_markdown(measure(classifier, split, lambda _: None)))
    put(CARD, "robustness", table(classifier, split))


if __name__ == "__main__":
    main()
