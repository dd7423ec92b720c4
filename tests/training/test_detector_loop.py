"""How the detector's two networks are trained, step by step."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fer_stream_training.detector.candidates import SIDE, Candidates
from fer_stream_training.detector.checkpoint import Checkpoint
from fer_stream_training.detector.loop import train
from fer_stream_training.detector.scenes import Material
from fer_stream_training.detector.schedule import rise_and_fall
from fer_stream_training.detector.settings import read_settings

pytestmark = [
    pytest.mark.usefixtures("tensorflow_installed"),
    # TensorFlow warns about its own insides.
    pytest.mark.filterwarnings("default"),
]


def rates(schedule: Any, steps: int) -> list[float]:
    return [float(schedule(step)) for step in range(steps + 1)]


def test_it_rises_shortly_and_is_0_when_the_run_is_over() -> None:
    found = rates(rise_and_fall(3e-3, 100), 100)
    assert found[5] == pytest.approx(3e-3)
    assert found[100] == pytest.approx(0, abs=1e-9)
    assert all(before < after for before, after in pairwise(found[:6]))
    assert all(before > after for before, after in pairwise(found[5:]))


def test_a_run_of_one_step_has_a_schedule() -> None:
    assert np.isfinite(rates(rise_and_fall(3e-3, 1), 1)).all()


def test_the_check_learns_to_the_end_of_its_schedule() -> None:
    from fer_stream_training.detector.check import train_check

    images = np.random.default_rng(1).integers(0, 256, (4, SIDE, SIDE), dtype=np.uint8)
    found = Candidates(images, np.array([True, False, True, False]))
    model = train_check(found, 3, 0, lambda *_: None)
    assert int(model.optimizer.iterations) == 3
    assert float(model.optimizer.learning_rate) == pytest.approx(0, abs=1e-9)


def test_an_epochs_loss_is_the_mean_of_its_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    losses: list[float] = []
    learn = keras.Model.train_on_batch

    def noted(*arguments: Any) -> Any:
        losses.append(float(learn(*arguments)))
        return losses[-1]

    monkeypatch.setattr(keras.Model, "train_on_batch", noted)
    small = {"epochs": 2, "steps": 3, "batch_size": 1, "height": 64, "width": 64, "large": 64}
    settings = replace(read_settings(None, None, None), **small)
    faces = np.random.default_rng(0).integers(0, 256, (7, 48, 48), dtype=np.uint8)
    told: dict[int, float] = {}
    train(Material(faces, [], []), Checkpoint(tmp_path, settings, ""), None, told.__setitem__)
    assert np.ptp(losses) > 0.01, "equal losses would prove nothing"
    assert told == pytest.approx({1: np.mean(losses[:3]), 2: np.mean(losses[3:])})
