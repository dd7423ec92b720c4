"""A stranger's plugin, from an empty folder to a run: as a distribution and as a single file."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.programs import run
from tests.strangers import Stranger

PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "fer-shout"
version = "0.3"
dependencies = ["fer-stream"]

[project.entry-points.fer_stream]
shout = "fer_shout"
"""
PLUGIN = '''\
"""Shouts."""

import click

from fer_stream import Sink, hookimpl


class Shout(Sink):
    """Prints every face's emotion in capitals."""

    name = "shout"
    schemes = ("shout",)

    def __init__(self, target: str = "", *, end: str = "!", often: bool = False) -> None:
        self.end = end

    def open(self, run):
        print("opened for", *run.labels)

    def write(self, result):
        for face in result.faces:
            print(face.scores.top.upper() + self.end)

    def close(self):
        print("closed")


@click.command()
def whisper():
    """Say it softly."""
    click.echo("psst")


@hookimpl
def fer_register_sinks():
    return [Shout]


@hookimpl
def fer_register_commands():
    return [whisper]
'''

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory, face_clip: Path) -> Stranger:
    """Return an environment into which the plugin was installed with pip."""
    folder = tmp_path_factory.mktemp("stranger")
    project = folder / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(PROJECT)
    (project / "fer_shout.py").write_text(PLUGIN)
    stranger = Stranger(folder)
    stranger.run(f"pip install --quiet --no-deps --no-build-isolation '{project}'")
    shutil.copy(face_clip, stranger.home / "clip.mp4")
    return stranger


def shouted(output: str, end: str) -> None:
    lines = output.splitlines()
    assert lines[0] == "opened for angry disgusted fearful happy sad surprised neutral"
    assert lines[-1] == "closed"
    assert len(lines) > 30
    assert f"HAPPY{end}" in lines


def test_its_sink_runs_from_its_entry_point(stranger: Stranger) -> None:
    shouted(stranger.run("fer-stream run --source clip.mp4 --sink shout").stdout, "!")


def test_its_options_and_its_scheme_are_understood(stranger: Stranger) -> None:
    command = "fer-stream run --source clip.mp4 --sink 'shout://anywhere?end=%3F'"
    shouted(stranger.run(command).stdout, "?")


def test_its_wrong_option_is_refused_as_for_a_built_in(stranger: Stranger) -> None:
    done = stranger.run("fer-stream run --source clip.mp4 --sink 'shout?loud=yes'", check=False)
    assert done.returncode == 2
    assert done.stderr == "fer-stream: shout has no option 'loud'; its options: end, often\n"


def test_it_is_listed_with_its_options_and_where_it_comes_from(stranger: Stranger) -> None:
    listed = stranger.run("fer-stream plugins").stdout
    assert "Prints every face's emotion in capitals.  [fer-shout 0.3]" in listed
    assert "?end=!, often=false" in listed
    assert "failed:" not in listed


def test_its_command_is_in_the_help_and_works(stranger: Stranger) -> None:
    helped = stranger.run("fer-stream --help").stdout
    assert re.search(r"^ +whisper +Say it softly\.$", helped, re.MULTILINE)
    assert stranger.run("fer-stream whisper").stdout == "psst\n"


def test_its_command_refuses_bad_usage_as_ours_do(stranger: Stranger) -> None:
    done = stranger.run("fer-stream whisper --loud", check=False)
    assert done.returncode == 2
    said = done.stderr.replace(": --loud", " '--loud'")  # as older versions of click put it
    assert said == "fer-stream: no such option '--loud'; see fer-stream whisper --help\n"


def test_after_it_is_uninstalled_nothing_of_it_is_left(stranger: Stranger) -> None:
    stranger.run("pip uninstall --quiet --yes fer-shout")
    done = stranger.run("fer-stream run --source clip.mp4 --sink shout", check=False)
    assert done.returncode == 2
    assert "unknown sink 'shout'" in done.stderr
    assert "whisper" not in stranger.run("fer-stream --help").stdout


def test_the_same_file_runs_through_a_flag(tmp_path: Path, face_clip: Path) -> None:
    (tmp_path / "shout.py").write_text(PLUGIN)
    done = run(
        *("run", "--source", str(face_clip), "--plugin", "shout.py", "--sink", "shout"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    shouted(done.stdout, "!")
    listed = run("plugins", "--plugin", "shout.py", cwd=tmp_path).stdout
    assert "Prints every face's emotion in capitals.  [shout.py]" in listed
