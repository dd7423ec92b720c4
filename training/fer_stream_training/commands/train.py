"""`fer-stream train`: a network from a recipe, exported to ONNX."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from ..architectures import ARCHITECTURES
from ..recipes import DEFAULT_ARCH, settings_from
from ..settings import SCHEDULES
from .options import data, out_folder, training


@click.command(short_help="Train a model on FER-2013 or on your own faces.")
@data(
    "fer2013.csv (also as .gz or .zip), a folder with train/<class>/ and test/<class>/, or a "
    "folder of class folders, of which a tenth is held out."
)
@out_folder("Folder for the checkpoint, the model and the report.")
@click.option(
    "--arch",
    type=click.Choice(sorted(ARCHITECTURES)),
    help=f"The network; it brings its own recipe.  [default: {DEFAULT_ARCH}]",
)
@training
@click.option("--batch-size", type=click.IntRange(min=1), metavar="N", help="Images in each step.")
@click.option(
    "--lr",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="Highest learning rate of the run.",
)
@click.option(
    "--schedule",
    type=click.Choice(SCHEDULES),
    help="cosine: short rise, then down to 0; constant: --lr throughout.",
)
@click.option(
    "--label-smoothing",
    type=click.FloatRange(min=0, max=1, max_open=True),
    metavar="N",
    help="Share of each label spread over all classes.",
)
@click.option(
    "--augment/--no-augment",
    default=None,
    help="Mirror, shift, turn, scale and relight the training faces at random.",
)
@click.option(
    "--class-weights/--no-class-weights",
    default=None,
    help="Let rare classes count as much as common ones.",
)
@click.option(
    "--patience",
    type=click.IntRange(min=0),
    metavar="N",
    help="Stop after so many epochs without a better validation accuracy; 0: never.",
)
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The model.onnx of an earlier run to learn from, beside the labels. May be repeated.",
)
@click.option(
    "--start-from",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The model.keras of an earlier run of this network, or of a narrower one of its kind, "
    "to begin with its weights.",
)
def train(
    data: Path,
    out: Path,
    recipe: Path | None,
    teachers: tuple[Path, ...],
    start_from: Path | None,
    resume: bool,
    **flags: Any,
) -> None:
    """Train a classifier on FER-2013, or on faces of your own classes, and export it to ONNX.

    Images of one size, 32 to 96 px a side, are taken as they are; others are made 48x48. Each
    finished epoch is kept: a stopped or killed run goes on with --resume.
    """
    from ..prior import Prior
    from ..run import run_training

    prior = Prior(teachers, start_from)
    settings = settings_from(recipe, {**flags, **prior.as_settings()})
    command = shlex.join(["fer-stream", *sys.argv[1:]])
    run_training(data, out, settings, prior, resume, command)
