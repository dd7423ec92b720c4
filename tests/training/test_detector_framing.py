"""The frame of the detector's boxes: what the canvases hold, and what is taken off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fer_stream_training.detector.framing import calibrate, on_canvas
from fer_stream_training.detector.layout import LEVELS, SIDE_UNIT, cell_centres


@pytest.mark.parametrize("side", [20, 48, 101, 240])
def test_a_canvas_holds_the_face_as_large_as_it_was_asked_for(side: int) -> None:
    canvas = on_canvas(np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8), side)
    assert canvas.shape[0] == canvas.shape[1]
    assert canvas.shape[0] % 32 == 0
    assert canvas.shape[0] >= 2 * side
    around = canvas.copy()
    start = round(0.55 * side)
    around[start : start + side, start : start + side] = 128
    rough = [np.abs(np.diff(picture.astype(int), axis=1)).mean() for picture in (canvas, around)]
    assert rough[1] < rough[0] / 2, "what is about the face is blurred"


class Layer:
    def __init__(self) -> None:
        self.weights = [np.zeros((1, 1, 4, 3), np.float32), np.zeros(3, np.float32)]

    def get_weights(self) -> list[np.ndarray]:
        return self.weights

    def set_weights(self, weights: list[np.ndarray]) -> None:
        self.weights = weights


class Enlarging:
    """Stands for a network that sees each face, and says a tenth too much of its side."""

    def __init__(self) -> None:
        self.layers = {f"box_{level.stride}": Layer() for level in LEVELS}

    def get_layer(self, name: str) -> Layer:
        return self.layers[name]

    def predict_on_batch(self, pictures: np.ndarray) -> np.ndarray:
        picture = pictures[0, :, :, 0]
        white = np.flatnonzero(picture.max(axis=0) > 128)
        side = white[-1] - white[0] + 1
        cells = cell_centres(*picture.shape)
        answer = np.zeros((len(cells), 4))
        answer[:, 0] = 5.0
        answer[:, 3] = np.log(1.1 * side / (SIDE_UNIT * cells[:, 2]))
        return answer[None]


def test_what_is_said_too_much_is_taken_off_the_larger_levels() -> None:
    """The face is white with a black rim, a pixel of 48 wide: 46/48 of its side are white."""
    faces = np.zeros((1, 48, 48), np.uint8)
    faces[0, 1:-1, 1:-1] = 255
    network: Any = Enlarging()
    factors = calibrate(network, faces, 0)
    assert factors == pytest.approx([48 / 46 / 1.1] * (len(LEVELS) - 1), abs=0.03)
    for level, factor in zip(LEVELS[1:], factors, strict=True):
        (_, bias) = network.layers[f"box_{level.stride}"].weights
        np.testing.assert_allclose(bias, (0, 0, np.log(factor)), atol=1e-6)
    assert not network.layers[f"box_{LEVELS[0].stride}"].weights[1].any()
