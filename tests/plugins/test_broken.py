"""Broken plugins: each is listed with its reason and stops nothing else.

The plugins are installed as far as Python can tell: a module and its metadata on `sys.path`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from fer_stream.cli.plugins import plugins as plugins_command
from fer_stream.errors import ConfigError, PluginError
from fer_stream.plugins import Plugins
from fer_stream.spec import StageSpec
from fer_stream.stage_names import stage_spec
from tests.programs import environment, run

Install = Callable[[str, str], None]

GOOD = """
from fer_stream import Sink, hookimpl

class {cls}(Sink):
    name = "{name}"
    def write(self, result):
        pass

@hookimpl
def fer_register_sinks():
    return [{cls}]
"""
CALLER = GOOD.replace('name = "{name}"', 'name = "{name}"\n    schemes = ("call",)').replace(
    "{cls}", "Caller"
)
SHOUT = GOOD.format(cls="Shout", name="shout")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return a function that installs a module as the distribution `fer-NAME`, version 1.0."""
    modules = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, text: str) -> None:
        (tmp_path / f"fer_{name}.py").write_text(text)
        info = tmp_path / f"fer_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: fer-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[fer_stream]\n{name} = fer_{name}\n")

    yield write
    for name in set(sys.modules) - modules:
        if name.startswith("fer_") and not name.startswith("fer_stream"):
            del sys.modules[name]


