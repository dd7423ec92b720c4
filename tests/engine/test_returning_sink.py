"""How long a sink that failed rests before it is opened again."""

from __future__ import annotations

from typing import Any

import pytest

from fer_stream.engine.backoff import FIRST_S
from fer_stream.engine.outlets import Caller
from fer_stream.engine.returning_sink import ReturningSink
from fer_stream.engine.stats import RunStats
from fer_stream.errors import SinkError
from fer_stream.testing import make_result, make_run
from tests.clock import Clock


@pytest.fixture
def sink(lab: Any) -> Any:
    """Return one that fails at each result."""

    def fail(_: Any) -> None:
        raise SinkError("lab is out of order")

    return lab.Sink(on_write=fail)


@pytest.fixture
def returning(sink: Any) -> ReturningSink:
    returning = ReturningSink(Caller(sink, RunStats()), lambda *_: True, lambda: None)
    returning.open(make_run())
    return returning


def rest_s(returning: ReturningSink) -> float:
    """Let the sink fail, and return for how long it rests then."""
    assert returning.serve(make_result())
    assert returning.rest_left_s is not None
    return returning.rest_left_s


def test_it_is_not_opened_again_before_it_has_rested(
    clock: Clock, sink: Any, returning: ReturningSink
) -> None:
    assert returning.rest_left_s is None
    rest = rest_s(returning)
    assert 0 < rest <= FIRST_S
    clock.now_s += 0.9 * rest
    assert returning.serve(None)
    assert (sink.opened, sink.closed) == (1, 1)
    assert returning.rest_left_s == pytest.approx(0.1 * rest)
    clock.now_s += 0.2 * rest
    assert returning.rest_left_s == 0.0
    assert returning.serve(None)
    assert (sink.opened, sink.closed) == (2, 1)
    assert returning.rest_left_s is None


@pytest.mark.parametrize(
    ("worked_s", "shortest_s", "longest_s"),
    [(0, 3.2, 4), (9, 3.2, 4), (10, 0.8, 1), (60, 0.8, 1)],
)
def test_it_rests_for_longer_each_time_until_it_has_worked_for_a_while(
    clock: Clock,
    returning: ReturningSink,
    worked_s: float,
    shortest_s: float,
    longest_s: float,
) -> None:
    for _ in range(2):
        clock.now_s += rest_s(returning)
        assert returning.serve(None), "it is open again"
    clock.now_s += worked_s
    assert shortest_s * FIRST_S <= rest_s(returning) <= longest_s * FIRST_S


def test_one_that_cannot_be_opened_again_rests_for_longer(
    clock: Clock, sink: Any, returning: ReturningSink
) -> None:
    def fail(_: Any) -> None:
        raise SinkError("lab is still out of order")

    clock.now_s += rest_s(returning)
    sink.on_open = fail
    assert returning.serve(None)
    assert (sink.opened, sink.closed) == (1, 1)
    assert 1.6 * FIRST_S <= (returning.rest_left_s or 0.0) <= 2 * FIRST_S


def test_one_that_is_not_to_be_tried_again_is_closed_in_the_end_alone(sink: Any) -> None:
    given_up = ReturningSink(Caller(sink, RunStats()), lambda *_: False, lambda: None)
    given_up.open(make_run())
    assert not given_up.serve(make_result())
    assert sink.closed == 0
    given_up.end()
    assert (sink.opened, sink.closed) == (1, 1)
    assert given_up.error is None, "the run has it"
