"""The examples in the docstrings run, and keep the contracts that they explain."""

from __future__ import annotations

import inspect
import textwrap
from pathlib import Path
from typing import Any

import pytest

from fer_stream import hookspecs, stages, testing
from fer_stream.errors import ConfigError
from fer_stream.plugins import Plugins
from fer_stream.spec import StageSpec, build
from fer_stream.stages import STAGE_KINDS, Stage
from fer_stream.testing import (
    check_classifier,
    check_detector,
    check_filter,
    check_sink,
    check_source,
    check_tracker,
    make_frame,
)

CHECKS: dict[str, Any] = {
    "source": check_source,
    "detector": lambda stage: check_detector(stage, make_frame()),
    "tracker": check_tracker,
    "classifier": check_classifier,
    "filter": check_filter,
    "sink": check_sink,
}


def _example(contract: type[Stage]) -> type[Stage]:
    """Run a contract's example among what a plugin's author imports; return its class."""
    text = textwrap.dedent(inspect.getdoc(contract).split("Example:\n")[1])
    names: dict[str, Any] = {}
    exec("from fer_stream import *\n", names)
    exec("import numpy as np, numpy.typing as npt\nfrom collections.abc import *\n", names)
    before = set(names)
    exec(text, names)
    (name,) = set(names) - before
    return names[name]


@pytest.mark.parametrize("kind", STAGE_KINDS)
def test_the_example_of_a_contract_keeps_it(kind: str) -> None:
    cls = _example(STAGE_KINDS[kind])
    assert issubclass(cls, STAGE_KINDS[kind])
    CHECKS[kind](build(cls, StageSpec(cls.name)))


def test_a_stage_without_a_constructor_takes_no_target() -> None:
    cls = _example(stages.Sink)
    with pytest.raises(ConfigError, match="shout takes no target, got 'loud'"):
        build(cls, StageSpec("shout", "loud"))


def test_the_plugin_in_the_hooks_docstring_loads_and_keeps_the_contract(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = inspect.getdoc(hookspecs)
    file = tmp_path / "shout.py"
    file.write_text(textwrap.dedent(text[text.index("    from fer_stream") :]))
    plugins = Plugins([file])
    check_sink(build(plugins.get("sink", "shout"), StageSpec("shout")))
    assert "HAPPY\n" in capsys.readouterr().out


def test_the_tests_in_the_test_kits_docstring_pass() -> None:
    text = inspect.getdoc(testing)
    code = textwrap.dedent(text[text.index("    from fer_stream") : text.index("\nA check")])
    names: dict[str, Any] = {"Shout": _example(stages.Sink)}
    exec(code, names)
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        test()
