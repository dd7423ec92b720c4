"""Checks of what the contract of sinks promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fer_stream.errors import StopStream
from fer_stream.stages import Sink
from fer_stream.testing.checks import check_name, expect, unchanged
from fer_stream.testing.values import make_face, make_frame, make_result, make_run, make_status
from fer_stream.types import Box, FrameResult, StreamInfo


def check_sink(sink: Sink, results: Sequence[FrameResult] | None = None) -> None:
    """Open a sink, write to it, tell it how the sources are, and close it.

    Args:
        sink: Not opened yet.
        results: What is written; by default frames without, with one and with several faces, of
            two sources, and of a source that changes its size. Pass `()` for a run that ends
            before its first frame.
    """
    check_name(sink)
    if results is None:
        results = _typical_results()
    names = dict.fromkeys(result.frame.info.source_id for result in results)
    sink.open(make_run(tuple(names) or ("fake",)))
    try:
        for name in names:
            sink.status(make_status("online", name))
        for result in results:
            before = [face.scores.probabilities.copy() for face in result.faces]
            with unchanged(result.frame):
                sink.write(result)
            same = all(
                np.array_equal(face.scores.probabilities, p)
                for face, p in zip(result.faces, before, strict=True)
            )
            expect(same, "write must not change the scores it is given")
            if sink.main_thread:
                sink.idle()
        for state in ("stalled", "reconnecting", "online", "ended"):
            for name in names:
                sink.status(make_status(state, name))
    except StopStream:
        pass  # a sink may ask to finish
    finally:
        sink.close()


def check_sink_goes_on(sink: Sink) -> None:
    """Do to a sink what the engine does after an error: close it, and open it again."""
    for result in _typical_results():
        sink.open(make_run(("fake", "other fake, with a comma")))
        try:
            sink.write(result)
        finally:
            sink.close()


def _typical_results() -> list[FrameResult]:
    info = StreamInfo("fake", 64, 48, fps=25.0)
    other = replace(info, source_id="other fake, with a comma")
    larger = replace(info, width=81, height=61, session=1)
    untracked = make_face("sad", 0.9, track_id=None, confidence=0.25, box=Box(0, 0, 64, 48))
    corner = make_face("angry", 0.5, track_id=2, box=Box(63, 47, 1, 1))
    return [
        make_result(frame=make_frame(0, info=info)),
        make_result([make_face("happy")], frame=make_frame(1, info=info)),
        make_result([make_face(), corner, untracked], frame=make_frame(0, info=other)),
        make_result([make_face("happy")], frame=make_frame(5, info=info), dropped=3),
        make_result([make_face("fearful")], frame=make_frame(6, info=larger)),
    ]
