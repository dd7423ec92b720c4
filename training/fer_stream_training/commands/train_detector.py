"""`fer-stream train-detector`: a face detector from FER-2013's faces, exported to ONNX."""

from __future__ import annotations

from pathlib import Path

import click

from .options import data, out_folder, training

_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command("train-detector", short_help="Train a face detector.")
@data("fer2013.csv; its Training faces are pasted into scenes.")
@out_folder("Folder for the weights and face.onnx.")
@click.option(
    "--backgrounds",
    multiple=True,
    type=_FOLDER,
    help="A folder of pictures that show no faces. May be repeated; without any, backgrounds are "
    "generated.",
)
@click.option(
    "--video",
    "videos",
    multiple=True,
    type=_FOLDER,
    help="A folder of videos: the faces that Haar cascades find in them and tracking holds are "
    "learned too. May be repeated.",
)
@click.option(
    "--spare",
    type=_FOLDER,
    help="A folder of NAME.csv files with a column frame: frames of the video NAME within 0.5 s "
    "of these are left out, so that they can be tested on.",
)
@click.option(
    "--earlier",
    type=_FOLDER,
    help="The --out of an earlier run: its weights are the first ones, what it takes for a face "
    "in --backgrounds is shown more often, and what it sees in --video beyond the cascades is "
    "left undecided.",
)
@training
def train_detector(
    data: Path,
    backgrounds: tuple[Path, ...],
    videos: tuple[Path, ...],
    spare: Path | None,
    earlier: Path | None,
    out: Path,
    recipe: Path | None,
    epochs: int | None,
    seed: int | None,
    resume: bool,
) -> None:
    """Train a face detector and export it to ONNX, for --detector onnx:OUT/face.onnx.

    Faces of FER-2013, and as many things that are none, are pasted in the same way into pictures
    without faces. Each finished epoch is kept: a stopped or killed run goes on with --resume.
    """
    from ..detector.run import run_detector_training
    from ..detector.settings import read_settings
    from ..detector.sources import Sources

    sources = Sources(data, backgrounds, videos, spare, earlier)
    run_detector_training(sources, out, read_settings(recipe, epochs, seed), resume)
