"""What is too large for a broker is dropped, counted and said; all else arrives."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from fer_stream_mqtt import limit
from fer_stream_mqtt.address import read_address
from fer_stream_mqtt.limit import SizeLimit, packet_bytes

from tests.mqtt.broker import Broker, Subscriber
from tests.mqtt.sinks import opened, seen

Listen = Callable[..., Subscriber]
CROWD = ["happy"] * 30
"""Each of these faces takes about 300 bytes."""


@pytest.mark.parametrize("setting", ["max_packet_size", "message_size_limit"])
def test_a_message_that_is_too_large_for_the_broker_holds_up_no_other(
    make_broker: Callable[..., Broker],
    listen: Listen,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
) -> None:
    monkeypatch.setattr(limit, "_COMPLAIN_S", 3600.0)  # a busy machine takes minutes
    broker = make_broker(settings=f"{setting} 4000")
    broker.start()
    ears = listen(broker, "fer-stream/hall/+/event")
    with (
        caplog.at_level(logging.WARNING, "fer_stream.mqtt"),
        opened(broker.address, tmp_path / "s.sqlite") as sink,
    ):
        for index in range(0, 60, 3):
            sink.write(seen(index, "happy"))
            sink.write(seen(index + 1, *CROWD))
            sink.write(seen(index + 2, "happy"))
        ears.wait_for(lambda: ears.heard and ears.heard[-1].value["frame"] == 59)
    came = sorted({message.value["frame"] for message in ears.heard})
    assert came == [index for index in range(60) if index % 3 != 1]
    lines = [record.getMessage() for record in caplog.records]
    assert not [line for line in lines if " kept in " in line], "nothing is left in the spool"
    dropped = [line for line in lines if "is dropped" in line]
    assert 1 <= len(dropped) <= 2, "at most one in a while, and one at the end"
    assert setting in dropped[-1]
    assert f"broker {broker.address.removeprefix('mqtt://')} takes no " in dropped[-1]
    assert ", 20 messages so far, " in dropped[-1]
    assert sink.lost == 20


def test_a_limit_that_the_broker_names_needs_no_second_connection(
    make_broker: Callable[..., Broker],
    listen: Listen,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = make_broker(settings="max_packet_size 1000")
    broker.start()
    ears = listen(broker)
    with (
        caplog.at_level(logging.WARNING, "fer_stream.mqtt"),
        opened(broker.address, tmp_path / "s.sqlite", homeassistant=True) as sink,
    ):
        sink.write(seen(0, *CROWD))  # its event and state, and the announcement, are too large
        sink.write(seen(1, "happy"))
        ears.wait_for(lambda: ears.on("/event"))
    ears.wait_for(lambda: ears.heard[-1].payload == b"offline")
    assert [m.payload for m in ears.on("/availability")] == [b"online", b"offline"]
    assert ears.on("/cam/status")
    assert not ears.on("/config")
    assert [m.value["frame"] for m in ears.on("/event")] == [1]
    assert sink.lost == 1, "a state is said again, and an announcement is no result"
    assert "packets above 1000 bytes (mosquitto: max_packet_size)" in caplog.text


def test_the_size_of_a_packet_is_the_protocols() -> None:
    # MQTT 5, 2.1.4: a byte holds the length of up to 127 bytes, two that of up to 16,383.
    for payload, size in ((0, 9), (120, 129), (121, 131), (16_376, 16_386), (16_377, 16_388)):
        assert packet_bytes("é", bytes(payload)) == size


def test_a_refusal_shows_a_limit_only_if_nothing_as_large_was_taken() -> None:
    found = SizeLimit(read_address("mqtt://broker", "fer-stream"))
    found.took(1000)
    assert not found.refused(900)
    assert found.allows("topic", bytes(5000)), "larger ones were taken: it is not the size"
    assert found.refused(3000)
    assert not found.allows("topic", bytes(3000))
    assert found.allows("topic", bytes(2999))
    found.forget_learned()
    assert found.allows("topic", bytes(5000))
