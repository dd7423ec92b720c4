"""The learning rate of the detector's trainings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

_RISE = 0.05  # of the run


def rise_and_fall(peak: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """A short straight rise to ``peak``, then down to 0 along half a cosine, in ``steps`` steps."""
    import keras

    rise = max(int(steps * _RISE), 1)
    # Keras counts the steps of the fall from the end of the rise.
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(steps - rise, 1), warmup_target=peak, warmup_steps=rise
    )
