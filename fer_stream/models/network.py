"""An emotion model's network: grey faces in, a probability for each label out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from fer_stream.errors import ModelError
from fer_stream.models.info import describe, first_run


class Network:
    """A described session that was run once.

    `path` is what messages call its file. Raises `ModelError` for a model that we cannot use.
    """

    def __init__(self, path: Path, session: ort.InferenceSession) -> None:
        self.info = describe(path, session)
        self._session = session
        self._input = session.get_inputs()[0].name
        self._output = session.get_outputs()[0].name
        with first_run(path):
            self.probabilities(np.zeros((1, self.info.height, self.info.width), np.uint8))

    def probabilities(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the network's own, (N, K) float32, of faces (N, height, width) uint8, 0..255.

        The temperature is not applied. Raises `ModelError` for scores that do not sum to 1.
        """
        batch = crops.astype(np.float32)
        if self.info.layout == "NHWC":
            batch = batch[..., np.newaxis]
        elif self.info.layout == "NCHW":
            batch = batch[:, np.newaxis]
        (answer,) = self._session.run([self._output], {self._input: batch})
        raw: npt.NDArray[np.float32] = np.asarray(answer)
        sums = raw.sum(axis=1)
        if not (raw.min() >= 0 and np.abs(sums - 1).max() <= 1e-2):  # also refuses NaN
            raise ModelError(
                f"model {self.info.path} does not give probabilities (its scores sum to "
                f"{float(sums[0]):.3g}); expected an output after softmax"
            )
        return raw
