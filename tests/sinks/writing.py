"""Giving a sink its results as the engine does."""

from __future__ import annotations

from collections.abc import Sequence

from fer_stream.stages import Sink
from fer_stream.types import FrameResult, RunInfo


def write_all(sink: Sink, run: RunInfo, *parts: Sequence[FrameResult]) -> None:
    """Open a sink, write results and close it, as often as there are parts."""
    for part in parts:
        sink.open(run)
        for result in part:
            sink.write(result)
        sink.close()
