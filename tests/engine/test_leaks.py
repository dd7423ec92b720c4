"""Nothing is left behind by a run, however it ends."""

from __future__ import annotations

import gc
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import pytest

from fer_stream.api import Results
from fer_stream.errors import FerStreamError, ModelError, SinkError, SourceError
from tests.programs import wait_until

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


def fail(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("who", ["source", "classifier", "sink", "nobody"])
def test_a_run_whose_caller_has_dropped_its_error_can_be_freed(lab: Any, who: str) -> None:
    source = lab.Source(count=20)
    sink, classifier = lab.Sink(), lab.Classifier()
    if who == "source":
        source.at_end = lambda _: fail(SourceError("lost"))
    elif who == "classifier":
        classifier.before = lambda _: fail(ModelError("wrong"))
    elif who == "sink":
        sink.on_write = lambda _: fail(SinkError("full"))
    results = Results(lab.engine(source, [sink], classifier=classifier, collect=True))
    lab.made[-1].start()
    failed = False
    try:
        for _ in results:
            pass
    except FerStreamError:
        failed = True
    assert failed == (who != "nobody")
    gone = weakref.ref(lab.made[-1])
    del results
    lab.made.clear()
    gc.collect()
    assert gone() is None


def test_a_reader_that_was_blocked_at_the_end_is_forgotten_once_it_ends(lab: Any) -> None:
    stuck, go = threading.Event(), threading.Event()
    source = lab.Source(live=True, before=lambda i: i == 5 and (stuck.set(), go.wait(20)))
    lab.engine(source).start()
    lab.made[-1].run(lambda: lab.made[-1].request_stop() if stuck.is_set() else None)
    (reader,) = lab.made[-1].left_behind
    gone = weakref.ref(reader)
    go.set()
    reader.join(10)
    del reader
    lab.made.clear()
    gc.collect()
    assert gone() is None


def test_results_that_python_collects_on_a_thread_of_the_run_end_it(
    lab: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", failed.append)
    before = set(threading.enumerate())
    forgotten, collected = threading.Event(), threading.Event()

    def collect(_: Any) -> None:
        forgotten.wait(20)  # it gets no more once the caller takes none
        if not collected.is_set():
            gc.collect()
            collected.set()

    sink = lab.Sink(on_write=collect)
    held: list[Any] = [Results(lab.engine(lab.Source(count=10**6), [sink], collect=True))]
    lab.made[-1].start()
    held.append(held)  # as a traceback does
    assert next(held[0]).frame.index == 0
    gc.disable()  # else any thread may come first
    try:
        del held
        forgotten.set()
        assert collected.wait(20)
    finally:
        gc.enable()
    wait_until(lambda: set(threading.enumerate()) == before)
    assert sink.closed == 1
    assert failed == []
    assert "was left" not in caplog.text


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
