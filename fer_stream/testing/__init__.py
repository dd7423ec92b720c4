"""For tests of stages: fakes to build with, and checks of what the contracts promise.

    from fer_stream.testing import check_sink, make_face, make_result

    def test_shout_keeps_the_contract():
        check_sink(Shout())

    def test_shout_takes_a_face():
        Shout().write(make_result(faces=[make_face("happy")]))

A check runs a stage the way the engine does, on one thread, and raises `AssertionError` with what
was expected. An instance serves one run: give each check a new one.
"""

from __future__ import annotations

from fer_stream.testing.checks import (
    check_classifier,
    check_detector,
    check_filter,
    check_source,
    check_tracker,
)
from fer_stream.testing.fakes import FakeClassifier, FakeDetector, FakeSource, ListSink
from fer_stream.testing.sink_checks import check_sink, check_sink_goes_on, check_sink_spares
from fer_stream.testing.values import (
    EMOTIONS,
    make_face,
    make_frame,
    make_result,
    make_run,
    make_scores,
    make_status,
)

__all__ = [
    "EMOTIONS",
    "FakeClassifier",
    "FakeDetector",
    "FakeSource",
    "ListSink",
    "check_classifier",
    "check_detector",
    "check_filter",
    "check_sink",
    "check_sink_goes_on",
    "check_sink_spares",
    "check_source",
    "check_tracker",
    "make_face",
    "make_frame",
    "make_result",
    "make_run",
    "make_scores",
    "make_status",
]
