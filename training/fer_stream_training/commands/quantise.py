"""`fer-stream quantise`: the int8 twin of a model file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import labelled_data, out_model

if TYPE_CHECKING:
    from ..twin import Comparison


@click.command(short_help="Make a model's smaller and faster int8 twin.")
@click.argument("model", default="default-float32")
@labelled_data
@out_model
def quantise(model: str, data: Path, out: Path) -> None:
    """Make the int8 twin of MODEL (a file, or the shipped one) and compare the two.

    The ranges of the whole numbers are taken from training faces; accuracy, temperature and
    threshold are measured anew on the images to check on. Needs no TensorFlow.
    """
    from ..quantise import require_onnx
    from ..twin import make_twin

    require_onnx()

    def announce() -> None:
        click.echo(
            "takes a minute, or several for a large network: ranges from training faces, then both "
            "models on the others"
        )

    comparison = make_twin(model, data, out, announce)
    click.echo(f"\n{_table(comparison)}\n\nwrote {out}")


def _table(comparison: Comparison) -> str:
    from ..measuring import BATCH_SIZES
    from ..tables import markdown_table

    pair = (comparison.original, comparison.twin)
    rows = [
        ["accuracy", *(f"{one.evaluation.accuracy:.2%}" for one in pair)],
        ["labels as the original's", "", f"{comparison.agreement:.2%}"],
        ["expected calibration error", *(f"{one.calibration_error:.4f}" for one in pair)],
        ["size", *(f"{one.model.size_bytes / 1e6:.2f} MB" for one in pair)],
        *(
            [f"per face, {size} at once", *(f"{one.ms_per_face[size]:.2f} ms" for one in pair)]
            for size in BATCH_SIZES
        ),
    ]
    header = [f"on {pair[0].evaluation.images:,} faces", *(one.model.name for one in pair)]
    return markdown_table(header, rows)
