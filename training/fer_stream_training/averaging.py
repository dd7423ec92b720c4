"""A running average of a model's weights, which scores better than the last weights do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from .checkpoint import Arrays

if TYPE_CHECKING:
    import keras

_EVERY = 4  # steps between updates; at each step they would cost 6 % of the training time


class WeightAverage:
    """Exponential moving average of ``model``'s weights, running statistics included.

    ``decay`` (0..1) is the share kept per step; it starts lower, as TensorFlow's
    ExponentialMovingAverage does, so that the first random weights are soon forgotten.
    """

    def __init__(self, model: keras.Model, decay: float) -> None:
        self._model = model
        self._decay = decay
        self.values: Arrays = model.get_weights()

    def update(self, step: int) -> None:
        """Take in the weights after ``step`` steps, counted from 1 over the whole run."""
        if step % _EVERY:
            return
        decay = np.float32(min(self._decay, step / (step + 9)) ** _EVERY)
        for value, weight in zip(self.values, self._model.get_weights(), strict=True):
            value += (1 - decay) * (weight - value)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The model has the average as its weights in the ``with`` block."""
        own = self._model.get_weights()
        self._model.set_weights(self.values)
        try:
            yield
        finally:
            self._model.set_weights(own)
