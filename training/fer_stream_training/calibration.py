"""How far a model's scores can be taken as probabilities, and the temperature that mends them.

It is chosen on images that the model did not learn from, and makes the scores honest on the
average. Then a top score under one half is more likely wrong than right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Probabilities = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]

UNCERTAIN_BELOW = 0.5
"""The top score under which the other classes together are more likely."""
_TEMPERATURE_RANGE = (0.2, 5.0)


@dataclass(frozen=True, slots=True)
class Certainty:
    """What a threshold on the top score does to the answers.

    ``below`` is the threshold, 0..1: an answer with a lower score is called uncertain. ``share``
    is the share of images with such answers, ``accuracy`` how often those are right,
    ``accuracy_of_rest`` how often the others are; each 0..1, nan where there are none.
    """

    below: float
    share: float
    accuracy: float
    accuracy_of_rest: float


def apply_temperature(probabilities: Probabilities, temperature: float) -> Probabilities:
    """p ** (1 / T), normalised again; (N, K) float32 in and out.

    For softmax outputs this equals dividing the logits by T.
    """
    log = np.log(np.clip(probabilities.astype(np.float64), 1e-12, 1)) / temperature
    log -= log.max(axis=1, keepdims=True)
    powered = np.exp(log)
    return np.asarray(powered / powered.sum(axis=1, keepdims=True), dtype=np.float32)


def fit_temperature(probabilities: Probabilities, labels: Labels) -> float | None:
    """The temperature that makes the mean top score equal to the accuracy, within 0.2..5.

    None where no temperature in between does: all of a few images are right, or the answers are
    no better than chance. An end of the range would say more than such images can.

    One temperature cannot mend every score. The likelihood, which Guo et al. fit ("On Calibration
    of Modern Neural Networks", arXiv:1706.04599, section 4.2), is ruled by the surest answers;
    this makes the shown scores right on the average, and their calibration error smaller. The
    mean top score falls as the temperature rises, so bisection finds it.
    """
    accuracy = (probabilities.argmax(axis=1) == labels).mean()

    def too_sure(log_temperature: float) -> bool:
        scores = apply_temperature(probabilities, float(np.exp(log_temperature)))
        return bool(scores.max(axis=1).mean() > accuracy)

    low, high = np.log(_TEMPERATURE_RANGE)
    if not too_sure(low) or too_sure(high):
        return None
    for _ in range(30):  # narrows the range to 1e-9
        middle = (low + high) / 2
        if too_sure(middle):
            low = middle
        else:
            high = middle
    return float(np.exp((low + high) / 2))


def calibration_error(probabilities: Probabilities, labels: Labels, bins: int = 15) -> float:
    """Expected calibration error, 0..1: mean gap between the top score and its accuracy.

    Equal-width bins of the top score, weighted by images (Guo et al., section 2).
    """
    top = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    index = np.minimum((top * bins).astype(int), bins - 1)
    gaps = [
        abs(top[index == b].mean() - correct[index == b].mean()) * (index == b).mean()
        for b in range(bins)
        if (index == b).any()
    ]
    return float(sum(gaps))


def certainty(probabilities: Probabilities, labels: Labels, below: float) -> Certainty:
    """What the threshold ``below`` does to the answers given by (N, K) probabilities."""
    uncertain = probabilities.max(axis=1) < below
    right = probabilities.argmax(axis=1) == labels
    return Certainty(
        below, float(uncertain.mean()), _mean(right[uncertain]), _mean(right[~uncertain])
    )


def _mean(values: npt.NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else float("nan")
