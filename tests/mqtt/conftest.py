"""Brokers and subscribers, ended with each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fer_stream_mqtt import sender

from tests.mqtt.broker import Broker, Subscriber

Listen = Callable[..., Subscriber]


@pytest.fixture
def make_broker(tmp_path: Path) -> Iterator[Callable[..., Broker]]:
    """Return a function that makes a broker, not started yet."""
    with ExitStack() as stack:

        def make(**options: Any) -> Broker:
            folder = tmp_path / "broker"
            folder.mkdir()
            broker = Broker(folder, **options)
            stack.callback(broker.kill)
            return broker

        yield make


@pytest.fixture
def broker(make_broker: Callable[..., Broker]) -> Broker:
    """Return a broker for anybody, started."""
    found = make_broker()
    found.start()
    return found


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Return a function that subscribes: `listen(broker, "topic/#")`."""
    with ExitStack() as stack:

        def subscribe(broker: Broker, *topics: str) -> Subscriber:
            subscriber = broker.subscriber(*topics)
            stack.callback(subscriber.close)
            return subscriber

        yield subscribe


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for a lost broker all the time, so that a test need not wait."""
    monkeypatch.setattr(sender, "_FIRST_WAIT_S", 0.1)
    monkeypatch.setattr(sender, "_LONGEST_WAIT_S", 0.2)
