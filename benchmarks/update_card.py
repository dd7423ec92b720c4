"""Measures the shipped model and writes the figures into its card.

    python benchmarks/update_card.py --data fer2013.csv

Replaces what stands in fer_stream/models/default.md between `<!-- evaluate -->` and
`<!-- end -->` by what `fer-stream evaluate` prints, and likewise `<!-- robustness -->` by the table
of benchmarks/robustness.py. Needs an idle machine for the time per face alone.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from fer_stream_training.data import load_splits
from fer_stream_training.measurement_report import as_markdown
from fer_stream_training.measuring import measure
from robustness import table

from fer_stream.classifiers.onnx import OnnxClassifier
from fer_stream.models import DEFAULT_MODEL

CARD = DEFAULT_MODEL.with_suffix(".md")


def replaced(card: str, name: str, text: str) -> str:
    """`card` with `text` in the place of what stands between the markers of `name`."""
    block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    if len(block.findall(card)) != 1:
        raise SystemExit(f"{CARD}: expected one block <!-- {name} --> ... <!-- end -->")
    return block.sub(lambda found: f"{found[1]}{text.strip()}\n{found[2]}", card)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="fer2013.csv")
    data = parser.parse_args().data
    classifier = OnnxClassifier()
    split = load_splits(data, ("PublicTest",), classifier.input_size)["PublicTest"]
    card = CARD.read_text(encoding="utf-8")
    card = replaced(card, "evaluate", as_markdown(measure(classifier, split, lambda _: None)))
    card = replaced(card, "robustness", table(classifier, split))
    CARD.write_text(card, encoding="utf-8")


if __name__ == "__main__":
    main()
