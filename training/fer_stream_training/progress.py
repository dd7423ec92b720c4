"""Showing a run's progress: a live bar in a terminal, one plain line per epoch elsewhere."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from .checkpoint import EpochRecord

_WIDE = 80  # columns


def shown(bar: Progress) -> AbstractContextManager[object]:
    """Return a context in which a bar is shown, if it is not disabled."""
    # Not begun it prints nothing; begun and disabled, rich before 14.3 prints an empty line.
    return nullcontext() if bar.disable else bar


class ProgressReporter:
    """Hears of a run's steps and epochs and prints them; a context manager.

    ``epochs`` is the run's length, ``finished`` how many of them an earlier start has done, and
    ``best`` the best of these. Every line fits into 80 columns of a terminal; in a narrower one
    the bar leaves its figures to the epochs' lines.
    """

    def __init__(
        self, console: Console, epochs: int, finished: int, best: EpochRecord | None
    ) -> None:
        self._console = console
        self._epochs = epochs
        self._finished = finished
        figures = (
            TextColumn("train loss {task.fields[loss]:.3f} {task.fields[accuracy]:.1%}"),
            TextColumn("{task.fields[best]}"),
        )
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            TextColumn("{task.fields[step]}"),
            BarColumn(bar_width=8),
            TimeRemainingColumn(),
            TextColumn("left"),
            *(figures if console.width >= _WIDE else ()),
            console=console,
            disable=not console.is_terminal,
        )
        self._shown = shown(self._bar)
        self._task = self._bar.add_task(
            "train",
            total=None,
            epoch=finished + 1,
            epochs=epochs,
            step="",
            loss=0.0,
            accuracy=0.0,
            best=_best_text(best),
        )

    def __enter__(self) -> ProgressReporter:
        self._shown.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._shown.__exit__(kind, error, trace)

    def step(self, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """Move the bar; the total covers what this start has to do, so the time left is right."""
        self._bar.update(
            self._task,
            total=(self._epochs - self._finished) * steps,
            completed=(epoch - 1 - self._finished) * steps + step,
            epoch=epoch,
            step=f"{step}/{steps}",
            loss=loss,
            accuracy=accuracy,
        )

    def epoch(self, record: EpochRecord, best: EpochRecord) -> None:
        """Print the epoch's line above the bar."""
        self._bar.update(self._task, best=_best_text(best))
        line = (
            f"epoch {record.epoch}/{self._epochs}  "
            f"train loss {record.train_loss:.3f} {record.train_accuracy:.1%}  "
            f"val loss {record.val_loss:.3f} {record.val_accuracy:.2%}  "
            f"best {best.val_accuracy:.2%} ({best.epoch})"
        )
        if not self._console.is_terminal:  # where the bar tells the time
            left_s = record.seconds * (self._epochs - record.epoch)
            line += f"  {record.seconds:.0f} s, about {left_s / 60:.0f} min left"
        self._console.print(line)


def _best_text(best: EpochRecord | None) -> str:
    return "" if best is None else f"best {best.val_accuracy:.1%}"
