"""`fer-stream evaluate`: how good a model file is, measured as a run uses it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import labelled_data

if TYPE_CHECKING:
    from fer_stream.classifiers.onnx import OnnxClassifier

    from ..data import Split
    from ..measuring import Measurement


@click.command(short_help="Measure a model on labelled faces.")
@click.argument("model", default="default")
@labelled_data
@click.option(
    "--split",
    default="PublicTest",
    show_default=True,
    help="Which images: Training, PublicTest or PrivateTest of FER-2013, or a folder such as "
    "test. PublicTest stands for what is held out in folders, too.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for evaluation.md and confusion.png.",
)
def evaluate(model: str, data: Path, split: str, as_json: bool, out: Path | None) -> None:
    """Measure MODEL (a file, or default) on labelled faces, as a run uses it.

    Prints accuracy, macro-F1, recall, precision and F1 of each label, who is taken for whom,
    calibration, and milliseconds per face. Needs no TensorFlow.
    """
    import json

    from fer_stream.classifiers.onnx import OnnxClassifier

    from ..data import load_splits
    from ..measurement_report import as_markdown, as_values

    classifier = OnnxClassifier(model)
    images = load_splits(data, (split,), classifier.input_size)[split]
    measurement = _measured(classifier, images)
    # Printed first: what took minutes to measure is not lost to an --out that cannot be written.
    click.echo(
        json.dumps(as_values(measurement), indent=2) if as_json else as_markdown(measurement),
        nl=as_json,
    )
    if out is not None:
        _write(out, measurement)


def _measured(classifier: OnnxClassifier, split: Split) -> Measurement:
    from rich.console import Console
    from rich.progress import Progress

    from ..measuring import measure
    from ..progress import shown

    # On stderr, for stdout is the answer.
    console = Console(stderr=True)
    bar = Progress(console=console, transient=True, disable=not console.is_terminal)
    task = bar.add_task("measuring", total=len(split))
    with shown(bar):
        return measure(classifier, split, lambda images: bar.advance(task, images))


def _write(folder: Path, measurement: Measurement) -> None:
    from fer_stream.errors import ConfigError

    from ..files import write_text
    from ..measurement_report import as_markdown
    from ..plots import write_confusion

    model = measurement.model
    text = f"{as_markdown(measurement)}\n![who is taken for whom](confusion.png)\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_confusion(
            folder / "confusion.png",
            measurement.evaluation,
            model.labels,
            f"{model.name} on {measurement.split}",
        )
        write_text(folder / "evaluation.md", text)
    except OSError as error:
        raise ConfigError(
            f"cannot write in {folder} ({error.strerror}); expected a folder to write in; "
            "choose another --out"
        ) from error
