"""`fer-stream distil`: large networks on a GPU, and a small one that learns from all of them."""

from __future__ import annotations

from pathlib import Path

import click

from .options import data, out_folder, training


@click.command(short_help="Train large networks on a GPU, and a small one by them.")
@data("fer2013.csv, or a folder of labelled images of 48x48 px.")
@out_folder("Folder for the networks and model.keras.")
@training
def distil(
    data: Path,
    out: Path,
    recipe: Path | None,
    epochs: int | None,
    seed: int | None,
    resume: bool,
) -> None:
    """Train a few large networks and teach a small one by them, which becomes model.keras.

    Needs JAX and a GPU that it can use; on a CPU it takes weeks. Each finished network is kept: a
    stopped or killed run goes on with --resume. The result is an ordinary Keras model: fer-stream
    train --start-from refines it, fer-stream export makes an ONNX file of it.
    """
    from ..needs import require_jax

    require_jax()
    from ..distil.run import run_distillation
    from ..distil.settings import read_settings

    run_distillation(data, out, read_settings(recipe, epochs, seed), resume)
