"""A connection that is over holds nothing: a decoder has threads and pictures of its own."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from fer_stream.engine.session import Session
from fer_stream.sources.network import NetworkSource
from fer_stream.types import Frame, StreamInfo
from tests.mjpeg import MjpegCamera


@pytest.fixture
def no_cycles_found() -> Iterator[None]:
    """Python may look for cycles once an hour, or never."""
    gc.disable()
    yield
    gc.enable()


class Reader:
    """Reads until its camera is lost, or only ten frames; knows what the session was made of."""

    def __init__(self, camera: MjpegCamera, source: NetworkSource, *, loses: bool) -> None:
        self.camera, self.loses = camera, loses
        self.parts: list[weakref.ref[Any]] = [weakref.ref(source)]
        self.is_over = threading.Event()

    def begun(self, session: Session, info: StreamInfo) -> bool:
        source = self.parts[0]()
        assert isinstance(source, NetworkSource)
        self.parts += [weakref.ref(session), weakref.ref(source._reader)]
        return True

    def take(self, session: Session, frame: Frame, took_s: float) -> bool:
        if frame.index < 10:
            return True
        if self.loses:
            self.camera.pull_out()
        return self.loses

    def ended(self, session: Session) -> None:
        self.is_over.set()


@pytest.mark.usefixtures("no_cycles_found")
@pytest.mark.parametrize("loses", [False, True])
def test_a_session_that_is_over_is_freed_at_once(camera: MjpegCamera, loses: bool) -> None:
    source = NetworkSource(camera.url)
    reader = Reader(camera, source, loses=loses)
    session = Session(reader, source, 0, is_open=False)
    del source
    session.thread.start()
    assert reader.is_over.wait(30)
    session.thread.join(10)
    assert (session.error is not None) == loses
    del session
    assert [part() for part in reader.parts] == [None, None, None]
