"""What Home Assistant is told so that a source shows up there as a device (MQTT discovery)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fer_stream.types import UNCERTAIN
from fer_stream_mqtt import __version__
from fer_stream_mqtt.board import HEARTBEAT_S
from fer_stream_mqtt.topics import Topics, device_id

BIRTH_TOPIC = "homeassistant/status"
"""Home Assistant says `online` here when it has started."""

_FIRST = "value_json.faces[0]"
_EMOTION = (
    "{{ None if not value_json.faces else "
    f"'{UNCERTAIN}' if {_FIRST}.uncertain else {_FIRST}.emotion }}}}"
)
_SCORE = f"{{{{ ({_FIRST}.score * 100) | round(0) if value_json.faces else None }}}}"
_ONLINE = "{{ 'online' if value_json.state == 'online' else 'offline' }}"


def discovery(topics: Topics, labels: Sequence[str], source: str) -> tuple[str, bytes]:
    """Return topic and payload that announce a source as a device; to be retained."""
    device = device_id(topics.instance, source)
    ours = {"topic": topics.availability}
    seen = {"topic": topics.status(source), "value_template": _ONLINE}
    # Three heartbeats missed: whatever is shown is no longer so.
    shared = {"platform": "sensor", "expire_after": int(3 * HEARTBEAT_S)}
    payload: dict[str, Any] = {
        "device": {
            "identifiers": [device],
            "name": f"{topics.instance} {source}",
            "manufacturer": "fer-stream",
            "model": "Facial emotions",
        },
        "origin": {"name": "fer-stream-mqtt", "sw_version": __version__},
        "availability": [ours, seen],
        "availability_mode": "all",
        "state_topic": topics.state(source),
        "qos": 1,
        "components": {
            "emotion": {
                **shared,
                "unique_id": f"{device}_emotion",
                "name": "Emotion",
                "icon": "mdi:emoticon-outline",
                "device_class": "enum",
                "options": [*labels, UNCERTAIN],
                "value_template": _EMOTION,
            },
            "score": {
                **shared,
                "unique_id": f"{device}_score",
                "name": "Score",
                "icon": "mdi:percent",
                "unit_of_measurement": "%",
                "state_class": "measurement",
                "value_template": _SCORE,
            },
            "faces": {
                **shared,
                "unique_id": f"{device}_faces",
                "name": "Faces",
                "icon": "mdi:account-multiple",
                "state_class": "measurement",
                "value_template": "{{ value_json.faces | count }}",
            },
            "source": {
                "platform": "binary_sensor",
                "unique_id": f"{device}_source",
                "name": "Source",
                "device_class": "connectivity",
                "entity_category": "diagnostic",
                "availability": [ours],
                "state_topic": topics.status(source),
                "payload_on": "online",
                "payload_off": "offline",
                "value_template": _ONLINE,
            },
        },
    }
    return f"homeassistant/device/{device}/config", json.dumps(payload).encode()
