"""The options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..settings import HIGHEST_SEED

Option = Callable[[Callable[..., Any]], Callable[..., Any]]


def data(about: str) -> Option:
    """Return `--data`, a file or a folder."""
    return click.option("--data", required=True, type=click.Path(path_type=Path), help=about)


def out_folder(about: str) -> Option:
    """Return `--out`, a folder that need not be there."""
    kind = click.Path(path_type=Path, file_okay=False)
    return click.option("--out", required=True, type=kind, help=about)


def training(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what every training can be told."""
    for option in reversed(_TRAINING):
        command = option(command)
    return command


labelled_data = data("fer2013.csv, or a folder of labelled images.")
"""`--data` of a command that looks at faces and learns nothing."""

out_model = click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The new ONNX file.",
)
"""`--out` of a command that writes one."""

_TRAINING = (
    click.option(
        "--recipe",
        type=click.Path(path_type=Path, dir_okay=False),
        help="A TOML file with settings of your own, or the name of one that ships. The flags "
        "below change single settings.",
    ),
    click.option(
        "--epochs", type=click.IntRange(min=1), metavar="N", help="How many epochs to train."
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0, max=HIGHEST_SEED),
        metavar="N",
        help="Decides first weights, order and random changes.",
    ),
    click.option("--resume", is_flag=True, help="Go on after the last finished epoch in --out."),
)
