"""Every sink that is installed keeps the contract."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fer_stream.plugins import installed
from fer_stream.spec import StageSpec, build
from fer_stream.stages import Sink
from fer_stream.testing import ListSink, check_sink
from tests.programs import environment

# The overlay needs a display, mqtt a broker (tests/mqtt).
NAMES = sorted(installed().table("sink").keys() - {"overlay", "mqtt"})
# Where each writes; a new sink without a line here fails.
FILES = {
    "console": "",
    "csv": "out.csv",
    "episodes": "out.jsonl",
    "jsonl": "out.jsonl",
    "video": "out.mp4",
}


# In a process of its own: a window system that ends takes its clients with it.
OVERLAY = """
from fer_stream.sinks.overlay import OverlaySink
from fer_stream.testing import check_sink
check_sink(OverlaySink())
check_sink(OverlaySink(), ())
"""


def _make(name: str, folder: Path) -> Sink:
    target = FILES[name]
    cls: type[Sink] = installed().get("sink", name)
    return build(cls, StageSpec(name, str(folder / target) if target else ""))


@pytest.mark.parametrize("name", NAMES)
def test_a_sink_keeps_the_contract(name: str, tmp_path: Path) -> None:
    check_sink(_make(name, tmp_path))
    if FILES[name]:
        # Two sources: some sinks write one file, some one for each.
        sizes = [path.stat().st_size for path in tmp_path.iterdir()]
        assert sizes
        # No face stays for as long as an episode takes.
        assert min(sizes) > 0 or name == "episodes"


@pytest.mark.parametrize("name", NAMES)
def test_a_sink_bears_a_run_without_a_frame(name: str, tmp_path: Path) -> None:
    check_sink(_make(name, tmp_path), ())


def test_the_overlay_keeps_the_contract(display: str) -> None:
    subprocess.run(
        [sys.executable, "-c", OVERLAY], env=environment(DISPLAY=display), check=True, timeout=60
    )


def test_the_list_sink_keeps_the_contract() -> None:
    sink = ListSink()
    check_sink(sink)
    assert len(sink.results) == 5
    assert sink.run is not None
    assert sink.run.sources == ("fake", "other fake, with a comma")
    assert sink.closed == 1


def test_a_sink_that_asks_to_finish_is_closed() -> None:
    sink = ListSink(stop_after=2)
    check_sink(sink)
    assert len(sink.results) == 2
    assert sink.closed == 1
