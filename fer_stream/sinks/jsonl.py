"""Sink `jsonl`: an event per frame, one JSON object a line."""

from __future__ import annotations

import json

from fer_stream.events import event
from fer_stream.sinks.rows import LineFile
from fer_stream.stages import Sink
from fer_stream.types import FrameResult, RunInfo
from fer_stream.urls import path_target


class JsonlSink(Sink):
    """Writes `fer.event/1` objects, as they come: `jsonl:out.jsonl`, or `jsonl:-` to pipe them.

    Options: `append`, go on in an existing file; `every_frame`, write frames without a face too.
    """

    name = "jsonl"

    def __init__(
        self, target: str = "", *, append: bool = False, every_frame: bool = False
    ) -> None:
        expected = "a file, e.g. jsonl:out.jsonl (or jsonl:- to pipe it)"
        self._target = path_target(self.name, target, expected)
        self._append = append
        self._every_frame = every_frame

    def open(self, run: RunInfo) -> None:
        """Open the file."""
        self._run = run
        self._file = LineFile(self.name, self._target, append=self._append)

    def write(self, result: FrameResult) -> None:
        """Write a frame's event."""
        line = ""  # written too: it begins the file
        if result.faces or self._every_frame:
            line = json.dumps(event(result, self._run), ensure_ascii=False) + "\n"
        self._file.write(line)

    def close(self) -> None:
        """Close the file; if it is opened again, it is continued."""
        self._file.close()
        self._append |= self._file.begun
