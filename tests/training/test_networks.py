"""The networks: what they are made of, and that they build for any classes and sizes."""

from __future__ import annotations

import numpy as np
import pytest
from fer_stream_training.architectures import ARCHITECTURES

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
