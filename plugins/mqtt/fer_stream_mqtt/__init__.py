"""The sink `mqtt` for fer-stream: events to an MQTT broker, each at least once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer_stream import hookimpl

if TYPE_CHECKING:
    from fer_stream import Sink

__version__ = "0.1.0"


@hookimpl
def fer_register_sinks() -> list[type[Sink]]:
    """Register the sink."""
    from fer_stream_mqtt.sink import MqttSink

    return [MqttSink]
