"""What a soak counts as a failure, and where its figures go."""

from __future__ import annotations

import math

import pytest

from benchmarks.markers import FIGURES
from benchmarks.soak_report import MOST_GROWTH, report

FRAMES = [{"source": "door", "session": 0, "age_s": n / 1000, "dropped": 3} for n in range(100)]
STEADY = {what: [30.0] * 240 for what in MOST_GROWTH}


@pytest.mark.parametrize("what", list(MOST_GROWTH))
def test_what_grows_fails_it(what: str) -> None:
    each_second = 2 * MOST_GROWTH[what] / 60  # the middles of two quarters are a minute apart
    used = {**STEADY, what: [30.0 + each_second * second for second in range(240)]}
    _, problems = report(FRAMES, used, {})
    assert problems == [f"{what} grew by {2 * MOST_GROWTH[what]:.1f}"]


def test_what_grew_at_first_and_then_no_more_is_no_failure() -> None:
    used = {**STEADY, "memory": [100.0] * 100 + [200.0] * 140}
    lines, problems = report(FRAMES, used, {"killed": [1.0, 3.0]})
    assert problems == []
    text = "\n".join(lines)
    assert "p50 50 ms, p99 99 ms, worst 99 ms" in text
    assert "| killed | 2 | 2.0 s | 3.0 s |" in text
    assert "| memory, MB | 100 | 200 | +0.0 | 16 |" in text


def test_a_fault_that_was_not_recovered_from_fails_it() -> None:
    assert report(FRAMES, STEADY, {"frozen": [1.0, math.inf]})[1] == ["no recovery from: frozen"]


@pytest.mark.parametrize("name", ["latency", "soak"])
def test_the_page_has_a_place_for_the_figures(name: str) -> None:
    page = FIGURES.read_text(encoding="utf-8")
    assert page.count(f"<!-- {name} -->\n") == 1
