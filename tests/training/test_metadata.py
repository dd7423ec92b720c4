"""What training writes into a model file is what the runtime reads."""

from __future__ import annotations

from pathlib import Path

from fer_stream_training.metadata import ModelMetadata, write_metadata

from fer_stream.models.info import describe, load_session

from .conftest import EMOTIONS
from .shades import write_shades


def test_the_runtime_reads_what_training_writes(tmp_path: Path) -> None:
    path = write_shades(tmp_path / "m.onnx", temperature=1.23456, uncertain_below=0.45678)
    info = describe(path, load_session(path))
    assert info.name == "shades"
    assert info.labels == EMOTIONS
    assert info.trained_on == "nothing"
    assert info.accuracy == {"data": "a test", "images": 70, "accuracy": 0.714286}
    assert info.temperature == 1.2346
    assert info.uncertain_below == 0.4568
    assert info.exporter.startswith("fer-stream-training ")


def test_a_name_that_is_no_unicode_can_be_written(tmp_path: Path) -> None:
    """Models are called after files, and data after its folder."""
    import onnx

    model = onnx.ModelProto()
    write_metadata(model, ModelMetadata("\udce4", ("yes", "no"), 48, 48, trained_on="m\udce4rz"))
    about = {entry.key.removeprefix("fer_stream."): entry.value for entry in model.metadata_props}
    assert (about["name"], about["trained_on"]) == ("\\udce4", "m\\udce4rz")


def test_what_is_not_known_is_not_written() -> None:
    properties = ModelMetadata(name="mine", labels=("yes", "no"), height=48, width=48)
    assert set(properties.as_properties()) == {
        "fer_stream.name",
        "fer_stream.labels",
        "fer_stream.input",
        "fer_stream.exporter",
    }
