"""The guide names what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

from fer_stream_mqtt.board import Board
from fer_stream_mqtt.sink import MqttSink
from fer_stream_mqtt.topics import Topics

from fer_stream.spec import options_of
from tests.mqtt.sinks import seen

GUIDE = (Path(__file__).parents[2] / "docs" / "mqtt.md").read_text()


def test_the_guide_lists_the_options_with_their_defaults() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\|(.*)\|$", GUIDE, re.MULTILINE)
    listed = {name: default.strip(" `") for name, default in rows}
    known = options_of(MqttSink)
    assert set(listed) == set(known)
    for name in ("every_frame", "homeassistant"):
        assert listed[name] == str(known[name].default).lower()
    assert float(listed["spool_mb"]) == known["spool_mb"].default


def test_the_guide_lists_the_topics() -> None:
    topics = Topics("fer-stream", "INSTANCE")
    of_source = (topics.status, topics.state, topics.event, topics.episode)
    for topic in (topics.availability, *(make("SOURCE") for make in of_source)):
        assert f"| `{topic}` |" in GUIDE


def test_the_guide_names_every_field_of_a_status_and_a_state() -> None:
    board = Board(Topics("fer-stream", "hall"), lambda: None)
    board.see(seen(0, "happy"))
    status, state = (json.loads(payload) for _, payload in board.due(0.0))
    for field in (*status, *state, *state["faces"][0], status["schema"], state["schema"]):
        assert f"`{field}`" in GUIDE
