"""Entrant: the loop of the widely copied webcam demo that started this project.

As it stands there: the cascade is loaded anew for every frame, and every face goes through Keras's
`predict` by itself. The network is the demo's, untrained, which costs the same; nothing is drawn or
shown, and `predict` prints nothing, which the demo would pay for as well. Its labels mean nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import cv2
import numpy as np
from fer_stream_training.architectures import ARCHITECTURES
from fer_stream_training.needs import require_tensorflow
from fer_stream_training.quiet import import_keras

from contest.plain import LABELS, cascade_path
from contest.reading import Look, Seen, pictures


def prepare(_: str) -> Look:
    require_tensorflow()
    import_keras()
    model = ARCHITECTURES["demo-cnn"](7, (48, 48), "float32")

    def look(
        path: str, most: int | None, only: Collection[int] | None
    ) -> Iterator[tuple[int, list[Seen]]]:
        for index, image in pictures(path, most, only):
            cascade = cv2.CascadeClassifier(cascade_path())
            grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
            faces: list[Seen] = []
            for x, y, width, height in cascade.detectMultiScale(grey, 1.3, 5):
                crop = cv2.resize(grey[y : y + height, x : x + width], (48, 48))
                scores = model.predict(crop[np.newaxis, :, :, np.newaxis], verbose=0)
                label = LABELS[int(np.argmax(scores))]
                faces.append((int(x), int(y), int(width), int(height), label))
            yield index, faces

    return look
