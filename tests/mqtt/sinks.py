"""Sinks that send, and what they are given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fer_stream_mqtt.sink import MqttSink

from fer_stream.testing import make_face, make_frame, make_result, make_run
from fer_stream.types import FrameResult, SourceState, SourceStatus, StreamInfo

_INFO = StreamInfo("cam", 64, 48, fps=25.0, live=True)
_FRAME = make_frame(info=_INFO)


@contextmanager
def opened(url: str, spool: Path, *, instance: str = "hall", **options: Any) -> Iterator[MqttSink]:
    """Open a sink of the sources `cam` and `door`, and close it in the end."""
    sink = MqttSink(url, spool=str(spool), **options)
    sink.open(make_run(("cam", "door"), instance=instance))
    try:
        yield sink
    finally:
        sink.close()


def seen(index: int, *emotions: str, source: str = "cam", **changes: Any) -> FrameResult:
    """Make a frame's result with faces 1, 2, ... that show these emotions."""
    info = replace(_INFO, source_id=source, **changes)
    # The pixels are shared: thousands of results must not cost their noise.
    frame = replace(_FRAME, index=index, time_s=index / 25, info=info, captured_at=moment())
    faces = [make_face(emotion, track_id=n) for n, emotion in enumerate(emotions, start=1)]
    return make_result(faces, frame=frame)


def told(state: SourceState, source: str = "cam", reason: str = "") -> SourceStatus:
    """Make a source's status."""
    return SourceStatus(source, state, 0, moment(), reason)


def moment() -> datetime:
    """Return the time of day."""
    return datetime.now(UTC)
