"""The small calculations: augmentation, schedule, comparison."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from fer_stream_training.augment import augment, mix
from fer_stream_training.averaging import WeightAverage
from fer_stream_training.checkpoint import EpochRecord, RunState
from fer_stream_training.data import Split
from fer_stream_training.export import compare, require_parity
from fer_stream_training.schedule import augmentation_strength, learning_rate
from fer_stream_training.settings import TrainingSettings
from fer_stream_training.trainer import balanced_weights, is_finished, one_hot

from fer_stream.errors import ModelError


def test_augmented_faces_stay_grey_faces() -> None:
    images = np.random.default_rng(0).integers(0, 256, (64, 48, 48)).astype(np.uint8)
    before = images.copy()
    changed = augment(images, np.random.default_rng(1))
    assert changed.shape == images.shape
    assert changed.dtype == np.float32
    assert changed.min() >= 0
    assert changed.max() <= 255
    np.testing.assert_array_equal(images, before)
    np.testing.assert_array_equal(changed, augment(images, np.random.default_rng(1)))
    assert not np.array_equal(changed, augment(images, np.random.default_rng(2)))


def test_augmentation_mirrors_half_and_moves_a_little() -> None:
    # A bright patch left of the centre: after augmentation it is left or right, near its row.
    image = np.zeros((48, 48), np.uint8)
    image[20:28, 6:14] = 255
    changed = augment(np.repeat(image[None], 400, axis=0), np.random.default_rng(3))
    weights = changed - changed.min(axis=(1, 2), keepdims=True)
    x = (weights.sum(axis=1) * np.arange(48)).sum(axis=1) / weights.sum(axis=(1, 2))
    y = (weights.sum(axis=2) * np.arange(48)).sum(axis=1) / weights.sum(axis=(1, 2))
    left = x < 23.5
    assert 0.4 < left.mean() < 0.6
    assert abs(np.where(left, x, 47 - x) - 9.5).max() < 8
    assert 1 < y.std() < 4


@pytest.mark.parametrize(("height", "width"), [(96, 96), (96, 48), (40, 64)])
def test_augmentation_grows_with_the_image(height: int, width: int) -> None:
    # The same bright patch as above in an image of another size, measured in 48ths of its sides.
    image = np.zeros((height, width), np.uint8)
    image[height * 20 // 48 : height * 28 // 48, width * 6 // 48 : width * 14 // 48] = 255
    changed = augment(np.repeat(image[None], 400, axis=0), np.random.default_rng(3))
    assert changed.shape == (400, height, width)
    weights = changed - changed.min(axis=(1, 2), keepdims=True)
    x = (weights.sum(axis=1) * np.arange(width)).sum(axis=1) / weights.sum(axis=(1, 2))
    y = (weights.sum(axis=2) * np.arange(height)).sum(axis=1) / weights.sum(axis=(1, 2))
    x, y = (x + 0.5) * 48 / width, (y + 0.5) * 48 / height
    left = x < 24
    assert 0.4 < left.mean() < 0.6
    assert abs(np.where(left, x, 48 - x) - 10).max() < 9
    assert 1 < y.std() < 5
    assert abs(y.mean() - 24) < 1


def test_every_change_works_in_another_size() -> None:
    images = np.random.default_rng(8).integers(0, 256, (200, 33, 96)).astype(np.uint8)
    changed = augment(images, np.random.default_rng(9), degrade=1.0, erase=1.0)
    assert changed.shape == images.shape
    assert 0 <= changed.min() <= changed.max() <= 255


def test_cosine_rises_then_falls_to_zero() -> None:
    rates = [learning_rate("cosine", 1e-3, step / 10, 50) for step in range(501)]
    assert rates[0] < 2e-5
    assert rates[20] == pytest.approx(1e-3)
    assert rates[260] == pytest.approx(5e-4)
    assert rates[500] == pytest.approx(0, abs=1e-12)
    assert all(a < b for a, b in pairwise(rates[:21]))
    assert all(a > b for a, b in pairwise(rates[20:]))


def test_constant_stays() -> None:
    assert {learning_rate("constant", 1e-4, p, 50) for p in (0.0, 0.5, 49.9)} == {1e-4}


@pytest.mark.parametrize("epochs", [1, 10])
def test_a_short_run_rises_for_a_tenth_of_it(epochs: int) -> None:
    rates = [learning_rate("cosine", 1e-3, step * epochs / 20, epochs) for step in range(20)]
    assert max(rates) == rates[2] == pytest.approx(1e-3)
    assert min(rates) > 0


def test_augmentation_weakens_in_the_last_eighth() -> None:
    strengths = [augmentation_strength(epoch, 16) for epoch in range(1, 17)]
    assert strengths[:14] == [1.0] * 14
    assert all(0 < strength < 1 for strength in strengths[14:])


def test_augmentation_stays_strong_without_a_clean_end() -> None:
    assert {augmentation_strength(epoch, 16, clean_end=0.0) for epoch in range(1, 17)} == {1.0}


def test_weak_augmentation_changes_less() -> None:
    # Symmetrical, so that a mirrored image is the same.
    image = np.add.outer(np.arange(48), np.abs(np.arange(48) - 23.5)).astype(np.uint8)
    images = np.repeat(image[None], 50, axis=0)
    none, weak, full = (
        np.abs(augment(images, np.random.default_rng(6), strength) - images).mean()
        for strength in (0.0, 0.4, 1.0)
    )
    assert none < 1e-3
    assert none < weak < 0.6 * full


def test_a_share_of_the_faces_loses_a_rectangle() -> None:
    images = np.full((400, 48, 48), 128, np.uint8)
    kept = augment(images, np.random.default_rng(7), 0.0)
    erased = augment(images, np.random.default_rng(7), 0.0, erase=0.5)
    share = (kept != erased).mean(axis=(1, 2))  # of each image's pixels
    assert 0.4 < (share > 0).mean() < 0.6
    assert share.max() < 0.25
    assert 0.05 < share[share > 0].mean() < 0.15


def test_a_share_of_the_faces_loses_detail() -> None:
    images = np.random.default_rng(8).integers(0, 256, (400, 48, 48)).astype(np.uint8)

    plain = augment(images, np.random.default_rng(9), 0.0)
    coarse = augment(images, np.random.default_rng(9), 0.0, degrade=0.5)
    assert 0.4 < (plain != coarse).any(axis=(1, 2)).mean() < 0.6
    detail = [np.abs(np.diff(changed, axis=2)).mean() for changed in (plain, coarse)]
    assert detail[1] < 0.9 * detail[0]
    assert 0 <= coarse.min() <= coarse.max() <= 255


def test_mixing_keeps_each_face_the_largest_part() -> None:
    random = np.random.default_rng(10)
    images = random.uniform(0, 255, (200, 48, 48, 1)).astype(np.float32)
    targets = np.eye(7, dtype=np.float32)[random.integers(0, 7, 200)]
    mixed, soft = mix(images, targets, 0.2, np.random.default_rng(11))
    assert (mixed.dtype, soft.dtype) == (np.float32, np.float32)
    np.testing.assert_allclose(soft.sum(axis=1), 1, atol=1e-6)
    own = (soft * targets).sum(axis=1)
    assert own.min() >= 0.5
    assert own.mean() < 0.97
    assert 0 <= mixed.min() <= mixed.max() <= 255


def _split(labels: list[int]) -> Split:
    images = np.zeros((len(labels), 48, 48), np.uint8)
    return Split("some", images, np.array(labels, np.uint8), ("a", "b", "c"))


def test_targets_are_the_labels() -> None:
    assert one_hot(_split([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_balanced_weights_give_every_class_the_same_sum() -> None:
    split = _split([0] * 6 + [1] * 3 + [2])
    weights = balanced_weights(split)
    sums = weights * split.class_counts()
    np.testing.assert_allclose(sums, sums[0], rtol=1e-6)
    assert weights[split.labels].mean() == pytest.approx(1)
    assert weights.dtype == np.float32


@pytest.mark.parametrize(
    ("accuracies", "patience", "finished"),
    [
        ([], 2, False),
        ([0.3, 0.2], 2, False),
        ([0.3, 0.2, 0.2], 2, True),
        ([0.3, 0.2, 0.3], 2, True),  # as good is no better
        ([0.3, 0.2, 0.4, 0.1], 2, False),
        ([0.3, 0.2, 0.2, 0.2], 0, False),
        ([0.1, 0.2, 0.3, 0.4, 0.5], 2, True),  # all five epochs
    ],
)
def test_patience_ends_a_run(accuracies: list[float], patience: int, finished: bool) -> None:
    settings = TrainingSettings(epochs=5, patience=patience)
    state = RunState(settings.as_dict(), "")
    for epoch, accuracy in enumerate(accuracies, start=1):
        state.history.append(EpochRecord(epoch, 1e-3, 1.5, 0.3, 1.4, accuracy, 2.0))
    assert is_finished(state, settings) == finished


class _Model:
    """What WeightAverage needs of a Keras model."""

    def __init__(self) -> None:
        self.weights = [np.zeros(2, np.float32)]

    def get_weights(self) -> list[np.ndarray]:
        return [weight.copy() for weight in self.weights]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        self.weights = [weight.copy() for weight in weights]


def test_the_average_follows_the_weights_and_gives_them_back() -> None:
    model = _Model()
    average = WeightAverage(model, 0.9)  # type: ignore[arg-type]
    model.weights = [np.ones(2, np.float32)]
    for step in range(1, 9):
        average.update(step)
    early = average.values[0][0]
    assert 0.8 < early < 1  # the first weights are soon forgotten
    for step in range(9, 201):
        average.update(step)
    np.testing.assert_allclose(average.values[0], 1, atol=1e-6)
    model.weights = [np.zeros(2, np.float32)]
    for step in range(201, 209):
        average.update(step)
    np.testing.assert_allclose(average.values[0], 0.9**8, atol=1e-5)
    with average.applied():
        np.testing.assert_array_equal(model.weights[0], average.values[0])
    np.testing.assert_array_equal(model.weights[0], 0)


def _one_hot(classes: list[int], sure: float) -> np.ndarray:
    rows = np.full((len(classes), 7), (1 - sure) / 6, np.float32)
    rows[np.arange(len(classes)), classes] = sure
    return rows


def test_parity_fails_on_a_difference_or_another_label() -> None:
    expected = _one_hot([0, 1, 2], 0.4)
    require_parity(compare(expected, expected.copy()))
    shifted = expected + np.float32(2e-4)
    with pytest.raises(ModelError, match="differs from the Keras model"):
        require_parity(compare(expected, shifted))
    swapped = compare(expected, expected[:, ::-1])
    assert swapped.disagreements == 3
    with pytest.raises(ModelError, match="3 of 3 labels"):
        require_parity(swapped)


def test_a_tie_is_no_disagreement() -> None:
    expected = np.array([[0.30001, 0.3, 0.2, 0.1, 0.05, 0.03, 0.01999]], np.float32)
    actual = expected.copy()
    actual[0, :2] = actual[0, 1::-1]
    parity = compare(expected, actual)
    assert parity.disagreements == 0
    require_parity(parity)
