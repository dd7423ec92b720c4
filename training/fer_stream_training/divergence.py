"""When a training has lost its numbers, which no later epoch brings back."""

from __future__ import annotations

import math

from fer_stream.errors import ConfigError


def require_number(loss: float, epoch: int) -> None:
    """Raise ConfigError when the loss of an epoch, counted from 1, is no finite number."""
    if not math.isfinite(loss):
        raise ConfigError(
            f"the loss of epoch {epoch} is {loss}; expected a number; the steps were too large: "
            "start again in another --out with a lower learning rate"
        )
