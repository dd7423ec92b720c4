"""`fer-stream models`: what models say of themselves."""

from __future__ import annotations

from pathlib import Path

import click


@click.group(short_help="Show what a model says of itself.")
def models() -> None:
    """Show what a model says of itself, or give it labels."""


@models.command()
@click.argument("path", default="default")
def show(path: str) -> None:
    """Print labels, input, training data, accuracy and hash of PATH (or the shipped model)."""
    from fer_stream.models import model_path
    from fer_stream.models.info import describe, load_session

    file = model_path(path)
    info = describe(file, load_session(file))
    rows = {
        "file": str(info.path),
        "name": info.name,
        "labels": ", ".join(info.labels),
        "input": f"grey faces, {info.width}x{info.height} px, 0..255, {info.layout}",
        "trained on": info.trained_on or "(not said)",
        "accuracy": _accuracy(info.accuracy),
        "temperature": f"{info.temperature:.3f}",
        "uncertain": _uncertain(info.uncertain_below),
        "exporter": info.exporter or "(not said)",
        "size": f"{info.size_bytes / 1e6:.1f} MB",
        "sha256": info.sha256,
    }
    for key, value in rows.items():
        click.echo(f"{key:<12} {value}")


@models.command()
@click.argument("path")
@click.option("--labels", required=True, help="Comma-separated, in the model's output order.")
@click.option("--out", required=True, metavar="FILE", help="The new file.")
def label(path: str, labels: str, out: str) -> None:
    """Write a copy of PATH that names its labels, so that fer-stream can run it."""
    from fer_stream.models.info import describe, load_session
    from fer_stream.models.label import write_labelled

    # Beside it first: a file that cannot be used must neither look finished nor replace another.
    unfinished = Path(f"{out}.unfinished")
    try:
        write_labelled(Path(path), [part.strip() for part in labels.split(",")], unfinished)
        describe(unfinished, load_session(unfinished))
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)
    click.echo(f"wrote {out}")


def _uncertain(below: float) -> str:
    return f"below a score of {below:.2f}" if below else "(not said)"


def _accuracy(accuracy: object) -> str:
    match accuracy:
        case {"data": data, "images": images, "accuracy": float(share)}:
            return f"{share:.2%} of {images} images of {data}"
    return "(not said)"
