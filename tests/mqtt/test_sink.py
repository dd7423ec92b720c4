"""What a run sends to a real broker: topics, retained values, will, logins, and no secrets."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fer_stream_mqtt.payloads import EVENT_BYTES, event_payload
from fer_stream_mqtt.sink import MqttSink

from fer_stream.errors import SinkError
from fer_stream.events import event
from fer_stream.spec import StageSpec, build
from fer_stream.testing import check_sink, make_face, make_frame, make_result, make_run
from fer_stream.types import Box, StreamInfo
from tests.certificates import make_certificates
from tests.mqtt.broker import PASSWORD, USER, Broker, Subscriber
from tests.mqtt.sinks import opened, seen, told
from tests.programs import environment, wait_until

Listen = Callable[..., Subscriber]
SECRET = PASSWORD.replace("&", "%26")


def test_the_sink_keeps_the_contract(broker: Broker, tmp_path: Path) -> None:
    options = {"spool": str(tmp_path / "s.sqlite"), "homeassistant": "true"}
    check_sink(build(MqttSink, StageSpec("mqtt", broker.address, options)))
    check_sink(build(MqttSink, StageSpec("mqtt", broker.address, options)), ())


def test_each_picture_and_each_session_is_told_of(
    broker: Broker, listen: Listen, tmp_path: Path
) -> None:
    ears = listen(broker)
    options = {"spool": str(tmp_path / "s.sqlite")}
    written = check_sink(build(MqttSink, StageSpec("mqtt", broker.address, options)))
    sent = [event(result, make_run())["frame"] for result in written if result.faces]
    ears.wait_for(lambda: len(ears.on("/event")) == len(sent))
    assert [e.value["frame"] for e in ears.on("/event")] == sent
    assert len(ears.on("/pictures/event")) == 2
    ears.wait_for(lambda: len(ears.on("/episode")) == 4)
    assert [e.value["session"] for e in ears.on("/episode")] == [0, 0, 1, 1]


def test_a_run_says_all_this(broker: Broker, listen: Listen, tmp_path: Path) -> None:
    ears = listen(broker)
    with opened(broker.address, tmp_path / "s.sqlite") as sink:
        sink.status(told("online"))
        for index in range(20):
            sink.write(seen(index, "happy"))
        sink.write(seen(20))
        ears.wait_for(lambda: len(ears.on("/cam/event")) == 20)
        ears.wait_for(lambda: ears.on("/cam/state"))
        newcomer = listen(broker)
        newcomer.wait_for(lambda: len(newcomer.heard) == 5)
        assert all(message.retain for message in newcomer.heard)
        assert {m.topic.removeprefix("fer-stream/hall/") for m in newcomer.heard} == {
            "availability",
            *("cam/status", "cam/state"),
            *("door/status", "door/state"),
        }
    ears.wait_for(lambda: ears.heard[-1].payload == b"offline")

    assert {message.qos for message in ears.heard} == {1}
    assert [m.payload for m in ears.on("hall/availability")] == [b"online", b"offline"]
    events = [message.value for message in ears.on("/event")]
    run = make_run(("cam", "door"), instance="hall")
    assert [e["id"] for e in events] == [event(seen(n), run)["id"] for n in range(20)]
    assert {(e["schema"], e["faces"][0]["emotion"]) for e in events} == {("fer.event/1", "happy")}
    episodes = [message.value for message in ears.on("/episode")]
    assert [(e["state"], e["emotion"]) for e in episodes] == [
        ("started", "happy"),
        ("ended", "happy"),
    ]
    assert episodes[0]["episode"] == episodes[1]["episode"]
    assert episodes[0]["id"] != episodes[1]["id"]
    assert ears.on("/cam/state")[-1].value["faces"] == []
    assert not [m for m in newcomer.heard if m.topic.endswith(("/event", "/episode")) and m.retain]


def test_frames_without_a_face_are_sent_only_if_asked_for(
    broker: Broker, listen: Listen, tmp_path: Path
) -> None:
    ears = listen(broker)
    for every_frame in (False, True):
        with opened(broker.address, tmp_path / "s.sqlite", every_frame=every_frame) as sink:
            sink.write(seen(0))
            sink.write(seen(1, "sad"))
    ears.wait_for(lambda: len(ears.on("/availability")) == 4)
    assert [m.value["frame"] for m in ears.on("/event")] == [1, 0, 1]


def test_pictures_share_a_topic(broker: Broker, listen: Listen, tmp_path: Path) -> None:
    ears = listen(broker)
    with opened(f"{broker.address}/my/faces", tmp_path / "s.sqlite") as sink:
        for name in ("a.png", "b/#.png"):
            sink.write(seen(0, "sad", source=name, stills=True))
    ears.wait_for(lambda: ears.heard and ears.heard[-1].payload == b"offline")
    assert [(m.topic, m.value["source"]) for m in ears.on("/event")] == [
        ("my/faces/hall/pictures/event", "a.png"),
        ("my/faces/hall/pictures/event", "b/#.png"),
    ]
    assert not ears.on("png/state")
    assert not ears.on("pictures/state")


def test_a_run_does_not_say_it_is_online_before_what_a_killed_one_said_is_corrected(
    broker: Broker, listen: Listen, tmp_path: Path
) -> None:
    ears = listen(broker)
    command = (sys.executable, "-m", "tests.mqtt.publisher", broker.address)
    with subprocess.Popen([*command, tmp_path / "s.sqlite", "0", "1", "0"]) as program:
        ears.wait_for(lambda: [m for m in ears.on("/cam/state") if m.value["faces"]])
        program.send_signal(signal.SIGKILL)
    ears.wait_for(lambda: ears.heard[-1].payload == b"offline")
    before = len(ears.heard)
    with opened(broker.address, tmp_path / "s.sqlite"):
        ears.wait_for(lambda: [m for m in ears.heard[before:] if m.payload == b"online"])
    later = [m.payload for m in ears.heard].index(b"online", before)
    said = {m.topic.removeprefix("fer-stream/hall/"): m for m in ears.heard[before:later]}
    for source in ("cam", "door"):
        status = said[f"{source}/status"].value
        assert (status["state"], status["reason"]) == (
            "reconnecting",
            "nothing has been read yet",
        )
        assert said[f"{source}/state"].value["faces"] == []


def test_a_killed_run_is_said_to_be_offline(broker: Broker, listen: Listen, tmp_path: Path) -> None:
    ears = listen(broker, "fer-stream/hall/availability")
    command = (sys.executable, "-m", "tests.mqtt.publisher", broker.address)
    with subprocess.Popen([*command, tmp_path / "s.sqlite", "0", "1", "0"]) as program:
        ears.wait_for(lambda: ears.heard)
        assert ears.heard[0].payload == b"online"
        program.send_signal(signal.SIGKILL)
    ears.wait_for(lambda: len(ears.heard) == 2)
    assert ears.heard[1].payload == b"offline"
    newcomer = listen(broker, "fer-stream/hall/availability")
    newcomer.wait_for(lambda: newcomer.heard)
    assert newcomer.heard[0].payload == b"offline"
    assert newcomer.heard[0].retain


@pytest.mark.parametrize("tls", [False, True])
def test_a_login_works_and_is_written_nowhere(
    make_broker: Callable[..., Broker],
    listen: Listen,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    tls: bool,
) -> None:
    broker = make_broker(users=True, tls=tls)
    broker.start()
    ears = listen(broker)
    url = broker.address.replace("://", f"://{USER}:{SECRET}@")
    options = {"ca": str(broker.ca)} if tls else {}
    with opened(url, tmp_path / "s" / "s.sqlite", homeassistant=True, **options) as sink:
        sink.status(told("online"))
        for index in range(20):
            sink.write(seen(index, "happy"))
        ears.wait_for(lambda: len(ears.on("/event")) == 20)
        files = [path.read_bytes() for path in (tmp_path / "s").iterdir()]
    assert not caplog.records
    written = b"".join([*files, *(m.topic.encode() + m.payload for m in ears.heard)])
    assert b"happy" in written
    for secret in (PASSWORD, SECRET, "s3cret"):
        assert secret.encode() not in written


def problem(url: str, folder: Path, caplog: pytest.LogCaptureFixture, **options: Any) -> str:
    """Return the one line that a run says which cannot reach its broker; its event is kept."""
    with (
        caplog.at_level(logging.WARNING, "fer_stream.mqtt"),
        opened(url, folder / "s.sqlite", **options) as sink,
    ):
        sink.write(seen(0, "happy"))
        wait_until(lambda: len(caplog.records) >= 1)
    said, left = (record.getMessage() for record in caplog.records)
    assert left.startswith("mqtt: 1 message for ")
    assert "\n" not in said
    assert said.endswith("; events are kept, trying again")
    assert "s3cret" not in said + left
    return said


def test_a_wrong_password_is_one_clear_line(
    make_broker: Callable[..., Broker], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broker = make_broker(users=True)
    broker.start()
    url = broker.address.replace("://", f"://{USER}:s3cret-but-wrong@")
    assert "it refuses us: Not authorized" in problem(url, tmp_path, caplog)


def test_no_broker_is_one_clear_line(
    make_broker: Callable[..., Broker], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert "Connection refused" in problem(make_broker().address, tmp_path, caplog)


def test_an_unknown_host_is_one_clear_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = problem(f"mqtt://{'x' * 64}.invalid", tmp_path, caplog)
    assert "no host name" in said


def test_an_untrusted_certificate_is_one_clear_line(
    make_broker: Callable[..., Broker], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broker = make_broker(tls=True)
    broker.start()
    other = tmp_path / "other"
    other.mkdir()
    make_certificates(other)
    said = problem(broker.address, tmp_path, caplog, ca=str(other / "ca.crt"))
    assert "its certificate is not trusted" in said
    assert "?ca=FILE" in said


def test_a_certificate_for_another_name_needs_no_other_ca(
    make_broker: Callable[..., Broker], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broker = make_broker(tls=True)
    broker.start()
    address = broker.address.replace("localhost", "127.0.0.1")
    said = problem(address, tmp_path, caplog, ca=str(broker.ca))
    assert "its certificate is not trusted (IP address mismatch" in said
    assert "?ca=FILE" not in said


def test_tls_to_a_plain_port_is_one_clear_line(
    broker: Broker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = problem(broker.address.replace("mqtt:", "mqtts:"), tmp_path, caplog)
    assert "TLS failed; does this port speak TLS?" in said


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), ("x", "no PEM certificate")])
def test_an_unusable_ca_file_is_refused_when_the_run_starts(
    tmp_path: Path, content: str | None, said: str
) -> None:
    ca = tmp_path / "ca.crt"
    if content is not None:
        ca.write_text(content)
    sink = MqttSink("mqtts://localhost", ca=str(ca), spool=str(tmp_path / "s.sqlite"))
    with pytest.raises(SinkError, match=said):
        sink.open(make_run())


@pytest.mark.usefixtures("impatient")
def test_what_access_rules_refuse_is_kept_and_said(
    make_broker: Callable[..., Broker], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broker = make_broker(rules="topic readwrite fer-stream/+/availability\n")
    broker.start()
    with (
        caplog.at_level(logging.WARNING, "fer_stream.mqtt"),
        opened(broker.address, tmp_path / "s.sqlite") as sink,
    ):
        sink.write(seen(0, "happy"))
        # This mosquitto breaks the connection too, sometimes before its answer is read.
        wait_until(lambda: "it refuses messages on fer-stream/hall/cam/event" in caplog.text)
    assert "/event: Not authorized; events are kept, trying again" in caplog.text
    assert caplog.records[-1].getMessage().startswith("mqtt: 1 message for ")


@pytest.mark.usefixtures("impatient")
def test_where_home_assistants_topics_are_refused_it_is_said_once_and_events_arrive(
    make_broker: Callable[..., Broker],
    listen: Listen,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = make_broker(rules="topic readwrite fer-stream/#\n")
    broker.start()
    ears = listen(broker)
    with (
        caplog.at_level(logging.WARNING, "fer_stream.mqtt"),
        opened(broker.address, tmp_path / "s.sqlite", homeassistant=True) as sink,
    ):
        sink.write(seen(0, "happy"))
        ears.wait_for(lambda: ears.on("/cam/event"))
        wait_until(lambda: "connected" in caplog.records[-1].getMessage())
        sink.write(seen(1, "happy", source="door"))
        ears.wait_for(lambda: ears.on("/door/event"))
    for source in ("cam", "door"):
        topic = f"homeassistant/device/fer-stream_hall_{source}/config"
        assert caplog.text.count(f"it refuses messages on {topic}: Not authorized; they are") == 1
    assert caplog.text.count("connected") == 1
    assert " kept in " not in caplog.text, "nothing is left in the spool"


def test_who_lost_its_place_to_another_run_of_its_name_is_told_how_to_give_each_its_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # Not all brokers say so: mosquitto 2.0.11 just closes the connection.
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        caplog.at_level(logging.WARNING, "fer_stream.mqtt"),
        opened(f"mqtt://127.0.0.1:{server.getsockname()[1]}", tmp_path / "s.sqlite"),
        server.accept()[0] as link,
    ):
        link.recv(1024)
        link.sendall(b"\x20\x03\x00\x00\x00")  # CONNACK: welcome
        link.recv(1024)
        link.sendall(b"\xe0\x01\x8e")  # DISCONNECT: session taken over
        wait_until(lambda: caplog.records)
    said = caplog.records[0].getMessage()
    assert "another client is called fer-stream-hall too" in said
    assert 'instance = "NAME" in a --config file' in said
    assert "\n" not in said


@pytest.mark.usefixtures("impatient")
def test_of_two_problems_that_take_turns_each_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = b"\x20\x03\x00\x86\x00"  # CONNACK: bad user name or password
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        caplog.at_level(logging.WARNING, "fer_stream.mqtt"),
        opened(f"mqtt://127.0.0.1:{server.getsockname()[1]}", tmp_path / "s.sqlite"),
    ):
        for answer in (refusal, b"") * 3:
            link = server.accept()[0]
            link.recv(1024)  # else what is unread breaks the connection before the answer comes
            link.sendall(answer)
            link.close()
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == len(set(said)) == 2, said


def test_a_crowd_fits_into_an_event() -> None:
    info = StreamInfo("cam", 1920, 1080)
    faces = [
        make_face("happy", box=Box(n, 0, 20 + n, 20 + n), track_id=n + 1, confidence=0.123456789)
        for n in range(200)
    ]
    whole = event(make_result(faces, frame=make_frame(info=info)), make_run())
    payload = event_payload(whole)
    assert EVENT_BYTES - 500 < len(payload) <= EVENT_BYTES
    sent = json.loads(payload)
    kept = [face["track_id"] for face in sent["faces"]]
    assert kept == list(range(200, 200 - len(kept), -1)), "the largest faces"
    assert sent["faces_left_out"] == 200 - len(kept)
    assert {**sent, "faces": 0} == {**whole, "faces": 0, "faces_left_out": 200 - len(kept)}


def test_an_event_that_fits_is_whole() -> None:
    faces = [make_face("happy", box=Box(n, 0, 2, 2), track_id=n + 1) for n in range(20)]
    whole = event(make_result(faces), make_run())
    assert json.loads(event_payload(whole)) == whole


def test_a_file_name_that_is_no_unicode_is_sent(
    broker: Broker, listen: Listen, tmp_path: Path
) -> None:
    ears = listen(broker)
    with opened(broker.address, tmp_path / "s.sqlite", homeassistant=True) as sink:
        sink.write(seen(0, "happy", source=os.fsdecode(b"caf\xe9.mp4")))
    ears.wait_for(lambda: ears.heard and ears.heard[-1].payload == b"offline")
    assert ears.on("/event")[0].value["source"].startswith("caf")


def test_a_run_sends_what_the_engine_gives_and_shows_no_password(
    make_broker: Callable[..., Broker], listen: Listen, tmp_path: Path
) -> None:
    broker = make_broker(users=True)
    broker.start()
    ears = listen(broker)
    url = broker.address.replace("://", f"://{USER}:{SECRET}@")
    folder = tmp_path / "run"
    folder.mkdir()
    command = (sys.executable, "-m", "fer_stream", "run", "--source", "demo?seconds=1")
    done = subprocess.run(
        [*command, "--sink", url, "--sink", "jsonl:out.jsonl"],
        cwd=folder,
        env=environment(XDG_STATE_HOME=str(folder)),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    ears.wait_for(lambda: ears.heard and ears.heard[-1].payload == b"offline")
    lines = (folder / "out.jsonl").read_text().splitlines()
    assert [m.value["id"] for m in ears.on("/event")] == [json.loads(x)["id"] for x in lines]
    assert len(lines) > 10
    assert [m.value["state"] for m in ears.on("/demo/status")][-2:] == ["online", "ended"]
    written = [done.stdout.encode(), done.stderr.encode(), *(m.payload for m in ears.heard)]
    written += [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert list(folder.rglob("mqtt-*.sqlite"))
    assert b"s3cret" not in b"".join(written)
