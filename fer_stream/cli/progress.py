"""What `fer-stream run` says of itself on standard error: sources, a progress bar, a summary."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from fer_stream.cli.telling import tell
from fer_stream.engine.supervisor import described
from fer_stream.words import counted

if TYPE_CHECKING:
    from rich.progress import Progress

    from fer_stream.engine.engine import Engine

_REFRESH_S = 0.2


class RunProgress:
    """Tells how a started run goes.

    Args:
        engine: The run.
        bar: Whether to draw a bar where the length is known and standard error is a terminal;
            not beside a sink that draws on the terminal itself.
    """

    def __init__(self, engine: Engine, *, bar: bool) -> None:
        self._engine = engine
        self._started = time.monotonic()
        self._next_refresh = 0.0
        self._bar: Progress | None = None
        self._infos = [lane.source.info for lane in engine.lanes]
        counts = [info.frame_count if info else None for info in self._infos]
        if bar and sys.stderr.isatty() and all(counts):
            self._bar = _make_bar(sum(count or 0 for count in counts))

    def __enter__(self) -> RunProgress:
        for info in self._infos:
            if info:  # a live source is told of by the log, whenever it comes
                tell(f"{info.source_id}: {described(info)}")
        if self._bar:
            with suppress(OSError):
                self._bar.start()
        return self

    def tick(self) -> None:
        """Draw the bar anew, if it is time to."""
        if self._bar and time.monotonic() >= self._next_refresh:
            self._next_refresh = time.monotonic() + _REFRESH_S
            with suppress(OSError):  # the terminal was closed
                self._bar.update(self._bar.task_ids[0], completed=self._engine.frames_done)
                self._bar.refresh()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar:
            self._next_refresh = 0.0
            self.tick()
            with suppress(OSError):
                self._bar.stop()
        tell(self._summary())

    def _summary(self) -> str:
        engine, seconds = self._engine, time.monotonic() - self._started
        done, stats = engine.frames_done, engine.stats
        text = (
            f"{counted(done, 'frame')}, {engine.frames_with_faces} with a face, "
            f"in {seconds:.1f} s ({done / max(seconds, 1e-9):.0f} frames/s)"
        )
        if late := sum(source.frames_dropped["late"] for source in stats.sources):
            text += f"; {counted(late, 'frame')} dropped to keep up"
        for sink in stats.sinks:
            if sink.lost:
                text += f"; {counted(sink.lost, 'result')} lost by {sink.name}"
        return "\n".join([text, *self._latencies()])

    def _latencies(self) -> list[str]:
        """Return a line for each live source: how old its results were once a sink had them."""
        lines = []
        stats = self._engine.stats
        for source in (source for source in stats.sources if source.live):
            found = []
            for sink in stats.sinks:
                latency = sink.latency.get(source.source_id)
                half, most = (latency.quantile(q) if latency else None for q in (0.5, 0.99))
                if half is not None and most is not None:
                    found.append(f"{sink.name} p50 {half * 1e3:.0f} ms, p99 {most * 1e3:.0f} ms")
            if found:
                what = "latency from capture to written"
                lines.append(f"{source.source_id}: {what}: {'; '.join(found)}")
        return lines


def _make_bar(total: int) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    bar = Progress(
        "{task.percentage:>3.0f} %",
        BarColumn(),
        MofNCompleteColumn(),
        "frames, left",
        TimeRemainingColumn(),
        console=Console(stderr=True),
        auto_refresh=False,
    )
    bar.add_task("frames", total=total)
    return bar
