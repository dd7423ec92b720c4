"""What the pages show of the demo's results is what a run gives, whichever model ships."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fer_stream.cli import cli

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
EVENTS = (ROOT / "docs/events.md").read_text()
# Processors add up in different ways, and a page shows two digits at times.
CLOSE = 0.02
MOMENTS = {"captured_at", "begin_at", "end_at", "latency_ms", "model"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a run over the demo, by every sink that the pages show."""
    folder = tmp_path_factory.mktemp("demo")
    sinks = [
        "console",
        f"csv:{folder / 'csv'}",
        f"jsonl:{folder / 'jsonl'}",
        f"episodes:{folder / 'episodes'}",
        f"tally:{folder / 'tally'}",
    ]
    flags = [part for sink in sinks for part in ("--sink", sink)]
    plugin = ["--plugin", str(ROOT / "plugins/example/tally.py")]
    done = CliRunner().invoke(cli, ["run", "--source", "demo", *plugin, *flags])
    assert done.exit_code == 0, done.output
    (folder / "console").write_text(done.output)
    return folder


def agrees(shown: Any, found: Any) -> bool:
    """Whether two JSON values are one, give or take a little in their numbers."""
    if isinstance(shown, dict):
        same = shown.keys() == found.keys()
        return same and all(agrees(shown[key], found[key]) for key in shown.keys() - MOMENTS)
    if isinstance(shown, list):
        return len(shown) == len(found) and all(map(agrees, shown, found))
    if isinstance(shown, float):
        return bool(shown == pytest.approx(found, abs=CLOSE))
    return bool(shown == found)


@pytest.mark.parametrize(("schema", "file"), [("event", "jsonl"), ("episode", "episodes")])
def test_events_and_episodes(demo: Path, schema: str, file: str) -> None:
    (block,) = re.findall(rf'```json\n(\{{"schema": "fer\.{schema}/1".*?)```', EVENTS, re.DOTALL)
    shown = json.loads(block)
    lines = map(json.loads, (demo / file).read_text().splitlines())
    (found,) = (line for line in lines if line["id"] == shown["id"])
    assert agrees(shown, found), found


def test_the_first_row(demo: Path) -> None:
    (block,) = re.findall(r"^    demo,0,0,.*,\.\.\.$", README, re.MULTILINE)
    shown = block.strip().split(",")[:-1]
    found = list(csv.reader((demo / "csv").read_text().splitlines()))[1]
    for cell, real in list(zip(shown, found, strict=False))[5:]:
        try:
            assert float(cell) == pytest.approx(float(real), abs=CLOSE)
        except ValueError:
            assert cell == real


def test_the_lines_of_the_console(demo: Path) -> None:
    shown = re.findall(r"^    (demo +\d+\.00 s  #1 \w+) (\d\.\d\d)$", README, re.MULTILINE)
    assert len(shown) == 2
    lines = dict(line.rsplit(" ", 1) for line in (demo / "console").read_text().splitlines())
    for line, score in shown:
        assert float(lines[line]) == pytest.approx(float(score), abs=CLOSE)


def test_the_table_of_the_example(demo: Path) -> None:
    page = (ROOT / "plugins/example/README.md").read_text()
    shown = dict(re.findall(r"^    (\w+) (\d+)$", page, re.MULTILINE))
    found = dict(line.split() for line in (demo / "tally").read_text().splitlines())
    assert shown.keys() == found.keys()
    for emotion, count in shown.items():
        assert int(found[emotion]) == pytest.approx(int(count), abs=3)
