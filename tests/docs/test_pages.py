"""The other pages lead where they say, and show what a run writes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from fer_stream.cli import cli

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (".", "docs", "deploy", "benchmarks", "benchmarks/labels", "training", "tests/faults")
PAGES = [
    page
    for folder in (*FOLDERS, "plugins/example", "plugins/mqtt", "fer_stream/models")
    for page in sorted((ROOT / folder).glob("*.md"))
]
LINK = re.compile(r"\]\(([^)#:]+)\)|^\[[^\]]+\]: ([^:\n]+)$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_links_to_exists(page: Path) -> None:
    for inline, reference in LINK.findall(page.read_text()):
        assert (page.parent / (inline or reference)).exists(), inline or reference


def test_every_page_is_linked_from_another() -> None:
    linked = {
        (page.parent / (inline or reference)).resolve()
        for page in PAGES
        for inline, reference in LINK.findall(page.read_text())
    }
    for page in PAGES:
        assert page in linked or page == ROOT / "README.md", page


def test_examples_of_events_have_the_fields_that_a_run_writes(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "events.md").read_text()
    event, episode = map(json.loads, re.findall(r"```json\n(.*?)```", page, re.DOTALL))
    events, episodes = tmp_path / "events.jsonl", tmp_path / "episodes.jsonl"
    sinks = ["--sink", f"jsonl:{events}", "--sink", f"episodes:{episodes}"]
    result = CliRunner().invoke(cli, ["run", "--source", "demo?seconds=2", *sinks])
    assert result.exit_code == 0, result.output
    written = json.loads(events.read_text().splitlines()[0])
    assert list(event) == list(written)
    assert list(event["faces"][0]) == list(written["faces"][0])
    assert list(event["faces"][0]["scores"]) == list(written["faces"][0]["scores"])
    assert list(episode) == list(json.loads(episodes.read_text().splitlines()[-1]))
