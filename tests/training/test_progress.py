"""What a person sees of a run that goes on."""

from __future__ import annotations

import io

import pytest
from fer_stream_training.checkpoint import EpochRecord
from fer_stream_training.progress import ProgressReporter
from rich.console import Console


@pytest.mark.parametrize("width", [45, 60, 80, 120])
def test_a_bar_says_where_the_run_is_however_narrow_the_terminal(width: int) -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=width, color_system=None)
    best = EpochRecord(11, 0.1, 1.0, 0.5, 1.0, 0.65, 20.0)
    with ProgressReporter(console, 150, 111, best) as reporter:
        reporter.step(112, 100, 449, 1.234, 0.56)
    line = [text for text in shown.getvalue().splitlines() if "epoch" in text][-1]
    assert "epoch 112/150 100/449 " in line
    assert " left" in line
    assert "\N{HORIZONTAL ELLIPSIS}" not in line
    assert ("train loss 1.234 56.0% best 65.0%" in line) == (width >= 80)
