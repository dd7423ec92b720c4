"""Results to write, made to measure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from fer_stream.testing import EMOTIONS, make_face, make_result
from fer_stream.types import Box, Frame, FrameResult, RunInfo, StreamInfo

MOMENT = datetime(2024, 2, 29, 23, 59, 59, 123456, UTC)


@pytest.fixture
def run_info() -> RunInfo:
    return RunInfo("test", ("clip.mp4",), EMOTIONS, "a model", "0" * 64)


@pytest.fixture
def make() -> Any:
    """Return a function that makes a result; a face is given by its box and its emotion."""

    def make_one(
        index: int = 0,
        *faces: tuple[tuple[int, int, int, int], str],
        source: str = "clip.mp4",
        size: tuple[int, int] = (64, 48),
        time_s: float | None = None,
        fps: float | None = 25.0,
        session: int = 0,
        stills: bool = False,
        track_id: int | None = 1,
        confidence: float | None = None,
        grey: int = 128,
        uncertain_below: float = 0.0,
    ) -> FrameResult:
        width, height = size
        info = StreamInfo(source, width, height, fps, session=session, stills=stills)
        plane = np.full((height, width), grey, np.uint8)
        picture = np.full((height, width, 3), grey, np.uint8)
        moment = index / (fps or 25.0) if time_s is None else time_s
        frame = Frame(plane, index, moment, MOMENT, 0, info, picture.view)
        found = [
            make_face(emotion, box=Box(*box), confidence=confidence, track_id=track_id)
            for box, emotion in faces
        ]
        found = [
            replace(face, scores=replace(face.scores, uncertain_below=uncertain_below))
            for face in found
        ]
        return make_result(found, frame=frame, latency_ms=12.345, dropped=3)

    return make_one
