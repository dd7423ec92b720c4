"""Learning from other models too: what they see in a face, beside the one label it has.

Hinton et al., "Distilling the Knowledge in a Neural Network", arXiv:1503.02531. Many of FER-2013's
faces show more than one emotion, or not the one on their label; a teacher's scores say so. Teachers
are asked about the very pictures that the network is shown, changed and blended as they are (Beyer
et al., arXiv:2106.05237): of the plain faces they learned the labels by heart to some degree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fer_stream.errors import ModelError
from fer_stream.models.info import ModelInfo, describe, load_reason

from .data import Split

Faces = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float32]
Teachers = Callable[[Faces, np.random.Generator], Scores]
"""From (B, H, W, 1) float32 faces, grey 0..255, in random order, to their scores, (B, K) float32.

Each face is scored by one of the teachers, as it is or mirrored, by chance: a network that learns
from them for a while has then learned from the mean of all and of both, for the price of one."""


def load_teachers(paths: Sequence[Path], split: Split) -> Teachers:
    """Load self-describing ONNX files as teachers of the split's classes, in their order.

    Raises ModelError for a file that does not score these classes at this size.
    """
    teachers = [_teacher(path, split) for path in paths]

    def scores(faces: Faces, random: np.random.Generator) -> Scores:
        said = np.empty((len(faces), len(split.class_names)), dtype=np.float32)
        mirrored = random.random(len(teachers)) < 0.5
        for first, (teacher, mirror) in enumerate(zip(teachers, mirrored, strict=True)):
            share = faces[first :: len(teachers)]
            if len(share):
                said[first :: len(teachers)] = teacher(share[:, :, ::-1] if mirror else share)
        return said

    return scores


def _teacher(path: Path, split: Split) -> Callable[[Faces], Scores]:
    import onnxruntime

    # Not the runtime's session, which has one thread: nothing else runs meanwhile. But between two
    # batches the network learns, and threads that wait busily would take its cores.
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no base class but Exception
        raise ModelError(
            f"cannot load the teacher {path}: {load_reason(error)}; "
            "expected a model.onnx of an earlier run"
        ) from None
    info = describe(path, session)
    order = _order(info, split)
    pixels = (info.height, info.width)
    shape = {"NHWC": (-1, *pixels, 1), "NCHW": (-1, 1, *pixels), "NHW": (-1, *pixels)}[info.layout]
    name: Any = session.get_inputs()[0].name

    def score(faces: Faces) -> Scores:
        (scores,) = session.run(None, {name: faces.reshape(shape)})
        return np.asarray(scores, dtype=np.float32)[:, order]

    return score


def _order(info: ModelInfo, split: Split) -> list[int]:
    size = split.images.shape[1:]
    if sorted(info.labels) != sorted(split.class_names) or (info.height, info.width) != size:
        raise ModelError(
            f"the teacher {info.path} scores {', '.join(info.labels)} on {info.width}x"
            f"{info.height} px; expected {', '.join(split.class_names)} on {size[1]}x{size[0]} px; "
            "choose a --teacher trained on the same kind of data"
        )
    return [info.labels.index(name) for name in split.class_names]
