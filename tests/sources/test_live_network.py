"""Live network sources against servers that fail: unplugged, frozen, silent, or not there."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fer_stream.engine import backoff
from fer_stream.engine.engine import Engine
from fer_stream.engine.lane import Plan
from fer_stream.engine.supervisor import Origin
from fer_stream.sources.network import NetworkSource
from fer_stream.stages import Sink
from fer_stream.testing import FakeClassifier, FakeDetector, make_run
from fer_stream.trackers.none import NoTracker
from fer_stream.types import FrameResult, SourceStatus
from tests.mjpeg import MjpegCamera
from tests.programs import wait_until

pytestmark = pytest.mark.timeout(180)


class Watcher(Sink):
    """Keeps what comes, and lets a test wait for it."""

    name = "watcher"

    def __init__(self) -> None:
        super().__init__()
        self.results: list[FrameResult] = []
        self.statuses: list[SourceStatus] = []
        self.came = threading.Condition()

    def write(self, result: FrameResult) -> None:
        with self.came:
            self.results.append(result)
            self.came.notify_all()

    def status(self, status: SourceStatus) -> None:
        with self.came:
            self.statuses.append(status)
            self.came.notify_all()

    def wait_for(self, what: Callable[[], object]) -> None:
        with self.came:
            assert self.came.wait_for(what, 60), [s.state for s in self.statuses]

    def states(self) -> list[str]:
        return [status.state for status in self.statuses]


class Running:
    """An engine on a thread of its own, and what its sink has seen."""

    def __init__(self, *origins: Origin) -> None:
        self.seen = Watcher()
        plans = [Plan(origin, FakeDetector(), NoTracker, list, 1) for origin in origins]
        self.engine = Engine(plans, FakeClassifier(), [self.seen], make_run())
        self.engine.start()
        self.thread = threading.Thread(target=self.engine.run)
        self.thread.start()

    def stop(self) -> None:
        self.engine.request_stop()
        self.thread.join(60)
        assert not self.thread.is_alive()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Running]]:
    """Return a function that starts a run over sources; it is stopped after the test."""
    monkeypatch.setattr(backoff, "FIRST_S", 0.1)
    monkeypatch.setattr(backoff, "MOST_S", 0.2)
    started: list[Running] = []

    def start(*origins: Origin) -> Running:
        started.append(Running(*origins))
        return started[-1]

    yield start
    for running in started:
        running.stop()


@pytest.fixture
def silent() -> Iterator[str]:
    """Return the address of a server that takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(50)
        yield f"127.0.0.1:{server.getsockname()[1]}"


def network(url: str, called: str = "", **options: float) -> Origin:
    return Origin(lambda: NetworkSource(url, **options), called)


def impatient(url: str, called: str = "") -> Origin:
    return network(url, called, open_timeout=0.5, read_timeout=0.5)


def pictures(seen: Watcher, session: int) -> list[int]:
    """Return the numbers of a session's pictures, as the camera gave them."""
    found = [r.frame for r in seen.results if r.frame.info.session == session]
    return [round(float(frame.grey.mean())) for frame in found]


