"""`fer-stream export`: a person's own Keras model as a model file of fer-stream."""

from __future__ import annotations

from pathlib import Path

import click

from .options import out_model


@click.command(short_help="Turn a Keras model into a model file.")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--labels", required=True, help="Comma-separated, in the order of the scores.")
@out_model
@click.option(
    "--input-range",
    type=click.Choice(["0..255", "0..1", "-1..1"]),
    help="The range of the pixels that MODEL was trained on, where it does not say itself.",
)
def export(model: Path, labels: str, out: Path, input_range: str | None) -> None:
    """Turn a Keras model, .keras or .h5, into an ONNX file that fer-stream runs.

    The new file names its labels, scales its pictures itself and is compared with MODEL. A file
    of weights alone is taken if they fit the well-known four-layer demo network.
    """
    from fer_stream.classifiers.onnx import OnnxClassifier
    from fer_stream.models.label import label_names
    from fer_stream.models.output import unfinished

    from ..export import check_out
    from ..needs import require_tensorflow
    from ..quiet import import_keras

    names = label_names(labels)
    check_out(out, model)
    require_tensorflow()
    import_keras()
    from ..keras_export import check_shapes, convert, input_range_of
    from ..keras_files import load_keras

    file = load_keras(model, len(names))
    for note in file.notes:
        click.echo(note)
    check_shapes(model, file.model, names)
    chosen = input_range_of(model, file, input_range)
    proto, parity, softmax_added = convert(model, file.model, chosen, names, out.stem)
    with unfinished(out) as path:
        path.write_bytes(proto.SerializeToString())
        height, width = OnnxClassifier(str(path)).input_size
        size = path.stat().st_size
    if softmax_added:
        click.echo(f"{model.name} ends in logits; a softmax was added")
    click.echo(
        f"takes grey faces, {width}x{height} px, as they are; {model.name} is given them as "
        f"{chosen}\n"
        f"ONNX against Keras over {parity.images} images: largest difference "
        f"{parity.max_difference:.2g}, labels that differ {parity.disagreements}\n"
        f"wrote {out} ({size:,} bytes), labels: {', '.join(names)}"
    )
