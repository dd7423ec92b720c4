"""Sink `episodes`: when each face's emotion began and ended, one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress

from fer_stream.episodes import Episode, EpisodeTracker
from fer_stream.errors import SinkError, StopStream
from fer_stream.events import episode_event
from fer_stream.sinks.rows import LineFile
from fer_stream.stages import Sink
from fer_stream.types import FrameResult, RunInfo, SourceStatus
from fer_stream.urls import path_target


class EpisodesSink(Sink):
    """Writes `fer.episode/1` objects, as they start and end: `episodes:out.jsonl`, or `episodes:-`.

    Option: `append`, go on in an existing file.
    """

    name = "episodes"

    def __init__(self, target: str = "", *, append: bool = False) -> None:
        expected = "a file, e.g. episodes:out.jsonl (or episodes:- to pipe it)"
        self._target = path_target(self.name, target, expected)
        self._append = append

    def open(self, run: RunInfo) -> None:
        """Open the file."""
        self._run = run
        self._tracker = EpisodeTracker()
        self._file = LineFile(self.name, self._target, append=self._append)

    def write(self, result: FrameResult) -> None:
        """Write what a frame starts and ends."""
        self._write(self._tracker.update(result))  # without a line too: it begins the file

    def status(self, status: SourceStatus) -> None:
        """Write what a lost source ends."""
        if ended := self._tracker.status(status):
            self._write(ended)

    def close(self) -> None:
        """Write what ends with the run, and close the file; opened again, it is continued."""
        try:
            if ended := self._tracker.close():
                with suppress(StopStream):  # the reader of a pipe has left
                    self._write(ended)
        finally:
            self._file.close()
            self._append |= self._file.begun

    def _write(self, episodes: Sequence[Episode]) -> None:
        events = [episode_event(episode, self._run) for episode in episodes]
        lines = [json.dumps(event, ensure_ascii=False) + "\n" for event in events]
        try:
            self._file.write("".join(lines))
        except SinkError:
            self._tracker = EpisodeTracker()  # close must not fail once more
            raise
