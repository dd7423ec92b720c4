"""On a live run a sink that fails is opened again; whatever it does costs only itself."""

from __future__ import annotations

import csv
import json
import logging
import threading
import time
from asyncio import CancelledError
from pathlib import Path
from typing import Any

import pytest

from fer_stream.engine import ending
from fer_stream.errors import SinkError, SourceError
from fer_stream.sinks.csv import CsvSink
from fer_stream.sinks.jsonl import JsonlSink
from tests.programs import wait_until

pytestmark = [
    pytest.mark.timeout(90),
    pytest.mark.usefixtures("no_thread_remains", "no_waiting"),
]


def failing_at(*calls: int, error: BaseException | None = None) -> Any:
    """Return an act that raises at these calls, counted from 0."""
    count = -1

    def act(_: Any) -> None:
        nonlocal count
        count += 1
        if count in calls:
            raise error or SinkError("lab is out of order")

    return act


@pytest.fixture
def camera(lab: Any) -> Any:
    return lab.camera(60, pause_s=0.01)


@pytest.mark.parametrize("main_thread", [False, True])
def test_a_sink_that_raised_goes_on_after_a_while(
    lab: Any, camera: Any, caplog: pytest.LogCaptureFixture, main_thread: bool
) -> None:
    caplog.set_level(logging.INFO)
    bad, good = lab.Sink("bad", on_write=failing_at(5), main_thread=main_thread), lab.Sink("good")
    engine = lab.run(camera, [bad, good])
    assert (bad.opened, bad.closed) == (2, 2)
    assert good.opened == 1
    shown = bad.indices()
    assert shown == sorted(set(shown))
    assert shown[:5] == good.indices()[:5]
    assert shown[-1] == good.indices()[-1], "it has caught up"
    numbers, others = engine.stats.sinks
    assert numbers.restarts == 1
    assert numbers.results["ok"] == len(bad.results)
    assert numbers.results["failed"] >= 1
    assert others.results["ok"] == len(good.results)
    assert others.lost == 0
    told = [r.getMessage() for r in caplog.records if r.name == "fer_stream"]
    assert told.count("lab is out of order; trying it again") == 1
    assert any(line.startswith("sink 'bad' works again; it lost ") for line in told)


