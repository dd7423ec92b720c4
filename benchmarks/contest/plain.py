"""Entrants: the loop that people write today, around the network that fer-stream ships in float32.

Every frame is read in colour and searched whole by OpenCV's frontal Haar cascade (1.3/5); each face
is classified by itself. Argument: `default` leaves OpenCV's and onnxruntime's threads as they come;
`one-thread` gives both one thread that does not spin while it waits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from contest.reading import Look, Seen, pictures
from fer_stream.models import model_path

LABELS = ("angry", "disgusted", "fearful", "happy", "sad", "surprised", "neutral")


def prepare(threads: str) -> Look:
    options = ort.SessionOptions()
    if threads == "one-thread":
        cv2.setNumThreads(1)
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    path = model_path("default-float32")
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    cascade = cv2.CascadeClassifier(cascade_path())

    def look(
        path: str, most: int | None, only: Collection[int] | None
    ) -> Iterator[tuple[int, list[Seen]]]:
        for index, image in pictures(path, most, only):
            grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
            faces: list[Seen] = []
            for x, y, width, height in cascade.detectMultiScale(grey, 1.3, 5):
                crop = cv2.resize(grey[y : y + height, x : x + width], (48, 48))
                face = crop.astype(np.float32)[np.newaxis, :, :, np.newaxis]
                (scores,) = session.run(None, {name: face})
                label = LABELS[int(np.argmax(scores))]
                faces.append((int(x), int(y), int(width), int(height), label))
            yield index, faces

    return look


def cascade_path() -> str:
    return str(Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml")
