"""Classifier `onnx`: any self-describing ONNX model, run by onnxruntime on the CPU."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fer_stream.errors import ModelError
from fer_stream.models import model_path
from fer_stream.models.info import describe, first_run, load_session
from fer_stream.stages import Classifier
from fer_stream.types import EmotionScores

_AT_ONCE = 16  # faces; more are no faster, and onnxruntime keeps the memory of the largest batch


class OnnxClassifier(Classifier):
    """Runs a model file: `onnx:PATH`; without a path, the model that ships with fer-stream.

    The model takes grey faces, 0..255 as float32 (scaling is part of its graph), gives a
    probability for each label, and names its labels in its metadata.
    """

    name = "onnx"
    concurrent = True  # onnxruntime's sessions may be run by several threads

    def __init__(self, target: str = "") -> None:
        path = model_path(target or "default")
        self._session = load_session(path)
        self.info = describe(path, self._session)
        self.labels = self.info.labels
        self.input_size = (self.info.height, self.info.width)
        self.model_name = self.info.name
        self.model_sha256 = self.info.sha256
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name
        with first_run(path):
            self.classify(np.zeros((1, *self.input_size), np.uint8))

    def classify(self, crops: npt.NDArray[np.uint8]) -> list[EmotionScores]:
        """Score a batch of faces, (N, height, width) uint8 grey, 0..255."""
        parts = [self._run(crops[i : i + _AT_ONCE]) for i in range(0, len(crops), _AT_ONCE)]
        limit = self.info.uncertain_below
        return [
            EmotionScores(self.labels, row, uncertain_below=limit) for part in parts for row in part
        ]

    def _run(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        batch = crops.astype(np.float32)
        if self.info.layout == "NHWC":
            batch = batch[..., np.newaxis]
        elif self.info.layout == "NCHW":
            batch = batch[:, np.newaxis]
        (raw,) = self._session.run([self._output], {self._input: batch})
        return self._calibrated(np.asarray(raw))

    def _calibrated(self, raw: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Apply the temperature: p**(1/T), renormalised, is softmax(logits / T).

        Guo et al., "On Calibration of Modern Neural Networks", 2017, section 4.2.
        """
        sums = raw.sum(axis=1, keepdims=True)
        if not (raw.min() >= 0 and np.abs(sums - 1).max() <= 1e-2):  # also refuses NaN
            raise ModelError(
                f"model {self.info.path} does not give probabilities (its scores sum to "
                f"{float(sums.ravel()[0]):.3g}); expected an output after softmax"
            )
        if self.info.temperature is not None:
            # Over the highest score first: a small T must not make all of them round to 0.
            raw = (raw / raw.max(axis=1, keepdims=True)) ** np.float32(1 / self.info.temperature)
            sums = raw.sum(axis=1, keepdims=True)
        return np.asarray(raw / sums, np.float32)
