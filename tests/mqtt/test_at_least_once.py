"""Whatever fails, each event arrives: nothing lost, order kept, doubles only with equal `id`."""

from __future__ import annotations

import json
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from fer_stream_mqtt import sink as sink_module
from fer_stream_mqtt.address import read_address
from fer_stream_mqtt.sender import Sender
from fer_stream_mqtt.spool import Spool
from fer_stream_mqtt.topics import Topics

from fer_stream.events import event
from fer_stream.testing import make_run
from tests.mqtt.broker import Broker, Subscriber
from tests.mqtt.sinks import opened, seen, told
from tests.needs import require_program
from tests.programs import Program, wait_until

Listen = Callable[..., Subscriber]
RUN = make_run(("cam", "door"), instance="hall")

pytestmark = pytest.mark.usefixtures("impatient")


def frames(ears: Subscriber, source: str = "cam") -> list[int]:
    """Return the numbers of a source's frames, in the order of their first arrival."""
    heard = [message.value for message in ears.on(f"/{source}/event")]
    numbers = {e["id"]: e["frame"] for e in heard}  # a dict keeps the first place of a double
    assert len(set(numbers.values())) == len(numbers), "one frame came with two ids"
    return list(numbers.values())


def test_events_of_a_broken_connection_come_later(
    make_broker: Callable[..., Broker],
    listen: Listen,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = make_broker(careful=True)
    broker.start()
    ears = listen(broker)
    with (
        caplog.at_level(logging.WARNING, "fer_stream.mqtt"),
        opened(broker.address, tmp_path / "s.sqlite") as sink,
    ):
        for index in range(300):
            if index == 100:
                broker.kill()
            if index == 200:
                broker.start()
            sink.write(seen(index, "happy"))
            time.sleep(0.005)
        ears.wait_for(lambda: len(frames(ears)) == 300)
        wait_until(lambda: "connected" in caplog.records[-1].getMessage())
    ears.wait_for(lambda: ears.heard[-1].payload == b"offline")
    assert frames(ears) == list(range(300))
    assert [m.payload for m in ears.on("/availability")][-2:] == [b"online", b"offline"]


def test_a_stopped_broker_gets_what_it_missed(
    broker: Broker, listen: Listen, tmp_path: Path
) -> None:
    ears = listen(broker)
    with opened(broker.address, tmp_path / "s.sqlite") as sink:
        for index in range(50):
            sink.write(seen(index, "happy"))
        ears.wait_for(lambda: len(frames(ears)) == 50)
        broker.stop()
        for index in range(50, 100):
            sink.write(seen(index, "happy"))
        broker.start()
        ears.wait_for(lambda: len(frames(ears)) == 100)
    assert frames(ears) == list(range(100))


def test_a_broker_that_has_forgotten_all_is_told_again(
    broker: Broker, listen: Listen, tmp_path: Path
) -> None:
    with opened(broker.address, tmp_path / "s.sqlite", homeassistant=True) as sink:
        ears = listen(broker)
        sink.write(seen(0, "happy"))
        ears.wait_for(lambda: ears.on("/cam/state") and ears.on("/config"))
        broker.kill()
        broker.start()
        newcomer = listen(broker)
        endings = ("/availability", "/cam/status", "/cam/state", "/config")
        newcomer.wait_for(lambda: all(newcomer.on(ending) for ending in endings))


@pytest.mark.slow
def test_72_000_events_of_two_sources_wait_for_their_broker(
    make_broker: Callable[..., Broker], tmp_path: Path
) -> None:
    broker, count, heard = make_broker(), 36_000, tmp_path / "heard"
    broker.start()
    subscribe = (require_program("mosquitto_sub"), "-h", "127.0.0.1", "-p", str(broker.port))
    subscribe += ("-q", "1", "-c", "-i", "ears", "-t", "fer-stream/hall/+/event")
    subprocess.run([*subscribe, "-E"], check=True, timeout=30)
    broker.stop()  # it remembers who has subscribed
    with opened(broker.address, tmp_path / "s.sqlite") as sink:
        for index in range(count):
            if index == 2000:
                before = memory_mb()
            for source in ("cam", "door"):
                sink.write(seen(index, "happy", source=source))
        assert memory_mb() - before < 30, "what waits must wait on disk"
        broker.start()
        with heard.open("wb") as file, Program(subscribe, stdout=file) as ears:
            wait_until(lambda: f'"frame": {count - 1},'.encode() in last_line(heard), ears)
        assert memory_mb() - before < 30
    numbers: dict[str, list[int]] = {"cam": [], "door": []}
    for line in heard.read_text().splitlines():
        value = json.loads(line)
        numbers[value["source"]].append(value["frame"])
    assert numbers == {source: list(range(count)) for source in numbers}
    assert sink.dropped == 0


def last_line(path: Path) -> bytes:
    """Return about the last whole line of a file."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 1500, 0))
        return file.read().rpartition(b"\n")[0].rpartition(b"\n")[2]


def memory_mb() -> float:
    """Return how much memory this process has, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def test_a_killed_run_loses_nothing_that_was_written(
    make_broker: Callable[..., Broker], listen: Listen, tmp_path: Path
) -> None:
    broker = make_broker()
    spool = tmp_path / "s.sqlite"
    written = publish_and_kill(broker, spool, first=0, until=2000)
    broker.start()
    ears = listen(broker, "fer-stream/hall/+/event")
    # Killed again, this time while it is sending what the first one left.
    written += publish_and_kill(broker, spool, first=10_000, until=50)
    with opened(broker.address, spool):
        ears.wait_for(lambda: len(ears.heard) >= len(written) and ids(ears) >= set(written))
    assert len(written) >= 2050
    for source in ("cam", "door"):
        assert frames(ears, source) == sorted(frames(ears, source))


def ids(ears: Subscriber) -> set[str]:
    """Return the ids of what was heard."""
    return {message.value["id"] for message in list(ears.heard)}


def publish_and_kill(broker: Broker, spool: Path, *, first: int, until: int) -> list[str]:
    """Run a publisher until it has written so many events; return their ids."""
    command = (sys.executable, "-m", "tests.mqtt.publisher", broker.address, spool)
    with subprocess.Popen(
        [*command, str(first), "1000000", "0"], stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        written = [program.stdout.readline().strip() for _ in range(until)]
        program.send_signal(signal.SIGKILL)
        rest = program.stdout.read().split("\n")[:-1]  # the last may be torn
    return [*written, *rest]


def test_a_full_spool_drops_its_oldest_and_says_how_many(
    make_broker: Callable[..., Broker],
    listen: Listen,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sink_module, "_COMPLAIN_S", 3600.0)  # a busy machine takes minutes
    broker, count = make_broker(), 3000
    broker.start()
    ears = listen(broker, "fer-stream/hall/+/event")
    broker.stop()  # it remembers who listens: a later subscription would miss what is sent before
    with (
        caplog.at_level(logging.WARNING, "fer_stream.mqtt"),
        opened(broker.address, tmp_path / "s.sqlite", spool_mb=1) as sink,
    ):
        for index in range(count):
            sink.write(seen(index, "happy"))
        broker.start()
        ears.wait_for(lambda: ears.heard and ears.heard[-1].value["frame"] == count - 1)
    came = frames(ears)
    assert came == list(range(count - len(came), count))
    assert len(came) == count + 1 - sink.dropped, "the first dropped was the episode's start"
    assert 1000 < len(came) < count
    full = [r.getMessage() for r in caplog.records if "the spool is full" in r.getMessage()]
    assert 1 <= len(full) <= 2, "at most one in a while, and one at the end"
    assert f"{sink.dropped} so far" in full[-1]
    expected = [event(seen(index), RUN)["id"] for index in range(count - len(came), count)]
    assert [m.value["id"] for m in ears.heard] == expected


def test_a_run_counts_what_a_full_spool_dropped_before_an_error_and_after(
    make_broker: Callable[..., Broker], tmp_path: Path
) -> None:
    sink = sink_module.MqttSink(
        make_broker().address, spool=str(tmp_path / "s.sqlite"), spool_mb=1.0
    )
    assert sink.lost == 0
    lost = []
    for _ in range(2):
        sink.open(RUN)
        for index in range(2000):
            sink.write(seen(index, "happy"))
        lost.append(sink.dropped)
        sink.close()
    assert all(lost)
    assert sink.lost == sum(lost)


def test_what_is_left_at_the_end_is_said_and_sent_by_the_next_run(
    make_broker: Callable[..., Broker],
    listen: Listen,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = make_broker()
    with (
        caplog.at_level(logging.WARNING, "fer_stream.mqtt"),
        opened(broker.address, tmp_path / "s.sqlite") as sink,
    ):
        for index in range(10):
            sink.write(seen(index, "happy"))
    assert "mqtt: 10 messages for" in caplog.records[-1].getMessage()
    assert str(tmp_path / "s.sqlite") in caplog.records[-1].getMessage()
    broker.start()
    ears = listen(broker)
    with opened(broker.address, tmp_path / "s.sqlite"):
        ears.wait_for(lambda: len(ears.on("/event")) == 10)
    assert frames(ears) == list(range(10))


def test_what_is_left_is_said_once_and_truly_while_a_sink_is_opened_again_and_again(
    make_broker: Callable[..., Broker], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sink = sink_module.MqttSink(make_broker().address, spool=str(tmp_path / "s.sqlite"))
    with caplog.at_level(logging.WARNING, "fer_stream.mqtt"):
        for new in (5, 0, 0, 3):  # as in a live run with a full disk
            sink.open(RUN)
            for index in range(new):
                sink.write(seen(index))
                sink.write(seen(index, "happy"))
            sink.close()
    left = [r.getMessage() for r in caplog.records if " kept in " in r.getMessage()]
    assert [line.split()[1] for line in left] == ["5", "8"]
    assert all(line.endswith("; sent when a run opens it again") for line in left)


def test_it_is_said_too_while_a_silent_broker_is_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        caplog.at_level(logging.WARNING, "fer_stream.mqtt"),
        ExitStack() as stack,
    ):
        address = f"mqtt://127.0.0.1:{silent.getsockname()[1]}"
        sink = stack.enter_context(opened(address, tmp_path / "s.sqlite"))
        link = silent.accept()[0]
        for index in range(10):
            sink.write(seen(index, "happy"))
        stack.close()
        assert "mqtt: 10 messages for" in caplog.records[-1].getMessage()
        link.close()  # and with it the sink's thread


def test_what_is_given_just_before_the_end_is_sent_before_it(
    broker: Broker, listen: Listen, tmp_path: Path
) -> None:
    ears = listen(broker)
    topics = Topics("fer-stream", "hall")
    spool = Spool(tmp_path / "s.sqlite", limit_bytes=10**6)
    closer = threading.Thread(target=lambda: sender.close())

    def announce(_source: str) -> tuple[str, bytes]:
        # Called by the sender, which has just found its spool empty.
        spool.add([(topics.event("cam"), b"{}")])
        closer.start()
        wait_until(lambda: sender._closing_s is not None)
        return "announced", b""

    sender = Sender(read_address(broker.address, "fer-stream"), topics, spool, None, announce)
    sender.start()
    sender.board.tell(told("online"))
    wait_until(lambda: closer.ident is not None)
    closer.join(10)
    spool.close_writer()
    ears.wait_for(lambda: len(ears.on("/availability")) == 2)
    assert len(ears.on("/event")) == 1
    with closing(Spool(tmp_path / "s.sqlite", limit_bytes=10**6)) as again:
        assert again.waiting() == 0
        again.close_writer()
