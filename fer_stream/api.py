"""The Python API: results of a source, as they come."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Sequence
from inspect import GEN_CLOSED, GEN_RUNNING, getgeneratorstate
from pathlib import Path
from typing import Any, SupportsIndex

from fer_stream.config import Mode, OnSinkError, as_list, make_config
from fer_stream.engine.engine import Engine
from fer_stream.parts import make_engine
from fer_stream.plugins import Given, with_given
from fer_stream.stage_names import StageName
from fer_stream.types import FrameResult

SourceName = StageName | Path | SupportsIndex
"""Text as on the command line, a path, a camera's number (NumPy's too), or a table as in TOML."""


def stream(
    source: SourceName | Sequence[SourceName],
    *,
    sink: StageName | Sequence[StageName] = (),
    detector: StageName = "onnx",
    tracker: StageName = "iou",
    filter: StageName | Sequence[StageName] = "smooth",  # noqa: A002 - the name it has everywhere else
    model: str | Path | None = None,
    classifier: StageName | None = None,
    detect_every: int | None = None,
    detect_size: int | None = None,
    analyse_fps: float | None = None,
    mode: Mode = "auto",
    on_sink_error: OnSinkError = "auto",
    plugin: Given | Sequence[Given] = (),
) -> Results:
    """Yield one result per analysed frame, in each source's order.

    Closing the iterator early (or leaving a `for` loop over it) ends the run and releases the
    source. While the caller keeps a file's results waiting the run waits; a live source drops
    frames instead, and one that is lost, or not there, is tried again for as long as the run
    lasts; the logger `fer_stream` tells of it.

    A result holds its picture, some MB: of a long film keep `result.faces`, not the results.

    Args:
        source: As on the command line: `"0"`, `"talk.mp4"`, `"rtsp://camera/1"`, or several. Any
            stage may also be a table as in TOML: `{"use": "csv:talk.csv", "append": True}`.
        sink: Sinks that take the results too, such as `"csv:talk.csv"`.
        detector: Finds faces.
        tracker: Follows them; `"none"` for every frame by itself.
        filter: Calms or changes the scores; `"none"` for the model's own.
        model: Path of a self-describing ONNX model; the shipped one unless given.
        classifier: Reads the faces, where a plugin's is meant instead of a model.
        detect_every: N: detect on every N-th frame; None: about three times a second where the
            picture changes, once where it does not.
        detect_size: Long side in px that the detector shrinks a frame to; None: its own.
        analyse_fps: How many frames of a second to analyse and yield; None: all.
        mode: `"auto"`: each source says what it is; `"file"`: all are recordings, that must be
            there and whole; `"live"`: of each the newest frame counts.
        on_sink_error: `"stop"` the run at a sink's error, `"continue"` and try it again, or
            `"auto"`: stop over files, continue live.
        plugin: Stages that are not installed: their classes, or Python files with plugins.

    Raises:
        FerStreamError: At once for a wrong argument; while iterating, after everything that
            could be had, for a source that was lost or is incomplete.
    """
    settings: dict[str, Any] = {
        "source": source,
        "sink": sink,
        "detector": detector,
        "tracker": tracker,
        "filter": filter,
        "detect_every": detect_every,
        "detect_size": detect_size,
        "analyse_fps": analyse_fps,
        "mode": mode,
        "on_sink_error": on_sink_error,
    }
    if model is not None:
        settings["model"] = str(model)
    if classifier is not None:
        settings["classifier"] = classifier
    plugins = with_given(as_list(plugin))
    engine = make_engine(make_config(settings, plugins), plugins, collect=True)
    engine.start()
    return Results(engine)


class Results(Iterator[FrameResult]):
    """The results of a started run; closing it, or letting go of it, ends the run."""

    def __init__(self, engine: Engine) -> None:
        self._taking = _Taking(engine)
        # Also at the program's end: Python crashes if it ends under threads that are in C code.
        self._forgotten = weakref.finalize(self, self._taking.close)

    def __next__(self) -> FrameResult:
        """Wait for the next result."""
        try:
            result = self._taking.next()
        finally:
            self._let_go()
        if result is None:
            raise StopIteration
        return result

    def close(self) -> None:
        """End the run; does nothing if it has ended. May be called from any thread."""
        self._taking.close()
        self._let_go()

    def _let_go(self) -> None:
        # What waits for us to be forgotten holds the run, and its error, which holds us.
        if self._taking.is_over:
            self._forgotten.detach()


class _Taking:
    """Takes a run's results, one thread at a time: a generator that runs cannot be closed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._results = engine.results()
        self._turn = threading.RLock()
        self._leaving = False

    @property
    def is_over(self) -> bool:
        """Whether the run has ended."""
        return getgeneratorstate(self._results) == GEN_CLOSED

    def next(self) -> FrameResult | None:
        """Wait for the next result; None if there is none."""
        with self._turn:
            for result in self._results:
                if self._leaving:
                    self.close()
                elif result is not None:
                    return result
        return None

    def close(self) -> None:
        self._leaving = True  # whoever has its turn, on another thread, gives it up
        with self._turn:
            # It runs if we are called by what it called: a window, a signal's handler.
            if getgeneratorstate(self._results) != GEN_RUNNING:
                self._results.close()
                self._engine.close()  # also if nothing was ever asked of it
