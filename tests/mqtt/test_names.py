"""Addresses and topics: passwords stay hidden, names stay apart."""

from __future__ import annotations

import re

import pytest
from fer_stream_mqtt.address import read_address
from fer_stream_mqtt.sink import MqttSink
from fer_stream_mqtt.topics import Topics, device_id, file_part, plain_id, topic_level

from fer_stream.errors import ConfigError
from fer_stream.plugins import installed


def test_an_address_has_all_its_parts() -> None:
    found = read_address(
        "mqtts://cam%40hall:p%2Fa%3Ass@broker.local:1884/home/faces/", "fer-stream"
    )
    assert (found.host, found.port, found.tls) == ("broker.local", 1884, True)
    assert (found.user, found.password) == ("cam@hall", "p/a:ss")
    assert found.prefix == "home/faces"


def test_an_address_has_the_usual_ports_and_our_prefix() -> None:
    plain, secure = (read_address(f"{s}://[::1]", "fer-stream") for s in ("mqtt", "mqtts"))
    assert (plain.host, plain.port, plain.prefix) == ("::1", 1883, "fer-stream")
    assert (plain.user, plain.password) == (None, None)
    assert secure.port == 8883
    assert str(secure) == "[::1]:8883"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "broker.local",
        "http://u:secret@host",
        "mqtt://",
        "mqtt://u:secret@host:port",
        "mqtt:/u:secret@host",
        "u:secret@host",
        "mqtt://u:secret@host#x",
        "mqtt://u:se/secret@host",
        "mqtt://u:12/secret@host",
        "mqtt://u:secret@host/a+b",
        "mqtt://u:secret@host/$SYS",
    ],
)
def test_a_wrong_address_is_one_line_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        MqttSink(url)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "mqtt" in str(caught.value)


def test_a_password_shows_nowhere_in_what_holds_it() -> None:
    address = read_address("mqtt://u:secret@host", "fer-stream")
    assert address.password == "secret"
    assert "secret" not in f"{address} {address!r}"


@pytest.mark.parametrize(
    ("options", "said"),
    [({"ca": "ca.crt"}, "mqtts://"), ({"spool_mb": 0.5}, "spool_mb must be at least 1")],
)
def test_a_wrong_option_is_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        MqttSink("mqtt://host", **options)  # type: ignore[arg-type]


def test_both_schemes_name_the_sink() -> None:
    for scheme in ("mqtt", "mqtts"):
        assert installed().by_scheme("sink", scheme) == "mqtt"


@pytest.mark.parametrize("name", ["hall", "cam-1", "Küche", "talk.mp4", "0"])
def test_a_plain_name_is_its_own_level(name: str) -> None:
    assert topic_level(name) == name


ODD = [
    *("", "a/b", "a+b", "a#b", "a b", "a\0b", "a\nb", "$a", "/a", "a/", "a-b/", "/", "//", "😀"),
    *("rtsp://user:***@cam/1", "rtsp://user:***@cam/2", "x" * 60, "x" * 60 + "y", "caf\udce9"),
]


def test_any_name_makes_one_safe_level_of_its_own() -> None:
    for make in (topic_level, plain_id):
        levels = [make(name) for name in [*ODD, "a-b", "a", "x" * 48]]
        assert len(set(levels)) == len(levels)
        for level in levels:
            assert level
            assert not set(level) & set("+#/\0\n $")
            assert len(level.encode()) < 100
        assert levels == [make(name) for name in [*ODD, "a-b", "a", "x" * 48]]


def test_any_name_makes_one_part_of_a_file_that_every_locale_can_write() -> None:
    parts = [file_part(name) for name in [*ODD, "Küche", "K-che", "hall", "x" * 48]]
    assert len(set(parts)) == len(parts)
    assert all(re.fullmatch(r"[a-zA-Z0-9_.-]+", part) for part in parts)
    assert file_part("broker.local-1883") == topic_level("broker.local-1883")


def test_an_id_is_plain_ascii() -> None:
    assert plain_id("hall_1-a") == "hall_1-a"
    assert plain_id("Küche.1").isascii()


def test_no_two_sources_of_any_instances_are_one_device() -> None:
    names = [*ODD, "hall", "hall_1", "hall-1", "1_door", "door", "1", "_", "a_b", "a", "b", "b_c"]
    ids = [device_id(instance, source) for instance in names for source in names]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("source", ["door", "front_door", "rtsp://camera/1"])
def test_a_device_keeps_the_id_that_its_history_hangs_on(source: str) -> None:
    assert device_id("fer-stream", source) == plain_id(f"fer-stream_fer-stream_{source}")
    assert device_id("hall 1", source) == plain_id(f"fer-stream_hall 1_{source}")


def test_topics_are_these() -> None:
    topics = Topics("fer-stream", "hall")
    assert topics.availability == "fer-stream/hall/availability"
    assert topics.event("cam") == "fer-stream/hall/cam/event"
    assert topics.episode("cam") == "fer-stream/hall/cam/episode"
    assert topics.state("cam") == "fer-stream/hall/cam/state"
    assert topics.status("cam") == "fer-stream/hall/cam/status"
    assert Topics("a/b", "x/+").status("#").count("/") == 4
