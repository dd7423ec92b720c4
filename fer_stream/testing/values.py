"""Values as they flow from stage to stage, made up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from fer_stream.frames import frame_from_image, new_frame
from fer_stream.types import (
    Box,
    EmotionScores,
    Face,
    Frame,
    FrameResult,
    RunInfo,
    SourceState,
    SourceStatus,
    StreamInfo,
)

EMOTIONS = ("angry", "disgusted", "fearful", "happy", "sad", "surprised", "neutral")
"""FER-2013's labels in its order, those of the default model."""


def make_frame(
    index: int = 0,
    time_s: float | None = None,
    *,
    image: npt.NDArray[np.uint8] | None = None,
    info: StreamInfo | None = None,
) -> Frame:
    """Make a frame; without a picture, of reproducible noise that is another for each index.

    Args:
        index: Counts from 0.
        time_s: Media time in seconds; `index` at 25 frames per second unless given.
        image: (H, W) uint8 grey or (H, W, 3) uint8 BGR; the default is 64x48 px, or `info`'s size.
        info: The stream it belongs to; by default one of the picture's size called `fake`.
    """
    if image is None:
        size = (info.height, info.width) if info else (48, 64)
        image = np.random.default_rng(index).integers(0, 256, size, dtype=np.uint8)
    if info is None:
        info = StreamInfo("fake", image.shape[1], image.shape[0], fps=25.0)
    if time_s is None:
        time_s = index / 25.0
    if image.ndim == 2:
        return new_frame(image, index, time_s, info)
    return frame_from_image(image, index, time_s, info)


def make_scores(
    top: str = "neutral", score: float = 0.7, *, labels: Sequence[str] = EMOTIONS
) -> EmotionScores:
    """Make scores: `score`, 0..1, for `top`, the rest shared equally by the other labels.

    With a single label there is nobody to share with: its score is 1. Raises `ValueError`.
    """
    if not 0 <= score <= 1 or (len(labels) == 1 and score != 1):
        raise ValueError(f"score must be from 0 to 1, of a single label 1; got {score}")
    probabilities = np.full(len(labels), (1.0 - score) / max(len(labels) - 1, 1), np.float32)
    probabilities[list(labels).index(top)] = score
    return EmotionScores(tuple(labels), probabilities)


def make_face(
    top: str = "neutral",
    score: float = 0.7,
    *,
    box: Box | None = None,
    confidence: float | None = None,
    track_id: int | None = 1,
    labels: Sequence[str] = EMOTIONS,
) -> Face:
    """Make a face; by default track 1, 16 px wide and high, 8 px from the frame's top left."""
    box = box or Box(8, 8, 16, 16)
    return Face(box, make_scores(top, score, labels=labels), confidence, track_id)


def make_result(
    faces: Sequence[Face] = (),
    *,
    frame: Frame | None = None,
    latency_ms: float = 12.5,
    dropped: int = 0,
) -> FrameResult:
    """Make a frame's result, with no face unless given."""
    return FrameResult(frame or make_frame(), tuple(faces), latency_ms, dropped)


def make_status(
    state: SourceState = "online", source_id: str = "fake", *, session: int = 0, reason: str = ""
) -> SourceStatus:
    """Make a source's change of state, now."""
    return SourceStatus(source_id, state, session, datetime.now(UTC), reason)


def make_run(
    sources: Sequence[str] = ("fake",), *, labels: Sequence[str] = EMOTIONS, instance: str = "test"
) -> RunInfo:
    """Make what a sink is told when it is opened."""
    return RunInfo(instance, tuple(sources), tuple(labels), "fake", "0" * 64)
