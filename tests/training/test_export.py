"""`fer-stream export`: Keras models of every kind, read, converted, and run by the runtime."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result
from fer_stream_training.architectures import ARCHITECTURES
from fer_stream_training.commands.export import export

from fer_stream.classifiers.onnx import OnnxClassifier
from fer_stream.errors import ConfigError, ModelError
from fer_stream.models.output import unfinished
from tests.programs import run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("tensorflow_installed"),
    # TensorFlow and tf2onnx warn about their own insides.
    pytest.mark.filterwarnings("default"),
]

HEIGHT, WIDTH = 20, 14
LABELS = "low,middle,high"
DEMO_LABELS = "angry,disgusted,fearful,happy,neutral,sad,surprised"
SCALED = {"0..255": (1.0, 0.0), "0..1": (1 / 255, 0.0), "-1..1": (2 / 255, -1.0)}


def run_export(*arguments: str | Path) -> Result:
    return CliRunner().invoke(export, [str(argument) for argument in arguments])


def exported(source: Path, out: Path, *arguments: str, labels: str = LABELS) -> Result:
    result = run_export(source, "--labels", labels, "--out", out, *arguments)
    if result.exception is not None:
        raise result.exception
    assert {file.name for file in out.parent.iterdir()} >= {out.name}
    assert not list(out.parent.glob("*.unfinished"))
    return result


def pictures(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Slopes of every steepness with noise, (30, height, width) uint8."""
    random = np.random.default_rng(3)
    slopes = random.uniform(-9, 9, (30, 1, 1)) * np.arange(width) + random.uniform(
        0, 255, (30, 1, 1)
    )
    return np.clip(slopes + random.normal(0, 9, (30, height, width)), 0, 255).astype(np.uint8)


def scores_of_file(path: Path, images: np.ndarray) -> np.ndarray:
    return np.stack([row.probabilities for row in OnnxClassifier(str(path)).classify(images)])


def scores_of_keras(model: Any, images: np.ndarray, input_range: str) -> np.ndarray:
    scale, offset = SCALED[input_range]
    inputs = images[..., None].astype(np.float32) * scale + offset
    return np.asarray(model.predict_on_batch(np.repeat(inputs, model.input_shape[-1], axis=-1)))