BROKEN = {
    "import": ("import nosuch_module", "ModuleNotFoundError: No module named 'nosuch_module'"),
    "syntax": ("def broken(:\n", "SyntaxError: invalid syntax"),
    "exit": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "hook": (
        "from fer_stream import hookimpl\n@hookimpl\ndef fer_register_sinks():\n    return 1 / 0\n",
        "fer_register_sinks failed: ZeroDivisionError: division by zero",
    ),
    "hook_exit": (
        "from fer_stream import hookimpl\n@hookimpl\ndef fer_register_sinks():\n    exit(3)\n",
        "fer_register_sinks failed: SystemExit: 3",
    ),
    "no_list": (
        SHOUT.replace("[Shout]", "Shout"),
        "fer_register_sinks must return a list, got <cl",
    ),
    "no_return": (SHOUT.replace("return [Shout]", "pass"), "must return a list, got None"),
    "no_class": (
        SHOUT.replace("[Shout]", "[Shout()]"),
        "is not a subclass of fer_stream.Sink",
    ),
    "other_contract": (
        SHOUT.replace("(Sink)", "(Filter)")
        .replace("import Sink", "import Filter")
        .replace("def write(self, result)", "def apply(self, frame, faces)"),
        "sink Shout is not a subclass of fer_stream.Sink",
    ),
    "no_name": (
        SHOUT.replace('name = "shout"', "pass"),
        "sink Shout needs a `name` without ':', '?', '/' or spaces",
    ),
    "odd_name": (SHOUT.replace('"shout"', '"a:b"'), "sink Shout needs a `name` without"),
    "loud_name": (SHOUT.replace('"shout"', '"Shout"'), "needs a `name` in lower case, got 'Shout'"),
    "odd_hook": (
        SHOUT.replace("fer_register_sinks", "fer_register_sink"),
        "unknown hook 'fer_register_sink'; did you mean fer_register_sinks?; known: fer_",
    ),
    "no_write": (SHOUT.replace("def write", "def wriet"), "sink Shout does not define write"),
    "no_target": (
        SHOUT.replace("    def write", "    def __init__(self):\n        pass\n    def write"),
        "sink Shout needs a constructor that takes a target, and options by keyword",
    ),
    "more_than_a_target": (
        SHOUT.replace("    def write", "    def __init__(self, target, loud): ...\n    def write"),
        "sink Shout needs a constructor that takes a target, and options by keyword",
    ),
    "untyped_option": (
        SHOUT.replace(
            "    def write", "    def __init__(self, t='', *, loud=1): ...\n    def write"
        ),
        "sink Shout needs a type for its option 'loud', such as loud: int",
    ),
    "odd_option": (
        SHOUT.replace(
            "    def write",
            "    def __init__(self, t='', *, loud: list[str] = ()): ...\n    def write",
        ),
        "sink Shout needs a type for its option 'loud', such as loud: int",
    ),
    "unreadable_option": (
        SHOUT.replace(
            "    def write", "    def __init__(self, t='', *, loud: list = ()): ...\n    def write"
        ),
        "such as loud: int; there are int, float, bool and str, each also | None",
    ),
    "annotation_for_checkers_only": (
        SHOUT.replace(
            "    def write", "    def __init__(self, t: 'Path' = ''): ...\n    def write"
        ),
        "sink Shout has a constructor whose annotations cannot be read (name 'Path' is not",
    ),
    "unknown_hook": (
        SHOUT.replace("fer_register_sinks", "fer_register_sink"),
        "unknown hook 'fer_register_sink'",
    ),
    "no_hook": (SHOUT.replace("@hookimpl\n", ""), "registers nothing; expected a function such as"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_is_listed_with_its_reason_and_stops_nothing_else(
    install: Install, kind: str
) -> None:
    text, reason = BROKEN[kind]
    install("broken", text)
    install("good", GOOD.format(cls="Good", name="good"))
    found = Plugins()
    assert {"csv", "console", "good"} <= found.table("sink").keys()
    assert "shout" not in found.table("sink")
    assert [f.plugin for f in found.failures] == ["fer-broken 1.0"]
    assert reason in found.failures[0].reason
    assert "\n" not in found.failures[0].reason


@pytest.mark.parametrize("kind", BROKEN)
def test_whoever_asks_for_its_sink_is_told_why_there_is_none(install: Install, kind: str) -> None:
    text, reason = BROKEN[kind]
    install("broken", text)
    with pytest.raises(ConfigError) as caught:
        Plugins().get("sink", "shout")
    said = str(caught.value)
    assert "unknown sink 'shout'; known: " in said
    assert "fer-broken 1.0 failed to load" in said
    assert reason in said


@pytest.mark.parametrize(
    "kind", ["import", "hook", "no_write", "annotation_for_checkers_only", "unknown_hook"]
)
def test_the_list_shows_it(install: Install, kind: str) -> None:
    text, reason = BROKEN[kind]
    install("broken", text)
    install("good", GOOD.format(cls="Good", name="good"))
    done = CliRunner().invoke(plugins_command)
    assert done.exit_code == 0
    assert "failed: fer-broken 1.0: " in done.output
    assert reason in done.output
    assert "[fer-good 1.0]" in done.output


def test_the_list_shows_which_option_has_to_be_given(install: Install) -> None:
    init = "    def __init__(self, target='', *, loud: int, often: bool = False): ...\n"
    install("shout", SHOUT.replace("    def write", f"{init}    def write"))
    assert "?loud=... (needed), often=false" in CliRunner().invoke(plugins_command).output


@pytest.mark.parametrize("kind", ["import", "syntax", "exit", "unknown_hook", "no_hook"])
def test_a_broken_file_that_was_asked_for_ends_the_run(tmp_path: Path, kind: str) -> None:
    text, reason = BROKEN[kind]
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(PluginError, match=r"plugin .*mine\.py: ") as caught:
        Plugins([tmp_path / "mine.py"])
    assert reason in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", [None, "folder"])
def test_a_plugin_file_that_is_none_is_named(tmp_path: Path, text: str | None) -> None:
    if text == "folder":
        (tmp_path / "mine.py").mkdir()
    with pytest.raises(PluginError, match="no such file; give the path of a Python file"):
        Plugins([tmp_path / "mine.py"])


def test_a_name_that_two_plugins_claim_is_refused_naming_both(install: Install) -> None:
    install("one", GOOD.format(cls="One", name="shout"))
    install("two", GOOD.format(cls="Two", name="shout"))
    found = Plugins()
    assert found.failures == []
    with pytest.raises(PluginError) as caught:
        found.get("sink", "shout")
    assert "fer-one 1.0" in str(caught.value)
    assert "fer-two 1.0" in str(caught.value)
    assert found.get("sink", "csv").name == "csv", "everything else works"
    (conflict,) = found.conflicts()
    assert "sink 'shout' is provided by" in conflict
    output = CliRunner().invoke(plugins_command).output
    assert f"conflict: {conflict}" in output


def test_a_built_in_cannot_be_replaced_silently(install: Install) -> None:
    install("mine", GOOD.format(cls="Mine", name="csv"))
    with pytest.raises(PluginError, match=r"sink 'csv' is provided by .*fer-mine 1\.0"):
        Plugins().get("sink", "csv")


def test_a_url_scheme_that_two_plugins_claim_is_refused_naming_both(install: Install) -> None:
    install("one", CALLER.format(name="first"))
    install("two", CALLER.format(name="second"))
    found = Plugins()
    claimed = "call:// is claimed by sink 'first' of fer-one 1.0 and 'second' of fer-two 1.0"
    with pytest.raises(PluginError) as caught:
        found.by_scheme("sink", "call")
    assert claimed in str(caught.value)
    assert "such as first:call://..." in str(caught.value)
    assert found.conflicts() == [claimed]
    meant = stage_spec("sink", "second:call://x?y=1", found)
    assert meant == StageSpec("second", "call://x", {"y": "1"})


def test_a_command_that_is_none_does_not_break_the_others(install: Install) -> None:
    install(
        "broken",
        "from fer_stream import hookimpl\n"
        "def forgot_the_decorator():\n    pass\n"
        "@hookimpl\n"
        "def fer_register_commands():\n    return [forgot_the_decorator]\n",
    )
    install(
        "good",
        "import click\nfrom fer_stream import hookimpl\n"
        "@click.command()\ndef greet():\n    pass\n"
        "@hookimpl\n"
        "def fer_register_commands():\n    return [greet]\n",
    )
    found = Plugins()
    assert "greet" in [command.name for command in found.commands()]
    (failure,) = found.failures
    assert failure.plugin == "fer-broken 1.0"
    assert "is not a click command" in failure.reason


def test_whoever_asks_for_its_command_is_told_why_there_is_none(
    install: Install, tmp_path: Path
) -> None:
    install("broken", "import nosuch_module")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = run("greet", cwd=tmp_path, env=environment(PYTHONPATH=path))
    assert done.returncode == 2
    assert done.stderr == (
        "fer-stream: no such command 'greet'; fer-broken 1.0 failed to load (ModuleNotFoundError: "
        "No module named 'nosuch_module'); see fer-stream --help\n"
    )


def test_one_module_under_two_entry_points_is_one_plugin(install: Install, tmp_path: Path) -> None:
    install("shout", SHOUT)
    points = tmp_path / "fer_shout-1.0.dist-info" / "entry_points.txt"
    points.write_text(points.read_text() + "again = fer_shout\n")
    found = Plugins()
    assert found.failures == []
    assert found.get("sink", "shout").name == "shout"


def test_a_distribution_may_hold_several_plugins(install: Install, tmp_path: Path) -> None:
    install("shout", SHOUT)
    for name, text in (
        ("whisper", GOOD.format(cls="Whisper", name="whisper")),
        ("broken", BROKEN["no_hook"][0]),
    ):
        (tmp_path / f"fer_{name}.py").write_text(text)
        with (tmp_path / "fer_shout-1.0.dist-info" / "entry_points.txt").open("a") as points:
            points.write(f"{name} = fer_{name}\n")
    found = Plugins()
    assert {"shout", "whisper"} <= found.table("sink").keys()
    (failure,) = found.failures
    assert failure.plugin == "fer-shout 1.0 (broken)"
    assert BROKEN["no_hook"][1] in failure.reason


def test_a_file_that_is_given_twice_is_one_plugin(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SHOUT)
    found = Plugins([tmp_path / "mine.py", str(tmp_path / "mine.py")])
    assert found.get("sink", "shout").name == "shout"


def test_every_built_in_comes_through_the_hooks() -> None:
    found = Plugins()
    assert found.names()[0] == "fer-stream"
    built_in = {
        "source": {"file", "camera", "images", "network", "demo"},
        "detector": {"haar", "onnx", "yunet"},
        "tracker": {"iou", "none"},
        "classifier": {"onnx"},
        "filter": {"smooth", "none"},
        "sink": {"console", "csv", "episodes", "jsonl", "video", "overlay"},
    }
    for kind, names in built_in.items():
        own = {
            name
            for name, provided in found.table(kind).items()
            if [p.plugin for p in provided] == ["fer-stream"]
        }
        assert own == names
