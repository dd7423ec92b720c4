"""Classifier `onnx`: any self-describing ONNX model, run by onnxruntime on the CPU."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fer_stream.models import model_path
from fer_stream.models.info import load_session
from fer_stream.models.network import Network
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
        self._network = Network(path, load_session(path))
        self.info = self._network.info
        self.labels = self.info.labels
        self.input_size = (self.info.height, self.info.width)
        self.model_name = self.info.name
        self.model_sha256 = self.info.sha256

    def classify(self, crops: npt.NDArray[np.uint8]) -> list[EmotionScores]:
        """Score a batch of faces, (N, height, width) uint8 grey, 0..255."""
        parts = [
            self._calibrated(self._network.probabilities(crops[i : i + _AT_ONCE]))
            for i in range(0, len(crops), _AT_ONCE)
        ]
        limit = self.info.uncertain_below
        return [
            EmotionScores(self.labels, row, uncertain_below=limit) for part in parts for row in part
        ]

    def _calibrated(self, raw: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Apply the temperature: p**(1/T), renormalised, is softmax(logits / T).

        Guo et al., "On Calibration of Modern Neural Networks", 2017, section 4.2.
        """
        if self.info.temperature is not None:
            # Over the highest score first: a small T must not make all of them round to 0.
            raw = (raw / raw.max(axis=1, keepdims=True)) ** np.float32(1 / self.info.temperature)
        return np.asarray(raw / raw.sum(axis=1, keepdims=True), np.float32)
