"""Every sink that is installed keeps the contract."""

from __future__ import annotations

import subprocess
import sys
from csv import DictReader
from itertools import pairwise
from json import loads
from pathlib import Path

import av
import pytest

from fer_stream.plugins import installed
from fer_stream.spec import StageSpec, build
from fer_stream.stages import Sink
from fer_stream.testing import ListSink, check_sink, check_sink_spares
from fer_stream.types import FrameResult
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


def _place(result: FrameResult) -> tuple[str, int, int]:
    frame = result.frame
    return frame.info.source_id, frame.info.session, frame.index


def _make(name: str, folder: Path) -> Sink:
    target = FILES[name]
    cls: type[Sink] = installed().get("sink", name)
    return build(cls, StageSpec(name, str(folder / target) if target else ""))


@pytest.mark.parametrize("name", NAMES)
def test_a_sink_keeps_the_contract(name: str, tmp_path: Path) -> None:
    check_sink(_make(name, tmp_path))
    if FILES[name]:
        # Several sources: some sinks write one file, some one for each.
        sizes = [path.stat().st_size for path in tmp_path.iterdir()]
        assert sizes
        assert min(sizes) > 0


def test_the_rows_tell_of_every_face_in_order(tmp_path: Path) -> None:
    written = check_sink(_make("csv", tmp_path))
    with (tmp_path / FILES["csv"]).open() as file:
        rows = [(row["source"], int(row["session"]), int(row["frame"])) for row in DictReader(file)]
    assert rows == [_place(result) for result in written for _ in result.faces]


def test_the_events_tell_of_every_frame_with_a_face_in_order(tmp_path: Path) -> None:
    written = check_sink(_make("jsonl", tmp_path))
    lines = (tmp_path / FILES["jsonl"]).read_text().splitlines()
    events = [(event["source"], event["session"], event["frame"]) for event in map(loads, lines)]
    assert events == [_place(result) for result in written if result.faces]
    assert len({loads(line)["id"] for line in lines}) == len(lines)


def test_an_episode_ends_with_its_session(tmp_path: Path) -> None:
    check_sink(_make("episodes", tmp_path))
    lines = (tmp_path / FILES["episodes"]).read_text().splitlines()
    spans = [(said["session"], said["begin_s"], said["end_s"]) for said in map(loads, lines)]
    camera = [(0, 3600.0, None), (0, 3600.0, 3600.8), (1, 0.0, None), (1, 0.0, 0.8)]
    assert spans == camera


def test_the_console_tells_of_each_session_and_each_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check_sink(_make("console", tmp_path))
    lines = [line.rsplit(" s ", 1)[0].split() for line in capsys.readouterr().out.splitlines()]
    told = [(" ".join(line[:-1]), line[-1]) for line in lines]
    camera = [time for source, time in told if source.startswith("other")]
    assert camera == ["0.00", "3600.00", "0.00"]
    pictures = [source for source, _ in told if source.startswith("album")]
    assert pictures == ["album/1.png", "album/2.png"]


def test_the_films_show_each_frame_for_its_time(tmp_path: Path) -> None:
    check_sink(_make("video", tmp_path))
    shown = {}
    for path in tmp_path.iterdir():
        with av.open(str(path)) as container:
            times = [frame.time or 0.0 for frame in container.decode(video=0)]
        shown[path.stem] = [round(b - a, 2) for a, b in pairwise(times)]
    # The camera comes back one frame later, with another 0.8 s.
    assert shown == {
        "out-1": [0.04, 0.16, 0.04],
        "out-2": [3600.0, 0.8, 0.04, 0.8],
        "out-pictures": [1.0],
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_sink_bears_a_run_without_a_frame(name: str, tmp_path: Path) -> None:
    check_sink(_make(name, tmp_path), ())


@pytest.mark.parametrize("name", [name for name in NAMES if FILES[name]])
def test_a_sink_that_is_given_nothing_spares_an_old_file(name: str, tmp_path: Path) -> None:
    old = tmp_path / FILES[name]
    old.write_text("of an earlier run\n")
    check_sink_spares(_make(name, tmp_path), old)


def test_the_overlay_keeps_the_contract(display: str) -> None:
    subprocess.run(
        [sys.executable, "-c", OVERLAY], env=environment(DISPLAY=display), check=True, timeout=60
    )


def test_the_list_sink_keeps_the_contract() -> None:
    sink = ListSink()
    assert check_sink(sink) == sink.results
    assert sink.run is not None
    assert sink.run.sources == ("fake", "other fake, with a comma", "album")
    assert sink.closed == 1


def test_a_sink_is_shown_a_camera_that_comes_back() -> None:
    sink = ListSink()
    times = [r.frame.time_s for r in check_sink(sink) if r.frame.info.live]
    assert times == [0.0, 3600.0, 3600.8, 0.0, 0.8]
    statuses = [(s.state, s.session) for s in sink.statuses if s.source_id.startswith("other")]
    assert statuses == [
        ("online", 0),
        ("stalled", 0),
        ("reconnecting", 1),
        ("online", 1),
        ("ended", 1),
    ]


def test_a_sink_is_shown_pictures_that_no_run_lists() -> None:
    sink = ListSink()
    pictures = [r.frame.info.source_id for r in check_sink(sink) if r.frame.info.stills]
    assert pictures == ["album/1.png", "album/2.png"]
    assert [s.state for s in sink.statuses if s.source_id == "album"] == ["online", "ended"]


def test_a_run_without_a_frame_is_told_of_too() -> None:
    sink = ListSink()
    assert check_sink(sink, ()) == []
    assert [status.state for status in sink.statuses] == ["reconnecting", "ended"]


def test_a_sink_that_asks_to_finish_is_closed() -> None:
    sink = ListSink(stop_after=2)
    assert check_sink(sink) == sink.results
    assert len(sink.results) == 2
    assert sink.closed == 1
