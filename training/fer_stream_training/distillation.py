"""Learning from other models too: what they see in a face, beside the one label it has.

Hinton et al., "Distilling the Knowledge in a Neural Network", arXiv:1503.02531. Many of FER-2013's
faces show more than one emotion, or not the one on their label; a teacher's scores say so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from fer_stream.errors import ModelError
from fer_stream.models.info import ModelInfo, describe

from .augment import augment
from .checkpoint import write_atomically
from .data import Split

Targets = npt.NDArray[np.float32]

VIEWS = 8
"""How often each teacher sees each face, each time changed a little: it learned the labels of
these very faces by heart to some degree, and its mean over several views less so."""
_STRENGTH = 0.6  # of the changes, against those of a training
_BATCH = 256
_KEPT = "taught.npy"


def what_teachers_say(
    folder: Path, split: Split, teachers: Sequence[Path], seed: int, console: Console
) -> Targets:
    """`teachers_scores`, asked once for a run: kept in its ``folder`` for a resumed one."""
    kept = folder / _KEPT
    if kept.exists():
        scores: Targets = np.load(kept)
        return scores
    columns = (TextColumn("asking the teachers"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        scores = teachers_scores(
            split, teachers, seed, lambda done, total: bar.update(task, completed=done, total=total)
        )
    write_atomically(kept, lambda file: np.save(file, scores))
    return scores


def teachers_scores(
    split: Split,
    teachers: Sequence[Path],
    seed: int,
    heard: Callable[[int, int], None],
) -> Targets:
    """The mean scores of ``teachers``, self-describing ONNX files, over changed views of each face.

    Returns (N, K) float32 in the order of the split's class names; ``heard`` is told of the
    batches done. Raises ModelError for a teacher that does not score these classes and sizes.
    """
    sessions = [_session(path, split) for path in teachers]
    random = np.random.default_rng((seed, VIEWS))
    total = np.zeros((len(split), len(split.class_names)), dtype=np.float64)
    starts = range(0, len(split), _BATCH)
    for view in range(VIEWS):
        for batch, start in enumerate(starts):
            part = slice(start, start + _BATCH)
            faces = augment(split.images[part], random, _STRENGTH)
            for score in sessions:
                total[part] += score(faces)
            heard(view * len(starts) + batch + 1, VIEWS * len(starts))
    total /= total.sum(axis=1, keepdims=True)
    return total.astype(np.float32)


def _session(path: Path, split: Split) -> Callable[[npt.NDArray[np.float32]], Targets]:
    """A function from (B, H, W) float32 faces to (B, K) float32 scores in the split's order."""
    import onnxruntime

    try:
        # Not the runtime's session, which has one thread: nothing else runs meanwhile.
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no base class but Exception
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"cannot load the teacher {path}: {reason}; expected a model.onnx of an earlier run"
        ) from None
    info = describe(path, session)
    order = _order(info, split)
    shape = {"NHWC": (-1, info.height, info.width, 1), "NCHW": (-1, 1, info.height, info.width)}
    name: Any = session.get_inputs()[0].name

    def score(faces: npt.NDArray[np.float32]) -> Targets:
        (scores,) = session.run(None, {name: faces.reshape(shape.get(info.layout, faces.shape))})
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
