"""The guide for sinks works as it is written, from ten lines to an installed package."""

from __future__ import annotations

import re
from pathlib import Path

from tests.strangers import Stranger

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "writing-a-sink.md").read_text()
BLOCK = re.compile(r"```(?:python|toml|console)\n(.*?)```", re.DOTALL)


def test_every_block_of_the_guide_runs_in_order(tmp_path: Path) -> None:
    stranger = Stranger(tmp_path)
    outputs = []
    for block in BLOCK.findall(GUIDE):
        if file := re.match(r"# (\S+\.(?:py|toml))\n", block):
            (stranger.home / file[1]).write_text(block.removeprefix(file[0]))
            continue
        for command in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
            # The build tools are there already: a test downloads nothing.
            local = command.replace("pip install", "pip install --no-build-isolation")
            outputs.append((command, stranger.run(local).stdout))
    assert len(outputs) == 7
    assert re.search(r"^happy +\d+ frames$", outputs[0][1], re.MULTILINE)
    assert "happy " in (stranger.home / "sums.txt").read_text()
    assert "[fer-stream-tally 0.1.0]" in outputs[5][1]


def test_the_example_package_is_the_guides_last_step() -> None:
    files = {
        name: text
        for name, text in re.findall(r"```\w+\n# (\S+)\n(.*?)```", GUIDE, re.DOTALL)
        if name != "test_tally.py"
    }
    for name, text in files.items():
        assert (ROOT / "plugins" / "example" / name).read_text() == text
