"""What a run says of itself in a terminal."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.programs import in_terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are Unix's")


def test_a_run_into_a_file_has_a_bar(tmp_path: Path) -> None:
    shown = in_terminal("run", "--source", "demo?seconds=1", "--sink", "csv:out.csv", cwd=tmp_path)
    assert "frames, left" in shown
    assert "25/25" in shown


def test_rows_in_a_terminal_have_no_bar_between_them(tmp_path: Path) -> None:
    shown = in_terminal("run", "--source", "demo?seconds=1", "--sink", "csv:-", cwd=tmp_path)
    assert "\x1b" not in shown
    assert "frames, left" not in shown
    rows = [line for line in shown.splitlines() if line.startswith("demo,")]
    assert len(rows) == len([line for line in shown.splitlines() if "demo," in line]) > 20
