"""`fer-stream run --profile`: where a run's time went, as a table on standard error."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fer_stream.cli.telling import tell

if TYPE_CHECKING:
    from rich.table import Table

    from fer_stream.engine.engine import Engine
    from fer_stream.engine.stats import RunStats

_NOTE = (
    "busy: share of the run's time that a stage was at work; one near 100 % sets the pace. "
    "p50 and p99 are estimates."
)
_LIVE_NOTE = " Of a live source, decode is mostly waiting."


@contextmanager
def profiled(engine: Engine) -> Iterator[None]:
    """Show, once the block is left, where the time in it went."""
    start_s, start_cpu_s = time.perf_counter(), time.process_time()
    try:
        yield
    finally:
        wall_s, cpu_s = time.perf_counter() - start_s, time.process_time() - start_cpu_s
        _show(engine, wall_s, cpu_s)


def _show(engine: Engine, wall_s: float, cpu_s: float) -> None:
    from rich.console import Console

    # Not standard error itself: Rich ends the program where nobody can read that.
    shown = io.StringIO()
    is_terminal = sys.stderr.isatty()
    console = Console(file=shown, force_terminal=is_terminal, highlight=False, markup=False)
    console.print(_table(engine.stats, wall_s))
    memory = peak_memory_mb()
    console.print(
        f"{wall_s:.2f} s, {cpu_s:.2f} CPU seconds ({cpu_s / wall_s:.1f} cores busy), "
        f"{engine.frames_done / wall_s:.0f} frames/s"
        + (f", at most {memory:.0f} MB of memory" if memory else ""),
        soft_wrap=True,
    )
    live = any(source.live for source in engine.stats.sources)
    console.print(_NOTE + (_LIVE_NOTE if live else ""), style="dim", soft_wrap=True)
    tell(shown.getvalue().removesuffix("\n"))


def _table(stats: RunStats, wall_s: float) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("stage")
    for column in ("calls", "mean ms", "p50 ms", "p99 ms", "total s", "busy"):
        table.add_column(column, justify="right")
    for stage, durations in stats.stages.items():
        counts, total_s = durations.read()
        if calls := sum(counts):
            times_s = (total_s / calls, durations.quantile(0.5), durations.quantile(0.99))
            table.add_row(
                f"sink {_sinks(stats)}" if stage == "sink" else stage,
                str(calls),
                *(f"{(seconds or 0.0) * 1e3:.3g}" for seconds in times_s),
                f"{total_s:.2f}",
                f"{total_s / wall_s:.0%}",
            )
    return table


def _sinks(stats: RunStats) -> str:
    return ", ".join(sink.name for sink in stats.sinks)


def peak_memory_mb() -> float | None:
    """Return the most memory that this process has had at a time, in MB; None if unknown."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage's figure may be that of the program that started us
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6
