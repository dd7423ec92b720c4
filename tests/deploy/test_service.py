"""The systemd unit and the settings that go with it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from fer_stream.config import make_config, read_toml
from fer_stream.plugins import installed
from fer_stream.spec import build
from tests.needs import require_program

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
UNIT = (DEPLOY / "fer-stream.service").read_text()


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    analyze = require_program("systemd-analyze")
    program = UNIT.replace("/opt/fer-stream/bin/fer-stream", sys.executable)
    assert program != UNIT
    for text, code in ((program, 0), (program.replace("PrivateTmp", "PrivatTmp"), 1)):
        unit = tmp_path / "fer-stream.service"
        unit.write_text(text)
        done = subprocess.run([analyze, "verify", unit], capture_output=True, text=True)
        complaints = [line for line in done.stderr.splitlines() if unit.name in line]
        assert bool(complaints) == bool(code), done.stderr


def test_a_run_that_hangs_has_time_to_stop_by_itself() -> None:
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE)
    assert int(seconds) > 5, "the bound of a stop"


def test_a_run_that_has_yet_to_begin_has_time() -> None:
    (seconds,) = re.findall(r"^WatchdogSec=(\d+)$", UNIT, re.MULTILINE)
    assert int(seconds) > 20, "how long a file on a network may take to open"


def test_a_run_that_the_watchdog_ends_leaves_no_pictures_on_the_disk() -> None:
    assert re.findall(r"^LimitCORE=(.*)$", UNIT, re.MULTILINE) == ["0"]


def test_the_settings_are_accepted() -> None:
    plugins = installed()
    config = make_config(read_toml(DEPLOY / "fer-stream.toml"), plugins)
    for kind, specs in (("source", config.source), ("sink", config.sink)):
        for spec in specs:
            build(plugins.get(kind, spec.name), spec)  # knows all of its options
    assert config.metrics == "127.0.0.1:9464", "where the README and the container look"
    assert [spec.called for spec in config.source] == ["door"]
    assert [spec.name for spec in config.sink] == ["mqtt"]


def test_the_settings_that_are_commented_out_are_accepted(tmp_path: Path) -> None:
    lines = (DEPLOY / "fer-stream.toml").read_text().splitlines()
    text = "\n".join(re.sub(r"^# (?=\[\[|\w+ = )", "", line) for line in lines)
    (tmp_path / "all.toml").write_text(text)
    config = make_config(read_toml(tmp_path / "all.toml"), installed())
    assert [spec.name for spec in config.source] == ["network", "camera"]
    assert [spec.name for spec in config.sink] == ["mqtt", "csv"]
