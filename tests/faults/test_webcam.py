"""A webcam that is unplugged and plugged in again: a real V4L2 device, in a virtual machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.faults.machine import LIMIT_S, run_with_webcam

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(LIMIT_S + 60)
def test_a_webcam_that_is_unplugged_comes_back(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "tests.faults.webcam", str(tmp_path))
    run_with_webcam(tmp_path, command, PYTHONPATH=str(ROOT), PYTHONDONTWRITEBYTECODE="1")