def test_of_two_sinks_of_one_kind_the_log_says_which_works_again(
    lab: Any, camera: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    lab.run(camera, [lab.Sink("csv"), lab.Sink("csv", on_write=failing_at(5))])
    told = [r.getMessage() for r in caplog.records if "works again" in r.getMessage()]
    assert len(told) == 1
    assert told[0].startswith("sink 'csv-2' works again; ")


@pytest.mark.parametrize("main_thread", [False, True])
def test_every_result_is_accounted_for(lab: Any, camera: Any, main_thread: bool) -> None:
    bad = lab.Sink("bad", on_write=failing_at(3, 9, 10, 20), main_thread=main_thread)
    engine = lab.run(camera, [bad, lab.Sink("good")])
    for numbers in engine.stats.sinks:
        assert sum(numbers.results.values()) == engine.frames_done


@pytest.mark.parametrize("main_thread", [False, True])
def test_trouble_that_goes_on_is_told_of_once_and_in_the_end(
    lab: Any, camera: Any, caplog: pytest.LogCaptureFixture, main_thread: bool
) -> None:
    bad = lab.Sink("bad", on_write=failing_at(*range(2, 1000)), main_thread=main_thread)
    with pytest.raises(SinkError, match="out of order"):
        lab.run(camera, [bad])
    assert bad.opened > 2
    assert bad.opened == bad.closed
    assert caplog.text.count("out of order") == 1


@pytest.mark.parametrize("error", [SinkError("out of order"), CancelledError()], ids=repr)
@pytest.mark.parametrize("main_thread", [False, True])
def test_a_sink_that_cannot_be_opened_again_is_tried_until_it_can(
    lab: Any, camera: Any, error: BaseException, main_thread: bool
) -> None:
    opening = failing_at(1, 2, 3, error=error)
    bad = lab.Sink("bad", on_open=opening, on_write=failing_at(2), main_thread=main_thread)
    engine = lab.run(camera, [bad])
    assert (bad.opened, bad.closed) == (2, 2), "only what succeeded is closed"
    assert bad.indices()[-1] == engine.stats.sources[0].frames_read - 1


@pytest.mark.parametrize("main_thread", [False, True])
def test_a_sink_that_comes_back_learns_how_the_sources_are(
    lab: Any, camera: Any, main_thread: bool
) -> None:
    bad = lab.Sink("bad", on_write=failing_at(2), main_thread=main_thread)
    lab.run(camera, [bad])
    assert bad.states() == ["online", "online", "ended"], "once for each opening"


@pytest.mark.parametrize("main_thread", [False, True])
def test_it_learns_too_what_changed_while_it_was_closed(lab: Any, main_thread: bool) -> None:
    tries = 0

    def opening(_: Any) -> None:
        nonlocal tries
        tries += "reconnecting" in good.states()
        if bad.opened and tries < 2:  # in the wait before the second it came, and was thrown away
            raise SinkError("out of order")

    def lost(_: Any) -> None:
        raise SourceError("camera was lost")

    bad = lab.Sink("bad", on_open=opening, on_write=failing_at(0), main_thread=main_thread)
    good = lab.Sink("good")
    first = lab.Source(count=1, live=True, at_end=lost)
    second = lab.Source(count=1, live=True, before=lambda _: wait_until(lambda: bad.opened == 2))
    lab.run(lab.Origin(lab.Sessions(first, second)), [bad, good])
    assert bad.states() == ["online", "reconnecting", "online", "ended"]


@pytest.mark.parametrize("main_thread", [False, True])
def test_a_sink_that_fails_at_a_status_is_tried_again_too(
    lab: Any, camera: Any, main_thread: bool
) -> None:
    bad, good = lab.Sink("bad", on_status=failing_at(0), main_thread=main_thread), lab.Sink("good")
    lab.run(camera, [bad, good])
    assert bad.opened == 2
    assert good.states() == ["online", "ended"]
    assert bad.states() == ["online", "ended"]


def test_a_sink_that_hangs_for_ever_costs_the_others_nothing(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "STOP_S", 0.5)
    camera = lab.camera(60, ignoring="stuck")
    go = threading.Event()
    stuck, good = lab.Sink("stuck", on_write=lambda _: go.wait(20)), lab.Sink("good")
    engine = lab.engine(camera, [stuck, good])
    engine.start()
    with pytest.raises(SinkError, match="sink stuck did not finish in time"):
        engine.run()
    numbers, others = engine.stats.sinks
    assert numbers.stuck_s > 0.3
    assert others.stuck_s == 0.0
    assert len(good.results) == engine.frames_done
    assert numbers.results["dropped"] == engine.frames_done - 4 - 1, "four wait, one is under way"
    assert good.states() == ["online", "ended"]
    go.set()
    for thread in threading.enumerate():
        if thread.name == "sink stuck":
            thread.join(10)


def test_end_to_end_latency_is_measured_in_the_sink(lab: Any) -> None:
    slow = lab.Sink("slow", on_write=lambda _: time.sleep(0.05))
    engine = lab.run(lab.camera(30, ignoring="slow"), [slow, lab.Sink("quick")])
    numbers = {sink.name: sink.latency["film"] for sink in engine.stats.sinks}
    assert numbers["slow"].count == len(slow.results)
    assert numbers["slow"].quantile(0.5) >= 0.05
    assert numbers["quick"].count == engine.frames_done


def test_csv_and_json_lines_go_on_where_they_were(lab: Any, camera: Any, tmp_path: Path) -> None:
    class Shaky:
        """Fails once, when some rows are written."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.act = failing_at(5)

        def write(self, result: Any) -> None:
            self.act(result)
            super().write(result)  # type: ignore[misc]

    class ShakyCsv(Shaky, CsvSink):
        pass

    class ShakyJsonl(Shaky, JsonlSink):
        pass

    table, lines = tmp_path / "out.csv", tmp_path / "out.jsonl"
    table.write_text("an old run's rows\n")
    good = lab.Sink("good")
    lab.run(camera, [ShakyCsv(str(table)), ShakyJsonl(str(lines)), good])
    with table.open(newline="") as file:
        rows = [int(row["frame"]) for row in csv.DictReader(file)]
    events = [json.loads(line)["frame"] for line in lines.read_text().splitlines()]
    for written in (rows, events):
        assert written == sorted(set(written))
        assert written[:5] == good.indices()[:5]
        assert written[-1] == good.indices()[-1]


def test_a_sink_that_had_nothing_to_do_since_it_came_back_is_still_told_of(lab: Any) -> None:
    bad = lab.Sink("bad", on_write=failing_at(2))  # at the last frame

    def wait_until_back(_: Any) -> None:
        while bad.opened < 2:
            time.sleep(0.01)

    camera = lab.Source(count=3, live=True, pause_s=0.1, at_end=wait_until_back)
    with pytest.raises(SinkError, match="out of order"):
        lab.run(camera, [bad])
