"""The terminal as the `console` sink uses it; apart from it, because rich takes long to load."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from fer_stream.draw import colour_of
from fer_stream.errors import StopStream
from fer_stream.types import StreamInfo

if TYPE_CHECKING:
    from fer_stream.sinks.console import Seen

_BAR = 24  # columns


class _Terminal(Console):
    """Ends the run, not only this thread, when the reader of the output has seen enough."""

    def on_broken_pipe(self) -> None:
        try:
            super().on_broken_pipe()  # keeps Python from complaining again at its exit
        except SystemExit:
            raise StopStream from None


class Screen:
    """Standard output: a table that stands still in a terminal, lines elsewhere."""

    def __init__(self) -> None:
        self._console = _Terminal(markup=False, emoji=False)  # a file may be called "[final]"
        self._live: Live | None = None
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False, transient=False)
            self._live.start()

    @property
    def is_terminal(self) -> bool:
        """Whether it shows a table."""
        return self._live is not None

    def print_line(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, highlight=False, soft_wrap=True)

    def show(self, sources: Iterable[Seen]) -> None:
        """Draw the table anew, in a terminal."""
        if self._live is not None:
            self._live.update(Group(*map(_source_table, sources)), refresh=True)

    def close(self) -> None:
        """Leave the table standing."""
        if self._live is not None:
            self._live.stop()


def _source_table(source: Seen) -> Table:
    result = source.latest
    assert result is not None
    frame = result.frame
    lost = f" · {result.dropped} dropped" if result.dropped else ""
    name, pace = _short_name(frame.info), source.away or f"{source.rate():.0f} frames/s"
    title = f"{name} · {frame.time_s:.1f} s · {pace}{lost}"
    table = Table(title=Text(title, "bold"), title_justify="left", min_width=60)
    table.add_column("face", justify="right")
    table.add_column("emotion", min_width=10)
    table.add_column("score", justify="right")
    table.add_column("", min_width=_BAR)
    faces = () if source.away else result.faces
    for face in faces:
        scores = face.scores
        blue, green, red = colour_of(scores.word)
        style = f"rgb({red},{green},{blue})"
        bar = ProgressBar(1.0, scores.top_score, _BAR, complete_style=style)
        number = "" if face.track_id is None else str(face.track_id)
        score = "" if scores.uncertain else f"{scores.top_score:.0%}"
        table.add_row(number, Text(scores.word, style), score, bar)
    if not faces:
        table.add_row("", Text("no face", "dim"), "", "")
    return table


def _short_name(info: StreamInfo) -> str:
    """Return what stands above a source's table: a file without its folders."""
    if info.stills:
        return "pictures"
    return info.source_id if "://" in info.source_id else Path(info.source_id).name
