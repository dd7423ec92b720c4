"""Runs with a broker that are asked to end, and those that are not asked."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable

import pytest

from tests.faults.camera import RtspCamera
from tests.faults.running import Running, is_complete
from tests.mqtt.broker import Broker, Subscriber
from tests.programs import line_count

Run = Callable[..., Running]
Listen = Callable[..., Subscriber]

pytestmark = pytest.mark.timeout(120)


def test_sigterm_flushes_says_offline_and_is_a_success(
    camera: RtspCamera, broker: Broker, listen: Listen, run: Run
) -> None:
    ears = listen(broker)
    running = run("--source", f"door={camera.url()}", "--sink", broker.address)
    running.wait_for_frames(50)
    said = running.stop()
    ears.wait_for(lambda: ears.heard[-1].payload == b"offline")
    assert [m.payload for m in ears.on("/availability")] == [b"online", b"offline"]
    assert ears.on("/door/status")[-1].value["state"] == "ended"
    assert ears.on("/door/state")[-1].value["faces"] == []
    assert not any("lost by" in line or " kept in " in line for line in said)
    seen = [frame["frame"] for frame in running.frames() if frame["faces"]]
    assert [message.value["frame"] for message in ears.on("/door/event")] == seen
    assert len(seen) > 20
    assert is_complete(running.frames())


def test_a_second_sigterm_waits_for_nobody(
    camera: RtspCamera, broker: Broker, listen: Listen, run: Run
) -> None:
    ears = listen(broker, "fer-stream/+/availability")
    running = run(
        *("--source", f"door={camera.url()}", "--sink", broker.address, "--sink", "stuck:reached")
    )
    running.wait_for_frames(20)
    running.wait_for((running.folder / "reached").exists)
    running.program.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert running.program.poll() is None, "the first waits for the sink"
    running.program.send_signal(signal.SIGTERM)
    # The first, once its patience has ended, would exit with 1.
    assert running.program.wait(30) == 128 + signal.SIGTERM
    ears.wait_for(lambda: ears.heard[-1].payload == b"offline")  # by us, or the broker for us


def test_a_run_that_was_killed_with_a_full_spool_loses_nothing(
    camera: RtspCamera, make_broker: Callable[..., Broker], listen: Listen, run: Run
) -> None:
    broker = make_broker()

    def start(name: str) -> Running:
        source, sink = f"door={camera.url()}", broker.address
        return run("--source", source, "--sink", sink, "--sink", f"jsonl:{name}")

    first = start("first.jsonl")
    first.wait_for(lambda: line_count(first.folder / "first.jsonl") > 100)
    first.kill()
    broker.start()
    ears = listen(broker, "fer-stream/+/+/event")
    second = start("second.jsonl")
    second.wait_for(lambda: line_count(second.folder / "second.jsonl") > 30)
    said = second.stop()
    assert not any(" kept in " in line for line in said)

    written = {}
    for name in ("first", "second"):
        lines = (first.folder / f"{name}.jsonl").read_text().split("\n")[:-1]
        written[name] = [json.loads(line)["id"] for line in lines]
    # Of the killed run the last few were on their way to one of the two sinks.
    certain = written["first"][:-6] + written["second"]
    ears.wait_for(lambda: {m.value["id"] for m in list(ears.heard)} >= set(certain))
    heard: dict[str, bytes] = {}
    for message in ears.heard:
        assert heard.setdefault(message.value["id"], message.payload) == message.payload
    order = [id_ for id_ in heard if id_ in set(certain)]
    assert order == certain
