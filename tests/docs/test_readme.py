"""What the README says is so."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import av
import pytest
from click.testing import CliRunner

import fer_stream
from fer_stream.cli import cli
from fer_stream.config import make_config
from fer_stream.labels import COLUMNS
from fer_stream.plugins import installed
from tests.clips import Image, write_sound
from tests.conftest import MakeClip
from tests.needs import require_program

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("command", re.findall(r"<!-- help: (.*) -->", README))
def test_help_block_is_what_the_command_prints(command: str) -> None:
    block = re.search(rf"<!-- help: {command} -->\n```text\n(.*?)```", README, re.DOTALL)
    assert block is not None
    result = CliRunner().invoke(
        cli, [*command.split(), "--help"], prog_name="fer-stream", terminal_width=90
    )
    assert block[1] == result.output


def test_there_is_a_help_block() -> None:
    assert "<!-- help: run -->" in README


def test_toml_block_is_a_configuration() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    config = make_config(tomllib.loads(block), installed())
    assert [spec.name for spec in config.source] == ["file", "camera"]
    assert config.sink[1].options == {"append": True}
    assert config.detect_every == 5


def test_plugin_block_runs(tmp_path: Path) -> None:
    (block,) = (b for b in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "Shout" in b)
    (tmp_path / "shout.py").write_text(block)
    plugin = ["--plugin", str(tmp_path / "shout.py")]
    result = CliRunner().invoke(cli, ["run", "--source", "demo", *plugin, "--sink", "shout"])
    assert result.exit_code == 0, result.output
    assert "HAPPY" in result.output


def test_python_block_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = (b for b in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "stream(" in b)
    monkeypatch.chdir(tmp_path)
    exec(compile(block.replace('"talk.mp4"', '"demo"'), "README.md", "exec"), {})
    assert "happy" in capsys.readouterr().out


def test_picture_block_runs(moving_face: list[Image], capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (block,) = (one for one in blocks if "PictureReader" in one)
    names = {"fer_stream": fer_stream, "image": moving_face[0]}
    exec(compile(block, "README.md", "exec"), names)
    assert "Box(" in capsys.readouterr().out


def test_the_sound_of_the_original_is_added_as_it_says(clip: MakeClip, tmp_path: Path) -> None:
    require_program("ffmpeg")
    (command,) = re.findall(r"^    (ffmpeg .*)$", README, re.MULTILINE)
    clip("seen.mp4")
    write_sound(tmp_path / "talk.mp4")
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    with av.open(str(tmp_path / "heard.mp4")) as film:
        assert [stream.type for stream in film.streams] == ["video", "audio"]


def test_every_column_of_the_csv_is_explained() -> None:
    table = README.split("## What is in the CSV")[1].split("##")[0]
    for column in COLUMNS:
        assert f"`{column}`" in table


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^    make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
