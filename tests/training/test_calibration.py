"""The temperature is found where it is known, and a threshold does what it says."""

from __future__ import annotations

import numpy as np
import pytest
from fer_stream_training.calibration import (
    apply_temperature,
    calibration_error,
    certainty,
    fit_temperature,
)


def _with_tops(tops: list[float] | np.ndarray) -> np.ndarray:
    """(N, 7) scores whose highest is the first, so that label 0 is right and label 1 is wrong."""
    tops = np.asarray(tops, np.float32)
    rest = np.repeat(((1 - tops) / 6)[:, None], 6, axis=1)
    return np.concatenate([tops[:, None], rest], axis=1).astype(np.float32)


@pytest.mark.parametrize("true_temperature", [0.6, 1.0, 2.0])
def test_the_temperature_of_known_scores_is_found(true_temperature: float) -> None:
    random = np.random.default_rng(4)
    logits = random.normal(0, 2, (20000, 7))
    right = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (right.cumsum(axis=1) < random.random((20000, 1))).sum(axis=1).astype(np.uint8)
    # Scores that are too sure (or not sure enough) by exactly the temperature to be found.
    given = apply_temperature(right.astype(np.float32), 1 / true_temperature)
    found = fit_temperature(given, labels)
    assert found is not None
    assert found == pytest.approx(true_temperature, rel=0.05)
    after = calibration_error(apply_temperature(given, found), labels)
    assert after < 0.015
    if true_temperature != 1:
        assert calibration_error(given, labels) > 3 * after


@pytest.mark.parametrize("right", [1.0, 1 / 7])
def test_images_that_no_temperature_fits_get_none(right: float) -> None:
    """All of a few images are right, or as many as by chance and the scores are sure of more."""
    labels = (np.arange(7) >= 7 * right - 0.5).astype(np.uint8)
    scores = _with_tops(np.linspace(0.6, 0.9, 7))
    assert (scores.argmax(axis=1) == labels).mean() == pytest.approx(right)
    assert fit_temperature(scores, labels) is None


def test_calibration_error_is_the_gap_between_score_and_accuracy() -> None:
    labels = np.array([0, 0, 0, 1], np.uint8)
    assert calibration_error(_with_tops([0.9] * 4), labels) == pytest.approx(0.15, abs=1e-6)


def test_the_effect_of_a_threshold() -> None:
    labels = np.array([1, 0, 0, 0, 1], np.uint8)
    effect = certainty(_with_tops([0.3, 0.4, 0.5, 0.7, 0.9]), labels, 0.5)
    assert effect.share == pytest.approx(2 / 5)
    assert effect.accuracy == pytest.approx(1 / 2)
    assert effect.accuracy_of_rest == pytest.approx(2 / 3)
    assert np.isnan(certainty(_with_tops([0.8]), labels[:1], 0.5).accuracy)
