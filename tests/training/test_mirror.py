"""Networks that read a face and its mirror image alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner
from fer_stream_training.architectures import ARCHITECTURES
from fer_stream_training.commands.train import train
from fer_stream_training.data import load_dataset
from fer_stream_training.export import onnx_predictor
from fer_stream_training.growth import grown
from fer_stream_training.mirror import folded, unfolded
from fer_stream_training.prior import Prior

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("tensorflow_installed"),
    # TensorFlow warns about its own insides.
    pytest.mark.filterwarnings("default"),
]
SPOTS = np.random.default_rng(0).uniform(0, 255, (4, 4, 4, 1)).astype(np.float32)
FACES = SPOTS.repeat(12, axis=1).repeat(12, axis=2)
MIRRORED = FACES[:, :, ::-1]


def built(dtype: str = "float32", arch: str = "mirror-resnet") -> Any:
    """Return a network whose every weight counts, also the scales that start at 0."""
    import keras

    keras.utils.set_random_seed(2)  # with which it tells these faces well apart
    model = ARCHITECTURES[arch](7, (48, 48), dtype)
    random = np.random.default_rng(1)
    for weight in model.weights:
        if weight.name in ("gamma", "moving_variance"):
            weight.assign(random.uniform(0.5, 1, weight.shape))
    return model


def answers(model: Any, faces: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(model.predict_on_batch(faces), np.float32)


@pytest.mark.parametrize(("dtype", "near"), [("float32", 1e-5), ("mixed_bfloat16", 0.02)])
def test_a_face_and_its_mirror_image_are_answered_alike(dtype: str, near: float) -> None:
    model = built(dtype)
    said = answers(model, FACES)
    np.testing.assert_allclose(answers(model, MIRRORED), said, atol=near)
    assert np.ptp(said, axis=0).max() > 5 * near, "other faces are answered otherwise"
    ordinary = built(dtype, "large-resnet")
    assert np.abs(answers(ordinary, MIRRORED) - answers(ordinary, FACES)).max() > 5 * near


@pytest.mark.parametrize(("dtype", "near"), [("float32", 1e-5), ("mixed_bfloat16", 0.02)])
def test_learning_keeps_it_so(dtype: str, near: float) -> None:
    model = built(dtype)
    model.compile(optimizer="sgd", loss="categorical_crossentropy", jit_compile=False)
    before = answers(model, FACES)
    for _ in range(3):
        model.train_on_batch(FACES, np.eye(7, dtype=np.float32)[:4])
    assert np.abs(answers(model, FACES) - before).max() > 0.01
    np.testing.assert_allclose(answers(model, MIRRORED), answers(model, FACES), atol=near)


def test_a_pair_has_one_mean_and_variance_in_bfloat16_as_in_float32() -> None:
    import keras
    from fer_stream_training.mirror import pair_normalization

    if keras.backend.backend() != "tensorflow":
        pytest.skip("only TensorFlow has the fused operation")
    random = np.random.default_rng(3)
    # The two of a pair differ, so that neither's figures could pass for those of both.
    centres, widths = np.array([1, 2, 3, 2, 4, 3]), np.array([1, 2, 1, 2, 1, 1])
    x = random.normal(centres, widths, (64, 6, 6, 6)).astype(np.float32)
    fused, plain = pair_normalization("mixed_bfloat16"), pair_normalization("float32")
    for layer in (fused, plain):
        for _ in range(30):  # the running figures become the batch's
            layer(x, training=True)
    assert [each.shape for each in fused.weights] == [(3,)] * 4
    for one, other in zip(fused.weights, plain.weights, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=0.02, atol=0.02)
    outputs = [np.asarray(layer(x), np.float32) for layer in (fused, plain)]
    np.testing.assert_allclose(*outputs, atol=0.05)


def test_what_it_becomes_is_an_ordinary_network_that_answers_the_same() -> None:
    model = built()
    plain = unfolded(model)
    np.testing.assert_allclose(answers(plain, FACES), answers(model, FACES), atol=1e-5)
    assert {type(layer).__module__.partition(".")[0] for layer in plain.layers} == {"keras"}
    large = ARCHITECTURES["large-resnet"](7, (48, 48), "float32")
    assert [one.shape for one in plain.get_weights()] == [one.shape for one in large.get_weights()]
    assert 0.49 < model.count_params() / plain.count_params() < 0.51
    assert unfolded(large) is large


def test_it_can_be_put_back_into_pairs() -> None:
    model = built()
    weights = folded(unfolded(model).get_weights(), model)
    for one, other in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    uneven = built(arch="large-resnet").get_weights()
    assert folded(uneven, model) is uneven, "its channels are no pairs"
    assert grown(uneven, model.get_weights()) is None
    own = model.get_weights()
    assert folded(own[:-1], model) == own[:-1]


def test_a_runs_model_is_ordinary_and_another_run_can_begin_with_it(
    make_csv: Callable[..., Path], tmp_path: Path
) -> None:
    import keras

    data, out = make_csv(tmp_path), tmp_path / "run"
    flags = ["--data", data, "--out", out, "--arch", "mirror-resnet", "--epochs", "1"]
    done = CliRunner().invoke(train, [str(flag) for flag in flags], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    dataset = load_dataset(data)
    faces = dataset.validation.images
    said = onnx_predictor((out / "model.onnx").read_bytes())
    np.testing.assert_allclose(said(faces[:, :, ::-1]), said(faces), atol=1e-4)

    first = Prior(start_from=out / "model.keras").first_weights("mirror-resnet", dataset)
    assert first is not None
    model = ARCHITECTURES["mirror-resnet"](7, (48, 48), "float32")
    model.set_weights(first)
    plain = keras.saving.load_model(out / "model.keras", compile=False)
    np.testing.assert_allclose(answers(model, FACES), answers(plain, FACES), atol=1e-5)
