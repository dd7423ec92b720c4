"""A model file measured as a run of fer-stream uses it: onnxruntime, temperature and all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_stream.classifiers.onnx import OnnxClassifier
from fer_stream.errors import ConfigError
from fer_stream.models.info import ModelInfo

from .calibration import Certainty, calibration_error, certainty
from .data import Split
from .evaluation import Evaluation, evaluate
from .processor import processor_name

BATCH_SIZES = (1, 16)
_AT_ONCE = 256
_ROUNDS = 9
_FACES_A_ROUND = 32


@dataclass(frozen=True, slots=True)
class Measurement:
    """Figures of one model file on one split; classes are in the order of the model's labels."""

    model: ModelInfo
    split: str
    split_sha256: str
    evaluation: Evaluation
    calibration_error: float
    """Expected calibration error over 15 bins, 0..1."""
    certainty: Certainty | None
    """None for a model without a threshold."""
    ms_per_face: dict[int, float]
    """Milliseconds of CPU time per face on one thread, for each number of faces at once."""
    cpu: str


def measure(
    classifier: OnnxClassifier, split: Split, advance: Callable[[int], object]
) -> Measurement:
    """Measure ``classifier`` on ``split``; ``advance`` hears how many images each step was.

    Raises ConfigError when a class of the split is no label of the model, or the images have
    another size than it takes.
    """
    labels = labels_for(classifier, split)
    probabilities = classify(classifier, split.images, advance)
    below = classifier.info.uncertain_below
    return Measurement(
        model=classifier.info,
        split=split.name,
        split_sha256=split.sha256(),
        evaluation=evaluate(probabilities, labels),
        calibration_error=calibration_error(probabilities, labels),
        certainty=certainty(probabilities, labels, below) if below else None,
        ms_per_face={size: _ms_per_face(classifier, split.images, size) for size in BATCH_SIZES},
        cpu=processor_name(),
    )


def labels_for(classifier: OnnxClassifier, split: Split) -> npt.NDArray[np.uint8]:
    """The split's labels, (N,) uint8, as places in the model's list of labels, matched by name."""
    missing = [name for name in split.class_names if name not in classifier.labels]
    if missing:
        raise ConfigError(
            f"model {classifier.info.path} has no label {', '.join(missing)}, as the data has; "
            f"its labels are {', '.join(classifier.labels)}; choose other data, or give the model "
            "the data's names with: fer-stream models label"
        )
    places = [classifier.labels.index(name) for name in split.class_names]
    return np.array(places, np.uint8)[split.labels]


def classify(
    classifier: OnnxClassifier,
    images: npt.NDArray[np.uint8],
    advance: Callable[[int], object] = lambda _: None,
) -> npt.NDArray[np.float32]:
    """Probabilities (N, K) float32 for (N, H, W) uint8 grey images, in the model's label order."""
    if images.shape[1:] != classifier.input_size:
        (height, width), (taken_height, taken_width) = images.shape[1:], classifier.input_size
        raise ConfigError(
            f"the images are {width}x{height} px; model {classifier.info.path} takes "
            f"{taken_width}x{taken_height}; choose another model or other data"
        )
    rows = []
    for start in range(0, len(images), _AT_ONCE):
        scores = classifier.classify(images[start : start + _AT_ONCE])
        rows += [one.probabilities for one in scores]
        advance(len(scores))
    return np.stack(rows)


def _ms_per_face(classifier: OnnxClassifier, images: npt.NDArray[np.uint8], at_once: int) -> float:
    batch = np.resize(images, (at_once, *images.shape[1:]))  # repeated if there are fewer
    rounds = []
    for _ in range(_ROUNDS):
        # The classifier works on its caller's thread alone, so the thread's CPU time is what a
        # face takes on an idle core, however busy the machine is.
        started = time.thread_time()
        for _ in range(_FACES_A_ROUND // at_once):
            classifier.classify(batch)
        rounds.append(time.thread_time() - started)
    return 1000 * statistics.median(rounds) / _FACES_A_ROUND
