"""What Home Assistant is told keeps to its schema, and its templates fit our states."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest
from fer_stream_mqtt.board import HEARTBEAT_S, Board
from fer_stream_mqtt.homeassistant import discovery
from fer_stream_mqtt.topics import Topics

from fer_stream.testing import EMOTIONS
from tests.mqtt.broker import Broker, Subscriber
from tests.mqtt.sinks import opened, seen, told

TOPICS = Topics("fer-stream", "hall")
# homeassistant/components/mqtt/schemas.py, DEVICE_DISCOVERY_SCHEMA: no other key is allowed.
ROOT = {"device", "origin", "components", "availability", "availability_mode", "state_topic", "qos"}
DEVICE = {"identifiers", "name", "manufacturer", "model", "sw_version"}


def announced(source: str = "cam") -> dict[str, Any]:
    value: dict[str, Any] = json.loads(discovery(TOPICS, EMOTIONS, source)[1])
    return value


def entities(source: str = "cam") -> dict[str, dict[str, Any]]:
    """Return each component with what it takes over from the device."""
    whole = announced(source)
    shared = {k: v for k, v in whole.items() if k not in ("device", "origin", "components")}
    return {name: {**shared, **own} for name, own in whole["components"].items()}


def test_the_topic_has_home_assistants_form() -> None:
    for source in ("cam", "rtsp://user:***@cam/1", "Küche"):
        topic, _ = discovery(TOPICS, EMOTIONS, source)
        assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", topic)


def test_the_device_has_what_is_required_and_nothing_unknown() -> None:
    whole = announced()
    assert set(whole) <= ROOT
    assert {"device", "origin", "components"} <= set(whole)
    assert set(whole["device"]) <= DEVICE
    assert whole["device"]["identifiers"]
    assert whole["origin"]["name"]
    assert whole["availability_mode"] == "all"


def test_each_entity_has_what_its_platform_requires() -> None:
    found = entities()
    assert set(found) == {"emotion", "score", "faces", "source"}
    for entity in found.values():
        assert entity["platform"] in ("sensor", "binary_sensor")
        assert entity["state_topic"]
        assert entity["value_template"]
        assert entity["name"]
        assert entity["availability"][0] == {"topic": "fer-stream/hall/availability"}
    ids = [
        entity["unique_id"] for source in ("cam", "door") for entity in entities(source).values()
    ]
    assert len(set(ids)) == len(ids) == 8
    assert found["source"]["device_class"] == "connectivity"
    for name in ("emotion", "score", "faces"):
        assert found[name]["expire_after"] > 2 * HEARTBEAT_S
        assert found[name]["state_topic"] == TOPICS.state("cam")


def render(template: str, value: Any) -> str:
    return jinja2.Environment().from_string(template).render(value_json=value)


@pytest.mark.parametrize(
    ("emotions", "emotion", "score", "faces"),
    [(("happy", "sad"), "happy", "70.0", "2"), ((), "None", "None", "0")],
)
def test_the_templates_read_our_states(
    emotions: tuple[str, ...], emotion: str, score: str, faces: str
) -> None:
    board = Board(TOPICS, lambda: None)
    board.see(seen(0, *emotions))
    found = entities()
    values = {topic: json.loads(payload) for topic, payload in board.due(0.0)}
    read = {
        name: render(entity["value_template"], values[entity["state_topic"]])
        for name, entity in found.items()
    }
    # To Home Assistant "None" is: unknown.
    assert read == {"emotion": emotion, "score": score, "faces": faces, "source": "online"}
    assert emotion in ("None", *found["emotion"]["options"])


def test_an_uncertain_emotion_is_an_option_of_its_own() -> None:
    found = entities()["emotion"]
    state = {"faces": [{"emotion": "sad", "score": 0.3, "uncertain": True}]}
    assert render(found["value_template"], state) == "uncertain"
    assert found["options"] == [*EMOTIONS, "uncertain"]


@pytest.mark.parametrize(("state", "online"), [("online", "online"), ("stalled", "offline")])
def test_entities_are_unavailable_while_their_source_is_not_online(state: str, online: str) -> None:
    found = entities()
    ours, source = found["emotion"]["availability"]
    assert source["topic"] == TOPICS.status("cam")
    assert render(source["value_template"], {"state": state}) == online
    assert found["source"]["availability"] == [ours], "it must show that its source is not online"


def test_devices_are_announced_and_again_when_home_assistant_starts(
    broker: Broker, listen: Callable[..., Subscriber], tmp_path: Path
) -> None:
    topics = [discovery(TOPICS, EMOTIONS, source)[0] for source in ("cam", "door")]
    with opened(broker.address, tmp_path / "s.sqlite", homeassistant=True) as sink:
        sink.status(told("online"))
        sink.write(seen(0, "happy", source="door"))
        ears = listen(broker)
        ears.wait_for(lambda: len(ears.on("/config")) == 2)
        newcomer = listen(broker, "homeassistant/#")
        newcomer.wait_for(lambda: len(newcomer.heard) == 2)
        kept = newcomer.heard
        assert [m.topic for m in kept] == topics
        assert all(m.retain for m in kept)
        assert kept[0].payload == discovery(TOPICS, EMOTIONS, "cam")[1]
        before = len(ears.heard)
        ears.publish("homeassistant/status", "online")
        ears.wait_for(lambda: len(ears.on("/config")) == 4)
        ears.wait_for(lambda: [m for m in ears.heard[before:] if m.topic.endswith("door/state")])


def test_without_the_option_home_assistant_hears_nothing(
    broker: Broker, listen: Callable[..., Subscriber], tmp_path: Path
) -> None:
    ears = listen(broker)
    with opened(broker.address, tmp_path / "s.sqlite") as sink:
        sink.write(seen(0, "happy"))
        ears.wait_for(lambda: ears.on("/event"))
    ears.wait_for(lambda: ears.on("/availability")[-1].payload == b"offline")
    assert not [m for m in ears.heard if m.topic.startswith("homeassistant")]
