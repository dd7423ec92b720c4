"""The networks: what they are made of, and that they build for any classes and sizes."""

from __future__ import annotations

import numpy as np
import pytest
from fer_stream_training.architectures import ARCHITECTURES
from fer_stream_training.growth import grown

SIZES = ("small", "wide")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("tensorflow_installed"),
    # TensorFlow warns about its own insides.
    pytest.mark.filterwarnings("default"),
]


@pytest.mark.parametrize("arch", sorted(ARCHITECTURES))
@pytest.mark.parametrize("size", [(32, 32), (45, 37), (96, 64)])
def test_every_network_takes_other_classes_and_sizes(arch: str, size: tuple[int, int]) -> None:
    model = ARCHITECTURES[arch](3, size, "float32")
    images = np.random.default_rng(0).uniform(0, 255, (2, *size, 1)).astype(np.float32)
    scores = np.asarray(model.predict_on_batch(images))
    assert scores.shape == (2, 3)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)


def test_the_network_is_the_well_known_one() -> None:
    model = ARCHITECTURES["demo-cnn"](7, (48, 48), "float32")
    assert model.input_shape == (None, 48, 48, 1)
    assert model.output_shape == (None, 7)
    assert model.count_params() == 2_345_607
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == [
        "Rescaling", "Conv2D", "Conv2D", "MaxPooling2D", "Dropout", "Conv2D", "MaxPooling2D",
        "Conv2D", "MaxPooling2D", "Dropout", "Flatten", "Dense", "Dropout", "Dense",
    ]  # fmt: skip


def test_the_shipped_network_is_small_and_one_thing_in_every_arithmetic() -> None:
    models = [
        ARCHITECTURES["small-resnet"](7, (48, 48), dtype) for dtype in ("float32", "mixed_bfloat16")
    ]
    for model in models:
        assert model.input_shape == (None, 48, 48, 1)
        assert model.output_shape == (None, 7)
        assert model.count_params() == 1_117_703
    shapes = [[tuple(weight.shape) for weight in model.weights] for model in models]
    assert shapes[0] == shapes[1]


def test_a_narrow_network_grows_into_a_wider_one_that_answers_the_same() -> None:
    narrow, wide = (ARCHITECTURES[f"{name}-resnet"](7, (32, 32), "float32") for name in SIZES)
    random = np.random.default_rng(1)
    narrow.set_weights([_shaken(value, random) for value in narrow.get_weights()])
    weights = grown(narrow.get_weights(), wide.get_weights())
    assert weights is not None
    images = random.uniform(0, 255, (4, 32, 32, 1)).astype(np.float32)
    before = wide.predict_on_batch(images)
    wide.set_weights(weights)
    after, expected = (model.predict_on_batch(images) for model in (wide, narrow))
    np.testing.assert_allclose(after, expected, atol=1e-4)
    assert np.abs(before - expected).max() > 0.01, "random weights must not pass for grown ones"
    new = weights[-2][narrow.get_weights()[-2].shape[0] :]
    assert new.size, "the last layer has new inputs"
    assert grown(wide.get_weights(), narrow.get_weights()) is None
    demo = ARCHITECTURES["demo-cnn"](7, (32, 32), "float32").get_weights()
    assert grown(demo, wide.get_weights()) is None


def _shaken(value: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Weights as after some training: the scales that start at 0 are not 0 any more."""
    return np.asarray(value + np.abs(random.normal(0, 0.05, value.shape)), dtype=np.float32)


def test_fused_batch_normalisation_is_batch_normalisation() -> None:
    import keras
    from fer_stream_training.batch_norm import batch_normalization

    if keras.backend.backend() != "tensorflow":
        pytest.skip("only TensorFlow has the fused operation")
    random = np.random.default_rng(4)
    x = random.normal(3, 2, (32, 4, 4, 5)).astype(np.float32)
    fused, plain = batch_normalization("mixed_bfloat16"), batch_normalization("float32")
    for _ in range(3):
        outputs = [np.asarray(layer(x, training=True), np.float32) for layer in (fused, plain)]
        np.testing.assert_allclose(*outputs, atol=0.03)  # bfloat16 has three digits
    for one, other in zip(fused.weights, plain.weights, strict=True):
        assert one.name == other.name
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=0.01, atol=0.01)
    outputs = [np.asarray(layer(x), np.float32) for layer in (fused, plain)]
    np.testing.assert_allclose(*outputs, atol=0.05)
