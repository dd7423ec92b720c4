"""Asking a run how it is."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from tests.programs import Program, start

Labels = frozenset[tuple[str, str]]


class Answer(NamedTuple):
    status: int
    body: str
    content_type: str


def ask(place: str, path: str, method: str = "GET", **headers: str) -> Answer:
    """Send a request to HOST:PORT."""
    connection = http.client.HTTPConnection(place, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        body = response.read().decode()
        return Answer(response.status, body, response.headers["Content-Type"])
    finally:
        connection.close()


@contextmanager
def monitored_run(folder: Path, *arguments: str) -> Iterator[tuple[Program, str]]:
    """Start a run over an hour of the demo, and yield it and the HOST:PORT of its metrics."""
    demo = ("run", "--source", "demo?seconds=3600")
    with start(*demo, *arguments, "--metrics", "127.0.0.1:0", cwd=folder) as program:
        yield program, place_of(program)


def place_of(program: Program) -> str:
    """Return HOST:PORT, which a run says before anything else on standard error."""
    assert program.stderr is not None
    said = program.stderr.readline()
    found = re.search(r"metrics are at http://(.*)/metrics", said)
    assert found, said
    return found[1]


def scrape(place: str) -> dict[str, dict[Labels, float]]:
    """Return the values of /metrics by name and labels."""
    answer = ask(place, "/metrics")
    assert answer.status == 200
    return read(answer.body)


def read(text: str) -> dict[str, dict[Labels, float]]:
    """Return the values of an exposition by name and labels."""
    values: dict[str, dict[Labels, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            series = values.setdefault(sample.name, {})
            labels = frozenset(sample.labels.items())
            assert labels not in series, f"{sample.name} {sample.labels} is there twice"
            series[labels] = sample.value
    return values


def of(**labels: str) -> Labels:
    return frozenset(labels.items())
