"""Several threads classify, where the classifier and the machine allow it; nobody sees that."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest

from fer_stream.engine import classifier_threads
from fer_stream.engine.channel import Closed
from fer_stream.engine.lane import GROUP
from fer_stream.engine.turns import Turns
from fer_stream.errors import ModelError
from tests.programs import wait_until

pytestmark = [pytest.mark.timeout(30), pytest.mark.usefixtures("no_thread_remains")]


@pytest.fixture(autouse=True)
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier_threads, "usable_cores", lambda: 4)


class Overtaken:
    """An act for a classifier whose first batch is done when another one is, or has failed."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.calls = 0
        self.is_overtaken = False
        self._other = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, _: Any) -> None:
        with self._lock:
            self.calls += 1
            number = self.calls
        if number == 1:
            self.is_overtaken = self._other.wait(10)
            return
        self._other.set()
        if self.error:
            raise self.error


def test_a_batch_that_is_overtaken_is_still_delivered_first(lab: Any) -> None:
    overtaken, sink = Overtaken(), lab.Sink()
    engine = lab.run(
        [lab.Source(count=10 * GROUP), lab.Source("other", 10 * GROUP)],
        [sink],
        classifier=lab.Classifier(before=overtaken, concurrent=True),
    )
    assert overtaken.is_overtaken
    assert sink.indices() == sink.indices("other") == list(range(10 * GROUP))
    assert engine.frames_done == engine.frames_with_faces == 20 * GROUP
    bright = [result.faces[0].scores.probabilities[1] for result in sink.results]
    grey = [result.frame.grey[0, 0] / 512 + GROUP / 1024 for result in sink.results]
    assert np.allclose(bright, grey), "scores of another frame"


def test_what_came_before_a_batch_that_fails_is_delivered(lab: Any) -> None:
    overtaken, sink = Overtaken(ModelError("wrong model")), lab.Sink()
    with pytest.raises(ModelError, match="wrong model"):
        lab.run(
            lab.Source(count=5000),
            [sink],
            classifier=lab.Classifier(before=overtaken, concurrent=True),
        )
    assert overtaken.is_overtaken
    assert sink.indices() == list(range(GROUP))
    assert sink.closed == 1


@pytest.mark.parametrize("concurrent", [True, False])
def test_only_a_concurrent_classifier_is_called_while_it_works(lab: Any, concurrent: bool) -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def work(_: Any) -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.005)
        with lock:
            inside -= 1

    lab.run(lab.Source(count=20 * GROUP), classifier=lab.Classifier(work, concurrent=concurrent))
    assert most == 1 if not concurrent else 1 < most <= 4


def test_a_run_that_is_left_leaves_no_thread_that_waits_for_its_turn(lab: Any) -> None:
    go, calls = threading.Event(), []

    def held(_: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            go.wait(10)

    engine = lab.engine(
        lab.Source(count=5000), [lab.Sink()], classifier=lab.Classifier(held, concurrent=True)
    )
    engine.start()
    wait_until(lambda: len(calls) == 4)
    threading.Timer(0.2, go.set).start()
    engine.close()


def test_turns_come_in_the_order_of_the_items() -> None:
    turns = Turns(iter("abc"))
    assert [turns.take() for _ in range(3)] == [(0, "a"), (1, "b"), (2, "c")]
    with pytest.raises(Closed):
        turns.take()
    done: list[int] = []

    def finish(number: int) -> None:
        turns.wait(number)
        done.append(number)
        turns.done()

    threads = [threading.Thread(target=finish, args=[number]) for number in (2, 1, 0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [0, 1, 2]


def test_aborted_turns_let_only_the_one_go_on_whose_turn_it_is() -> None:
    turns = Turns(iter("abc"))
    turns.abort()
    turns.wait(0)
    with pytest.raises(Closed):
        turns.wait(1)
