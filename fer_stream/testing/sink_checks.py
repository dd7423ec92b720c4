"""Checks of what the contract of sinks promises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from fer_stream.errors import StopStream
from fer_stream.stages import Sink
from fer_stream.testing.checks import check_name, expect, unchanged
from fer_stream.testing.values import make_face, make_frame, make_result, make_run, make_status
from fer_stream.types import Box, FrameResult, RunInfo, SourceStatus, StreamInfo


def check_sink(sink: Sink, results: Sequence[FrameResult] | None = None) -> list[FrameResult]:
    """Open a sink, write to it, tell it how the sources are, and close it.

    Returns what was written, to compare with what the sink has made of it.

    Args:
        sink: Not opened yet.
        results: What is written; by default frames without, with one and with several faces, of a
            film that changes its size, of a camera that is lost and, its time beginning at 0 again,
            comes back, and of single pictures beside them. Pass `()` for a run that ends before
            its first frame.
    """
    check_name(sink)
    results = typical_results() if results is None else results
    written: list[FrameResult] = []
    sink.open(_run_over(results))
    try:
        for item in _told(results):
            if isinstance(item, SourceStatus):
                sink.status(item)
            else:
                written.append(item)
                _write(sink, item)
            if sink.main_thread:
                sink.idle()
    except StopStream:
        pass  # a sink may ask to finish
    finally:
        sink.close()
    return written


def check_sink_goes_on(sink: Sink) -> None:
    """Do to a sink what the engine does after an error: close it, and open it again."""
    results = typical_results()
    for result in results:
        sink.open(_run_over(results))
        try:
            sink.write(result)
        finally:
            sink.close()


def check_sink_spares(sink: Sink, old: Path) -> None:
    """Open and close a sink, as a run does that fails to start: an old file must stay as it was.

    Args:
        sink: Not opened yet, and told to write to `old`.
        old: A file that is there and is not empty.
    """
    before = old.read_bytes()
    expect(bool(before), f"an empty file shows nothing; put something into {old}")
    sink.open(make_run())
    sink.close()
    same = old.is_file() and old.read_bytes() == before
    expect(same, "neither open nor close may change an old file that nothing was written to")


def typical_results() -> list[FrameResult]:
    """Return results of a film, of a camera that is lost and comes back, and of two pictures."""
    film = StreamInfo("fake", 64, 48, fps=25.0)
    larger = replace(film, width=81, height=61, session=1)
    camera = StreamInfo("other fake, with a comma", 64, 48, live=True)
    picture = StreamInfo("album/1.png", 64, 48, stills=True)
    other = StreamInfo("album/2.png", 81, 61, session=1, stills=True)
    untracked = make_face("sad", 0.9, track_id=None, confidence=0.25, box=Box(0, 0, 64, 48))
    corner = make_face("angry", 0.5, track_id=2, box=Box(63, 47, 1, 1))
    happy = [make_face("happy")]
    return [
        make_result(frame=make_frame(0, info=film)),
        make_result(happy, frame=make_frame(1, info=film)),
        make_result([make_face(), corner], frame=make_frame(0, info=camera)),
        make_result([untracked], frame=make_frame(0, 0.0, info=picture)),
        # After an hour, for long enough to be an episode.
        make_result(happy, frame=make_frame(90_000, info=camera), dropped=3),
        make_result(happy, frame=make_frame(90_020, info=camera), dropped=3),
        make_result(happy, frame=make_frame(5, info=film)),
        make_result([make_face("fearful")], frame=make_frame(6, info=larger)),
        make_result(happy, frame=make_frame(0, info=replace(camera, session=1)), dropped=3),
        make_result([untracked], frame=make_frame(1, 1.0, info=other)),
        make_result(happy, frame=make_frame(20, info=replace(camera, session=1)), dropped=3),
    ]


def _write(sink: Sink, result: FrameResult) -> None:
    before = [face.scores.probabilities.copy() for face in result.faces]
    with unchanged(result.frame):
        sink.write(result)
    same = all(
        np.array_equal(face.scores.probabilities, p)
        for face, p in zip(result.faces, before, strict=True)
    )
    expect(same, "write must not change the scores it is given")


def _run_over(results: Sequence[FrameResult]) -> RunInfo:
    infos = [result.frame.info for result in results]
    names = dict.fromkeys(_asked_for(info) for info in infos)
    run_id = "0badf00d" if any(info.live for info in infos) else ""
    stills = frozenset(_asked_for(info) for info in infos if info.stills)
    return replace(make_run(tuple(names) or ("fake",)), run_id=run_id, stills=stills)


def _told(results: Sequence[FrameResult]) -> Iterator[FrameResult | SourceStatus]:
    """Give results with what the engine tells of their sources between them."""
    sessions: dict[str, int] = {}
    for result in results:
        info = result.frame.info
        name = _asked_for(info)
        last, sessions[name] = sessions.get(name), info.session
        if last is None or (last != info.session and not info.stills):
            if last is not None and info.live:
                yield make_status("stalled", name, session=last, reason="no frame for 5.0 s")
                yield make_status("reconnecting", name, session=info.session, reason="lost")
            yield make_status("online", name, session=info.session)
        yield result
    if not results:
        yield make_status("reconnecting", reason="refused")
    for name, session in (sessions or {"fake": 0}).items():
        yield make_status("ended", name, session=session)


def _asked_for(info: StreamInfo) -> str:
    """Return what the run and a status call a source: of a picture it is its folder."""
    folder = info.source_id.rpartition("/")[0] if info.stills else ""
    return folder or info.source_id
