"""`fer-stream models`: what models say of themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fer_stream.models.face import FaceModelInfo
    from fer_stream.models.info import ModelInfo


@click.group(short_help="Show what a model says of itself.")
def models() -> None:
    """Show what a model says of itself, or give it labels."""


@models.command(short_help="Print what a model says of itself.")
@click.argument("path", default="default")
def show(path: str) -> None:
    """Print what PATH says of itself: a file, default, default-float32, or face, the detector."""
    from fer_stream.models import FACE_MODEL, SHIPPED, model_path
    from fer_stream.models.face import describe_face_model, finds_faces
    from fer_stream.models.info import describe, load_session

    file = model_path(path, {**SHIPPED, "face": FACE_MODEL})
    session = load_session(file)
    info: ModelInfo | FaceModelInfo
    if finds_faces(session):
        info = describe_face_model(file, session)
        own = _detector_rows(info)
    else:
        info = describe(file, session)
        own = _classifier_rows(info)
    rows = {
        "file": str(info.path),
        "name": info.name,
        **own,
        "trained on": info.trained_on or "(not said)",
        "exporter": info.exporter or "(not said)",
        "size": f"{info.size_bytes / 1e6:.1f} MB",
        "sha256": info.sha256,
    }
    for key, value in rows.items():
        click.echo(f"{key:<12} {value}")


def _classifier_rows(info: ModelInfo) -> dict[str, str]:
    return {
        "labels": ", ".join(info.labels),
        "input": f"grey faces, {info.width}x{info.height} px, 0..255, {info.layout}",
        "accuracy": _accuracy(info.accuracy),
        "temperature": _number(info.temperature),
        "uncertain": _uncertain(info.uncertain_below),
    }


def _detector_rows(info: FaceModelInfo) -> dict[str, str]:
    return {
        "finds": f"faces with a confidence of {info.threshold:.2f} or more",
        "input": f"one grey picture, 0..255, sides multiples of {info.multiple} px",
    }


@models.command(short_help="Write a copy of a model that names its labels.")
@click.argument("path")
@click.option(
    "--labels", required=True, help="Names, comma-separated, in the model's output order."
)
@click.option("--out", required=True, metavar="FILE", help="The new file.")
def label(path: str, labels: str, out: str) -> None:
    """Write a copy of PATH that names its labels, so that fer-stream can run it."""
    from fer_stream.models.label import label_names, write_labelled

    write_labelled(Path(path), label_names(labels), Path(out))
    click.echo(f"wrote {out}")


def _number(value: float | None) -> str:
    return "(not said)" if value is None else f"{value:.3f}"


def _uncertain(below: float) -> str:
    return f"below a score of {below:.2f}" if below else "(not said)"


def _accuracy(accuracy: object) -> str:
    match accuracy:
        case {"data": data, "images": images, "accuracy": float(share)}:
            return f"{share:.2%} of {images} images of {data}"
    return "(not said)"
