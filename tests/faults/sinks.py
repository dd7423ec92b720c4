"""A plugin for the runs under test: `diary` tells what a run shows, `broken` and `stuck` fail."""

from __future__ import annotations

import errno
import json
import time
from pathlib import Path
from typing import Any

from fer_stream import FrameResult, Sink, hookimpl
from fer_stream.types import SourceStatus


class Diary(Sink):
    """Writes a line for each result and status, with the time of the system's monotonic clock.

    `nap`: how many seconds each result takes.
    """

    name = "diary"

    def __init__(self, target: str = "", *, nap: float = 0.0) -> None:
        self._path = Path(target)
        self._nap = nap

    def open(self, run: Any) -> None:
        self._file = self._path.open("a", buffering=1)

    def write(self, result: FrameResult) -> None:
        if self._nap:  # libfaketime cannot sleep for 0 s
            time.sleep(self._nap)
        frame = result.frame
        age_s = (time.monotonic_ns() - frame.captured_ns) / 1e9
        self._say(
            source=frame.info.source_id,
            session=frame.info.session,
            frame=frame.index,
            time_s=frame.time_s,
            captured_at=frame.captured_at.timestamp(),
            size=[frame.info.width, frame.info.height],
            faces=len(result.faces),
            dropped=result.dropped,
            age_s=age_s,
        )

    def status(self, status: SourceStatus) -> None:
        self._say(
            source=status.source_id,
            session=status.session,
            state=status.state,
            reason=status.reason,
        )

    def close(self) -> None:
        self._file.close()

    def _say(self, **entry: Any) -> None:
        print(json.dumps({"at_s": time.monotonic(), **entry}), file=self._file)


class Broken(Sink):
    """Fails at each result."""

    name = "broken"

    def write(self, result: FrameResult) -> None:
        raise OSError(errno.EIO, "Input/output error")


class Stuck(Sink):
    """Never comes back from its first result; makes a file first."""

    name = "stuck"

    def __init__(self, target: str = "") -> None:
        self._path = Path(target)

    def write(self, result: FrameResult) -> None:
        self._path.touch()
        time.sleep(3600)


@hookimpl
def fer_register_sinks() -> list[type[Sink]]:
    return [Diary, Broken, Stuck]