def test_a_camera_that_was_unplugged_comes_back_as_a_new_session(
    run: Any, camera: MjpegCamera, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    seen = run(network(camera.url)).seen
    seen.wait_for(lambda: len(seen.results) > 5)
    camera.pull_out()
    seen.wait_for(lambda: "refused" in seen.statuses[-1].reason)
    before = len(seen.results)
    camera.plug_in()
    seen.wait_for(lambda: len(seen.results) > before + 5)
    assert seen.states() == ["online", "reconnecting", "reconnecting", "online"]
    sessions = [result.frame.info.session for result in seen.results]
    assert set(sessions) == {0, 1}
    assert sessions == sorted(sessions)
    assert "was lost after" in seen.statuses[1].reason
    assert "secret" not in caplog.text + repr(seen.statuses) + repr(seen.results[0].frame.info)


def test_a_camera_that_freezes_has_stalled_and_nothing_old_is_shown_as_new(
    run: Any, camera: MjpegCamera
) -> None:
    seen = run(network(camera.url, read_timeout=2.0)).seen
    seen.wait_for(lambda: len(seen.results) > 5)
    camera.freeze()
    seen.wait_for(lambda: "reconnecting" in seen.states())
    shown = pictures(seen, session=0)
    assert len(set(shown)) == len(shown), "a picture came once more"
    assert seen.states()[:3] == ["online", "stalled", "reconnecting"]
    assert "if it is only slow, set a longer read_timeout in a --config" in seen.statuses[1].reason
    before = len(seen.results)
    camera.thaw()
    seen.wait_for(lambda: len(seen.results) > before)
    assert seen.results[-1].frame.info.session == 1
    assert seen.states()[-1] == "online"


def test_a_change_of_size_begins_a_session_and_the_run_goes_on(
    run: Any, camera: MjpegCamera
) -> None:
    seen = run(network(camera.url, "door")).seen
    seen.wait_for(lambda: len(seen.results) > 5)
    camera.size = (320, 240)
    seen.wait_for(lambda: seen.results[-1].frame.info.width == 320)
    infos = {(r.frame.info.session, r.frame.info.width) for r in seen.results}
    assert infos == {(0, 160), (1, 320)}
    assert all(
        r.frame.grey.shape == (r.frame.info.height, r.frame.info.width) for r in seen.results
    )
    assert {r.frame.info.source_id for r in seen.results} == {"door"}
    assert seen.states() == ["online", "online"]
    assert camera.clients == 1


def test_a_camera_that_sends_no_picture_is_tried_again_until_it_does(
    run: Any, camera: MjpegCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_stream.engine.supervisor.GRACE_S", 0.2)

    def source() -> NetworkSource:
        made = NetworkSource(camera.url, read_timeout=0.7)
        made.open_timeout_s = 1.0
        return made

    running = run(Origin(source))
    seen = running.seen
    seen.wait_for(lambda: len(seen.results) > 5)
    camera.spoiled = True
    (numbers,) = running.engine.stats.sources
    # More than may be left behind blocked: whose connection still sends must notice the end too.
    wait_until(lambda: numbers.abandoned >= 5)
    camera.spoiled = False
    before = len(seen.results)
    seen.wait_for(lambda: len(seen.results) > before)
    assert "and was given up" in repr(seen.statuses)


def test_what_is_not_there_says_why_and_keeps_nobody_waiting(
    run: Any, camera: MjpegCamera, silent: str
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"127.0.0.1:{free.getsockname()[1]}"
        seen = run(
            network(camera.url, "good"),
            impatient(f"rtsp://user:secret@{closed}/1", "closed"),
            impatient(f"rtsp://user:secret@{silent}/1", "silent rtsp"),
            impatient(f"http://user:secret@{silent}/1", "silent http"),
        ).seen

        def reasons() -> dict[str, str]:
            return {s.source_id: s.reason for s in seen.statuses if s.state == "reconnecting"}

        seen.wait_for(lambda: len(reasons()) == 3 and len(seen.results) > 30)
    url = r"cannot open rtsp://user:\*\*\*@127"
    assert url.replace("\\", "") in reasons()["closed"]
    assert "Connection refused" in reasons()["closed"]
    assert "no answer within" in reasons()["silent rtsp"]
    assert "no answer within" in reasons()["silent http"]
    assert "secret" not in repr(seen.statuses)
    told = [s.source_id for s in seen.statuses]
    assert sorted(told) == ["closed", "good", "silent http", "silent rtsp"], "each is told once"


@pytest.mark.parametrize(
    ("url", "live"),
    [
        ("rtsp://camera/1.mp4", True),
        ("http://camera/video", True),
        ("http://host/talk.mp4", False),
        ("HTTPS://host/TALK.MKV?token=1", False),
        ("http://host/live.m3u8", True),
    ],
)
def test_what_must_be_there_at_once_is_told_by_its_name(url: str, live: bool) -> None:
    assert NetworkSource(url).live is live
    assert NetworkSource(url, live=not live).live is not live


def test_an_hls_stream_may_be_silent_for_as_long_as_its_pieces() -> None:
    assert NetworkSource("http://host/live.m3u8").frame_timeout_s > 10
    assert NetworkSource("http://host/camera").frame_timeout_s == 3.0
