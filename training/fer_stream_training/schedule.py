"""What changes over a run: the learning rate and the strength of the augmentation."""

from __future__ import annotations

import math

WARM_UP_EPOCHS = 2.0
CLEAN_END = 1 / 8  # of the epochs
CLEAN_STRENGTH = 0.4


def learning_rate(
    schedule: str, peak: float, progress: float, epochs: int, warm_up: float = WARM_UP_EPOCHS
) -> float:
    """Learning rate at ``progress`` epochs (fractions count) of a run of ``epochs``.

    ``constant`` is ``peak`` throughout. ``cosine`` rises linearly over the first ``warm_up`` epochs
    (a tenth of a short run), then falls to 0 along half a cosine (Loshchilov and Hutter,
    arXiv:1608.03983, without restarts).
    """
    if schedule == "constant":
        return peak
    warm_up = min(warm_up, epochs / 10)
    if progress < warm_up:
        return peak * (progress + 0.01) / (warm_up + 0.01)
    return peak * 0.5 * (1 + math.cos(math.pi * (progress - warm_up) / (epochs - warm_up)))


def augmentation_strength(epoch: int, epochs: int, clean_end: float = CLEAN_END) -> float:
    """Strength 0..1 of the augmentation in ``epoch`` (from 1) of a run of ``epochs``.

    Full, but weaker in the last ones, a ``clean_end`` of them, so that the network ends on faces
    like those it will see (He et al., "Data Augmentation Revisited", arXiv:1909.09148).
    """
    return CLEAN_STRENGTH if epoch - 1 >= epochs * (1 - clean_end) else 1.0
