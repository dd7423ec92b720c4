"""Reading single pictures that a program has in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fer_stream.config import as_list, classifier_of
from fer_stream.engine.asked import detections, scores
from fer_stream.errors import ConfigError
from fer_stream.frames import frame_from_image, new_frame
from fer_stream.imaging import crop_face
from fer_stream.parts import make_classifier, make_stage
from fer_stream.plugins import Given, with_given
from fer_stream.stage_names import StageName, stage_spec
from fer_stream.stages import Detector
from fer_stream.types import Face, Frame, StreamInfo


class PictureReader:
    """Finds the faces of single pictures and reads their emotions; loads its networks once.

    Pictures have nothing to do with each other: nobody is followed, nothing is smoothed. Of a
    film or a camera `stream` makes more. It starts no thread, and any thread may call it; one
    picture is read at a time. It cannot be pickled: another process makes its own, or, if it was
    forked while nobody read, goes on with this one.

    Args:
        detector: Finds faces; `"onnx?detect_size=960"` finds smaller ones.
        model: Path of a self-describing ONNX model; the shipped one unless given.
        classifier: Reads the faces, where a plugin's is meant instead of a model.
        plugin: Stages that are not installed: their classes, or Python files with plugins.

    Raises:
        FerStreamError: For a wrong argument.

    Example:
        reader = fer_stream.PictureReader()
        for face in reader.read(cv2.imread("group.jpg")):
            print(face.box, face.scores.word, face.scores.as_dict())
    """

    def __init__(
        self,
        *,
        detector: StageName = "onnx",
        model: str | Path | None = None,
        classifier: StageName | None = None,
        plugin: Given | Sequence[Given] = (),
    ) -> None:
        plugins = with_given(as_list(plugin))
        asked = classifier_of(model, classifier)
        reads = stage_spec("classifier", "onnx" if asked is None else asked, plugins)
        self._classifier = make_classifier(reads, plugins)
        spec = stage_spec("detector", detector, plugins)
        self._detector: Detector = make_stage("detector", spec, plugins)
        self._turn = threading.Lock()  # a detector serves one thread

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions, in the order of each face's scores."""
        return self._classifier.labels

    def read(self, image: npt.NDArray[Any]) -> list[Face]:
        """Return the faces of a picture, in no order; [] if there is none.

        Args:
            image: (H, W, 3) uint8 blue, green, red, as OpenCV reads it, or (H, W) uint8 grey;
                upright. Of a picture of Pillow, whatever its mode:
                `np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))[..., ::-1]`.

        Raises:
            FerStreamError: For what is no such picture, and for a plugin with a bug.
        """
        frame = _frame(image)
        with self._turn:
            found = detections(self._detector, frame)
            if not found:
                return []
            size = self._classifier.input_size
            crops = np.stack([crop_face(frame, face.box, size) for face in found])
            said = scores(self._classifier, crops)
        return [
            Face(face.box, score, face.confidence) for face, score in zip(found, said, strict=True)
        ]


def _frame(image: Any) -> Frame:
    if not _is_picture(image):
        is_array = isinstance(image, np.ndarray)
        got = f"{image.shape} {image.dtype}" if is_array else " ".join(repr(image).split())[:80]
        hint = "; OpenCV gives None for a picture that it cannot read" if image is None else ""
        raise ConfigError(
            f"expected a picture, (H, W, 3) uint8 BGR or (H, W) uint8 grey; got {got}{hint}"
        )
    height, width = image.shape[:2]
    info = StreamInfo("picture", width, height, stills=True)
    make = new_frame if image.ndim == 2 else frame_from_image
    return make(image, 0, 0.0, info)


def _is_picture(image: Any) -> bool:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or not image.size:
        return False
    return image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
