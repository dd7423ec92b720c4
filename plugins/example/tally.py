"""A fer-stream sink that counts for how many frames each emotion was shown."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from fer_stream import ConfigError, FrameResult, RunInfo, Sink, SinkError, hookimpl


class TallySink(Sink):
    """Writes how many frames showed each emotion, at the end: `tally:sums.txt`.

    Option: `least`, leave out emotions with fewer frames.
    """

    name = "tally"

    def __init__(self, target: str = "", *, least: int = 1) -> None:
        if not target:
            raise ConfigError("tally needs a file, e.g. tally:sums.txt")
        self._path = Path(target)
        self._least = least
        self._counts: Counter[str] = Counter()
        self._frames = 0

    def open(self, run: RunInfo) -> None:
        """Make sure that the sums can be written in the end."""
        if not self._path.parent.is_dir():
            raise SinkError(f"tally: there is no folder {self._path.parent}; make it first")

    def write(self, result: FrameResult) -> None:
        """Count a frame's faces."""
        self._frames += 1
        self._counts.update(face.scores.top for face in result.faces)

    def close(self) -> None:
        """Write the sums; a run that gave no frame leaves an old file as it was."""
        if not self._frames:
            return
        sums = [(n, emotion) for emotion, n in self._counts.most_common() if n >= self._least]
        self._path.write_text("".join(f"{emotion} {n}\n" for n, emotion in sums))


@hookimpl
def fer_register_sinks() -> list[type[Sink]]:
    """Register the sink."""
    return [TallySink]