def network(
    *first: Any, channels: int = 1, last: Any = None, size: tuple[int, int] = (HEIGHT, WIDTH)
) -> Any:
    """A small network whose answers differ from picture to picture."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((*size, channels)),
            *first,
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            last or layers.Dense(3, activation="softmax"),
        ]
    )


def test_a_model_that_scales_by_itself_needs_no_option(tmp_path: Path) -> None:
    from keras import layers

    model = network(layers.RandomFlip(), layers.Rescaling(1 / 255))
    model.save(tmp_path / "mine.keras")
    result = exported(tmp_path / "mine.keras", tmp_path / "mine.onnx")
    scores = scores_of_file(tmp_path / "mine.onnx", pictures())
    np.testing.assert_allclose(scores, scores_of_keras(model, pictures(), "0..255"), atol=1e-5)
    assert np.ptp(scores, axis=0).max() > 0.05  # not one answer for all
    assert f"{WIDTH}x{HEIGHT} px" in result.output
    assert "labels that differ 0" in result.output
    assert "softmax" not in result.output
    assert "labels: low, middle, high" in result.output

    file = onnx.load(tmp_path / "mine.onnx")
    onnx.checker.check_model(file, full_check=True)
    about = {entry.key.removeprefix("fer_stream."): entry.value for entry in file.metadata_props}
    assert json.loads(about["labels"]) == ["low", "middle", "high"]
    assert about["name"] == "mine"
    assert set(about) == {"name", "labels", "input", "exporter"}, "what nobody knows is not said"


@pytest.mark.parametrize("axis", [-1, None])
@pytest.mark.parametrize(
    ("mean", "variance", "expected"), [(127.0, 4096.0, "0..255"), (0.5, 0.0625, "0..1")]
)
def test_a_model_that_standardises_is_exported(
    tmp_path: Path, axis: int | None, mean: float, variance: float, expected: str
) -> None:
    from keras import layers

    first = layers.Normalization(axis=axis)
    model = network(first)
    faces = np.random.default_rng(3).normal(mean, variance**0.5, (50, HEIGHT, WIDTH, 1))
    first.adapt(faces.astype(np.float32))
    model.save(tmp_path / "mine.keras")
    exported(tmp_path / "mine.keras", tmp_path / "mine.onnx")
    scores = scores_of_file(tmp_path / "mine.onnx", pictures())
    np.testing.assert_allclose(scores, scores_of_keras(model, pictures(), expected), atol=1e-4)
    graph = onnx.load(tmp_path / "mine.onnx").graph
    read = {name for node in graph.node for name in node.input}
    assert {entry.name for entry in graph.initializer} <= read, "onnxruntime warns of the others"


def test_a_model_that_standardises_in_half_the_bits_is_exported(tmp_path: Path) -> None:
    from keras import layers

    adapted = layers.Normalization(axis=None, dtype="mixed_bfloat16")
    mixed = network(adapted)
    adapted.adapt(pictures().astype(np.float32)[..., None])
    mixed.save(tmp_path / "mixed.keras")
    exported(tmp_path / "mixed.keras", tmp_path / "mixed.onnx")
    scores = scores_of_file(tmp_path / "mixed.onnx", pictures())
    np.testing.assert_allclose(scores, scores_of_keras(mixed, pictures(), "0..255"), atol=0.05)
    assert np.ptp(scores, axis=0).max() > 0.05


def test_a_model_that_scales_from_0_to_1_is_given_that(tmp_path: Path) -> None:
    from keras import layers

    model = network(layers.Rescaling(2.0, offset=-1.0))
    model.save(tmp_path / "mine.keras")
    exported(tmp_path / "mine.keras", tmp_path / "mine.onnx")
    scores = scores_of_file(tmp_path / "mine.onnx", pictures())
    np.testing.assert_allclose(scores, scores_of_keras(model, pictures(), "0..1"), atol=1e-5)


def test_nothing_is_scaled_twice_and_what_is_not_clear_is_asked(tmp_path: Path) -> None:
    from keras import layers

    flags = ("--labels", LABELS, "--out", tmp_path / "m.onnx")
    network(layers.Rescaling(1 / 255)).save(tmp_path / "mine.keras")
    twice = run_export(tmp_path / "mine.keras", *flags, "--input-range", "0..1")
    assert "would scale them twice; leave it out" in str(twice.exception)
    network(layers.Rescaling(1.0)).save(tmp_path / "any.keras")
    unclear = run_export(tmp_path / "any.keras", *flags)
    assert "does not say how its pictures were scaled" in str(unclear.exception)
    assert not (tmp_path / "m.onnx").exists()


@pytest.mark.parametrize("input_range", SCALED)
def test_the_range_that_is_said_goes_into_the_file(tmp_path: Path, input_range: str) -> None:
    model = network()
    model.save(tmp_path / "mine.h5")
    refused = run_export(tmp_path / "mine.h5", "--labels", LABELS, "--out", tmp_path / "m.onnx")
    assert isinstance(refused.exception, ConfigError)
    assert "--input-range" in str(refused.exception)
    exported(tmp_path / "mine.h5", tmp_path / "m.onnx", "--input-range", input_range)
    np.testing.assert_allclose(
        scores_of_file(tmp_path / "m.onnx", pictures()),
        scores_of_keras(model, pictures(), input_range),
        atol=1e-5,
    )


def test_logits_that_are_averaged_are_logits_still(tmp_path: Path) -> None:
    from keras import layers

    averaged = network(last=layers.Dense(24))
    averaged.add(layers.Reshape((4, 2, 3)))
    averaged.add(layers.GlobalAveragePooling2D())
    averaged.save(tmp_path / "mine.keras")
    result = run_export(
        tmp_path / "mine.keras", "--labels", LABELS, "--out", tmp_path / "m.onnx",
        "--input-range", "0..1",
    )  # fmt: skip
    assert result.exception is None, result.output
    assert "ends in logits; a softmax was added" in result.output


def test_colour_and_logits_are_made_up_for(tmp_path: Path) -> None:
    import keras
    from keras import layers

    inner = network(channels=3, last=layers.Dense(3))
    picture = keras.Input((HEIGHT, WIDTH, 3))
    model = keras.Model(picture, inner(picture))  # as from transfer learning
    model.save(tmp_path / "colour.keras")
    result = exported(tmp_path / "colour.keras", tmp_path / "c.onnx", "--input-range", "-1..1")
    assert "colour.keras ends in logits; a softmax was added" in result.output
    powers = np.exp(scores_of_keras(model, pictures(), "-1..1"))
    np.testing.assert_allclose(
        scores_of_file(tmp_path / "c.onnx", pictures()),
        powers / powers.sum(axis=1, keepdims=True),
        atol=1e-5,
    )


@pytest.mark.parametrize("name", ["model.h5", "model.weights.h5"])
def test_the_demos_weights_are_known(tmp_path: Path, name: str) -> None:
    import h5py
    import keras
    from keras import layers
    from keras.src.legacy.saving import legacy_h5_format

    keras.utils.set_random_seed(2)
    relu = {"kernel_size": 3, "activation": "relu"}
    demo = keras.Sequential(
        [
            keras.Input((48, 48, 1)),
            *(layers.Conv2D(32, **relu), layers.Conv2D(64, **relu), layers.MaxPooling2D()),
            *(layers.Dropout(0.25), layers.Conv2D(128, **relu), layers.MaxPooling2D()),
            *(layers.Conv2D(128, **relu), layers.MaxPooling2D(), layers.Dropout(0.25)),
            *(layers.Flatten(), layers.Dense(1024, activation="relu"), layers.Dropout(0.5)),
            layers.Dense(7, activation="softmax"),
        ]
    )
    if name == "model.h5":  # as Keras 2, which made the file that goes round, wrote it
        with h5py.File(tmp_path / name, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, demo)
    else:
        demo.save_weights(tmp_path / name)
    result = exported(tmp_path / name, tmp_path / "d.onnx", labels=DEMO_LABELS)
    assert f"{name} holds weights alone; they fit the four-layer demo CNN" in result.output
    faces = pictures(48, 48)
    np.testing.assert_allclose(
        scores_of_file(tmp_path / "d.onnx", faces), scores_of_keras(demo, faces, "0..1"), atol=1e-5
    )
    fewer = run_export(tmp_path / name, "--labels", LABELS, "--out", tmp_path / "f.onnx")
    assert isinstance(fewer.exception, ModelError)
    assert "model.save('model.keras')" in str(fewer.exception)


def test_a_model_of_ours_in_bfloat16_is_exported_in_float32(tmp_path: Path) -> None:
    import keras
    from fer_stream_training.architectures import ARCHITECTURES

    keras.utils.set_random_seed(3)
    model = ARCHITECTURES["small-resnet"](3, (32, 32), "mixed_bfloat16")
    for weight in model.weights:  # the last scale of a block starts at 0, which hides the block
        if weight.name == "gamma":
            weight.assign(np.random.default_rng(4).uniform(0.5, 1, weight.shape))
    model.save(tmp_path / "ours.keras")
    result = exported(tmp_path / "ours.keras", tmp_path / "ours.onnx")
    assert "it is exported in float32" in result.output
    faces = pictures(32, 32)
    np.testing.assert_allclose(
        scores_of_file(tmp_path / "ours.onnx", faces),
        scores_of_keras(model, faces, "0..255"),
        atol=0.05,  # bfloat16 has three digits
    )


def test_a_model_within_a_model_is_exported_in_float32_too(tmp_path: Path) -> None:
    import keras
    from keras import layers

    half = {"dtype": "mixed_bfloat16"}
    first = [layers.Rescaling(1 / 255), layers.Conv2D(4, 3, **half), layers.ReLU(**half)]
    inner = network(*first)
    picture = keras.Input((HEIGHT, WIDTH, 1))
    model = keras.Model(picture, inner(picture))
    model.save(tmp_path / "nested.keras")
    result = exported(tmp_path / "nested.keras", tmp_path / "n.onnx")
    assert "nested.keras computes in bfloat16; it is exported in float32" in result.output
    np.testing.assert_allclose(
        scores_of_file(tmp_path / "n.onnx", pictures()),
        scores_of_keras(model, pictures(), "0..255"),
        atol=0.05,  # bfloat16 has three digits
    )


def _unfit(folder: Path) -> dict[str, Path]:
    """Files that cannot be exported, by what is wrong with them."""
    import h5py
    import keras
    from keras import layers

    class OfMyOwn(layers.Layer):
        def call(self, x: Any) -> Any:
            return x * 2

    networks = {
        "own layer": network(OfMyOwn()),
        "two channels": network(channels=2),
        "sigmoid": network(last=layers.Dense(3, activation="sigmoid")),
        "any size": keras.Sequential(
            [
                keras.Input((None, None, 1)),
                layers.Conv2D(3, 3),
                layers.GlobalAveragePooling2D(),
                layers.Softmax(),
            ]
        ),
        "unbuilt": keras.Sequential([layers.Flatten(), layers.Dense(3, activation="softmax")]),
        "picture": keras.Sequential([keras.Input((HEIGHT, WIDTH, 1)), layers.Conv2D(3, 3)]),
    }
    files = {}
    for name, model in networks.items():
        files[name] = folder / f"{name.replace(' ', '-')}.keras"
        model.save(files[name])
    whole = files["picture"].read_bytes()
    for name, content in (("cut.keras", whole[:-200]), ("junk.h5", b"junk")):
        files[name] = folder / name
        files[name].write_bytes(content)
    files["no network"] = folder / "no-network.h5"
    h5py.File(files["no network"], "w").close()
    files["more layers"] = folder / "more.weights.h5"
    demo = ARCHITECTURES["demo-cnn"](3, (48, 48), "float32").layers[1:]
    normal = layers.BatchNormalization()
    more = keras.Sequential([keras.Input((48, 48, 1)), demo[0], normal, *demo[1:]])
    more.save_weights(files["more layers"])
    files["a folder"] = folder / "saved_model"
    files["a folder"].mkdir()
    files["an onnx file"] = folder / "mine.onnx"
    files["nothing"] = folder / "nothing.keras"
    files["an onnx file"].write_bytes(b"")
    return files


REFUSALS: dict[str, str] = {
    "own layer": "Could not locate class 'OfMyOwn'",
    "two channels": "grey or (None, height, width, 3) colour",
    "any size": "expected pictures of one size",
    "unbuilt": "does not say how large its pictures are",
    "picture": "expected one score for each label, (None, 3)",
    "sigmoid": "expected probabilities that sum to 1",
    "cut.keras": "damaged or no Keras file",
    "junk.h5": "damaged or no HDF5 file",
    "no network": "holds weights without their network",
    "more layers": "holds weights without their network",
    "a folder": "is a folder; expected a file",
    "an onnx file": "is no Keras file by its name",
    "nothing": "no such file",
}


@pytest.fixture(scope="module")
def unfit(
    tmp_path_factory: pytest.TempPathFactory, tensorflow_installed: None
) -> Callable[[str], Path]:
    files = _unfit(tmp_path_factory.mktemp("unfit"))
    assert set(files) == set(REFUSALS)
    return files.__getitem__


@pytest.mark.parametrize("fault", REFUSALS)
def test_what_cannot_be_exported_says_why(
    unfit: Callable[[str], Path], tmp_path: Path, fault: str
) -> None:
    path = unfit(fault)
    result = run_export(
        path, "--labels", LABELS, "--out", tmp_path / "m.onnx", "--input-range", "0..1"
    )
    assert isinstance(result.exception, ModelError)
    message = str(result.exception)
    assert REFUSALS[fault] in message
    assert str(path) in message
    assert "\n" not in message
    assert len(message) < 450
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("labels", ["low,middle", "low,middle,high,higher", "low,,high", "a,b,a"])
def test_labels_that_do_not_fit_are_refused(tmp_path: Path, labels: str) -> None:
    network().save(tmp_path / "mine.keras")
    result = run_export(
        tmp_path / "mine.keras", "--labels", labels, "--out", tmp_path / "m.onnx",
        "--input-range", "0..1",
    )  # fmt: skip
    assert isinstance(result.exception, ConfigError)
    assert "--labels" in str(result.exception)
    assert not (tmp_path / "m.onnx").exists()


def test_a_difference_to_keras_is_an_error_and_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network().save(tmp_path / "mine.keras")
    (tmp_path / "m.onnx").write_bytes(b"an earlier one")
    monkeypatch.setattr("fer_stream_training.export.MAX_DIFFERENCE", -1.0)
    result = run_export(
        tmp_path / "mine.keras", "--labels", LABELS, "--out", tmp_path / "m.onnx",
        "--input-range", "0..1",
    )  # fmt: skip
    assert isinstance(result.exception, ModelError)
    assert "differs from the Keras model" in str(result.exception)
    assert {file.name for file in tmp_path.iterdir()} == {"mine.keras", "m.onnx"}
    assert (tmp_path / "m.onnx").read_bytes() == b"an earlier one"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    source = tmp_path / "mine.keras"
    network().save(source)
    for out, message in (
        (tmp_path / "nowhere" / "m.onnx", "there is no folder"),
        (source, "the model itself"),
    ):
        result = run_export(source, "--labels", LABELS, "--out", out, "--input-range", "0..1")
        assert isinstance(result.exception, ConfigError)
        assert message in str(result.exception)
        assert str(out) in str(result.exception)


def test_nothing_is_said_but_the_outcome(tmp_path: Path) -> None:
    network().save(tmp_path / "mine.keras")
    options = ("--labels", LABELS, "--input-range", "0..1", "--out", "mine.onnx")
    done = run("export", "mine.keras", *options, cwd=tmp_path, timeout=240)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_model_that_can_neither_be_made_nor_removed_is_named(tmp_path: Path) -> None:
    name = "m" * 250 + ".onnx"  # no room for what is added while it is written

    def write() -> None:
        with unfinished(tmp_path / name) as path:
            path.write_bytes(b"a model")

    with pytest.raises(ConfigError, match=r"cannot write .*m\.onnx \(File name too long\)"):
        write()


def test_a_full_disk_is_named_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    def write() -> None:
        with unfinished(tmp_path / "m.onnx") as path:
            path.write_bytes(b"half")
            Path("/dev/full").write_bytes(b"a model")

    with pytest.raises(ConfigError, match=r"cannot write .*m\.onnx \(No space left on device\)"):
        write()
    assert list(tmp_path.iterdir()) == []
