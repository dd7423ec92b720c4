"""Nothing is left behind by a run, however it ends."""

from __future__ import annotations

import gc
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from fer_stream.errors import ModelError

pytestmark = pytest.mark.timeout(20)


def test_no_thread_remains_after_twenty_short_runs(lab: Any) -> None:
    before = set(threading.enumerate())
    for _ in range(20):
        lab.run([lab.Source("a", 10), lab.Source("b", 10, live=True)], [lab.Sink(), lab.Sink()])
    assert set(threading.enumerate()) == before


@pytest.mark.parametrize("taken", [0, 1, 30])
def test_closing_the_results_early_ends_every_thread(lab: Any, taken: int) -> None:
    before = set(threading.enumerate())
    source, sink = lab.Source(count=5000), lab.Sink()
    engine = lab.engine(source, [sink], collect=True)
    engine.start()
    if taken:
        results = engine.results()
        for _ in range(taken):
            next(results)
        results.close()
    else:
        engine.close()
    assert set(threading.enumerate()) == before
    assert source.closed == sink.closed == 1


def test_what_was_ready_when_the_caller_left_still_reaches_the_sinks(lab: Any) -> None:
    sink = lab.Sink(on_write=lambda _: time.sleep(0.02))
    engine = lab.engine(lab.Source(count=5000), [sink], collect=True)
    engine.start()
    seen = []
    for result in engine.results():
        if result is not None:
            seen.append(result.frame.index)
        if len(seen) == 12:
            break
    gc.collect()
    assert seen == list(range(12))
    assert sink.indices() == list(range(len(sink.results)))
    assert len(sink.results) >= 12, "the caller saw a frame that the sink never got"
    assert sink.closed == 1


def test_an_engine_and_its_pictures_can_be_freed_after_the_run(lab: Any) -> None:
    import weakref

    source = lab.Source(count=20)
    engine = lab.run(source, [])
    gone = weakref.ref(engine)
    del engine
    lab.made.clear()
    lab.detectors.clear()
    lab.trackers.clear()
    lab.filters.clear()
    gc.collect()
    assert gone() is None


@pytest.mark.skipif(sys.platform != "linux", reason="counts open files in /proc")
def test_no_file_stays_open_after_twenty_short_runs(lab: Any, tmp_path: Path) -> None:
    from fer_stream.sinks.csv import CsvSink
    from fer_stream.sinks.jsonl import JsonlSink

    def run(number: int, fail: bool) -> None:
        sinks = [
            CsvSink(str(tmp_path / f"{number}.csv")),
            JsonlSink(str(tmp_path / f"{number}.jsonl")),
        ]

        def before(_: Any) -> None:
            if fail:
                raise ModelError("wrong")

        engine = lab.engine(lab.Source(count=12), sinks, classifier=lab.Classifier(before=before))
        engine.start()
        try:
            engine.run()
        except ModelError:
            assert fail

    run(0, fail=False)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(20):
        run(number, fail=number % 2 == 1)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
