"""Sink `mqtt`: events, episodes and states to an MQTT broker."""

from __future__ import annotations

import logging
import ssl
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fer_stream import ConfigError, FrameResult, RunInfo, Sink, SinkError
from fer_stream.episodes import Episode, EpisodeTracker
from fer_stream.events import episode_event, event
from fer_stream.types import SourceStatus
from fer_stream.words import counted
from fer_stream_mqtt.address import read_address
from fer_stream_mqtt.payloads import as_json, event_payload
from fer_stream_mqtt.topics import Topics

if TYPE_CHECKING:
    from fer_stream_mqtt.sender import Sender
    from fer_stream_mqtt.spool import Spool

logger = logging.getLogger("fer_stream.mqtt")

_STILLS = "pictures"  # each is a source of its own; they share topics
_COMPLAIN_S = 60.0


class MqttSink(Sink):
    """Sends events to a broker, each at least once: `mqtt://user:password@host:1883/prefix`.

    With TLS: `mqtts://host:8883`. Options: `ca`, file of the CA that signed the broker's
    certificate, if the system does not know it; `every_frame`, send events of frames without a face
    too; `homeassistant`, announce each source there as a device; `spool`, the file that keeps what
    is not sent yet; `spool_mb`, its bound: beyond it the oldest are dropped, and counted.
    """

    name = "mqtt"
    schemes = ("mqtt", "mqtts")

    def __init__(
        self,
        target: str = "",
        *,
        ca: str = "",
        every_frame: bool = False,
        homeassistant: bool = False,
        spool: str = "",
        spool_mb: float = 256.0,
    ) -> None:
        self._address = read_address(target, default_prefix="fer-stream")
        if ca and not self._address.tls:
            raise ConfigError("mqtt: 'ca' is for TLS; write mqtts:// instead of mqtt://")
        if spool_mb < 1:
            raise ConfigError(f"mqtt: spool_mb must be at least 1, got {spool_mb:g}")
        self._ca = ca
        self._every_frame = every_frame
        self._homeassistant = homeassistant
        self._spool_path = spool
        self._spool_bytes = int(spool_mb * 1e6)
        self._spool: Spool | None = None
        self._sender: Sender
        self._complained_s = float("-inf")
        self._lost_before = 0
        """How many messages were lost before it was opened last."""
        self._left = 0
        """How many messages it left unsent when it was last closed."""

    @property
    def dropped(self) -> int:
        """How many messages were dropped so far because the spool was full."""
        return self._spool.dropped if self._spool else 0

    @property
    def lost(self) -> int:
        """How many events and episodes were dropped so far: for a full spool, or as too large."""
        now = self._spool.dropped + self._sender.lost if self._spool else 0
        return self._lost_before + now

    def open(self, run: RunInfo) -> None:
        """Open the spool and begin to look for the broker, which need not be there."""
        from fer_stream_mqtt.connection import tls_context
        from fer_stream_mqtt.homeassistant import discovery
        from fer_stream_mqtt.place import default_path
        from fer_stream_mqtt.sender import Sender
        from fer_stream_mqtt.spool import Spool

        self._run = run
        self._topics = Topics(self._address.prefix, run.instance)
        self._episodes = EpisodeTracker()
        self._complained_of = 0
        broker = f"{self._address.host}-{self._address.port}"
        path = Path(self._spool_path or default_path(run.instance, broker))
        try:
            tls = tls_context(self._ca) if self._address.tls else None
        except OSError as error:
            reason = "is no PEM certificate" if isinstance(error, ssl.SSLError) else error.strerror
            raise SinkError(f"mqtt cannot use the CA file {self._ca}: {reason}") from None
        spool = Spool(path, self._spool_bytes)
        announce = partial(discovery, self._topics, run.labels) if self._homeassistant else None
        sender = Sender(self._address, self._topics, spool, tls, announce)
        self._lost_before = self.lost
        self._spool, self._sender = spool, sender
        self._sender.board.begin(run)
        self._sender.start()

    def write(self, result: FrameResult) -> None:
        """Keep a frame's event, and what starts and ends with it; raises `SinkError`."""
        messages = []
        info = result.frame.info
        if result.faces or self._every_frame:
            topic = self._topics.event(_STILLS if info.stills else info.source_id)
            messages.append((topic, event_payload(event(result, self._run))))
        messages += self._episode_messages(self._episodes.update(result))
        self._keep(messages)
        self._sender.board.see(result)

    def status(self, status: SourceStatus) -> None:
        """Say how a source is, and keep what ends with it."""
        self._keep(self._episode_messages(self._episodes.status(status)))
        self._sender.board.tell(status)

    def close(self) -> None:
        """Keep what ends with the run, send what can be sent in about 2 s, and say `offline`."""
        assert self._spool is not None
        try:
            if self._sender.error is None:
                self._keep(self._episode_messages(self._episodes.close()))
        finally:
            self._complain_of_drops()
            self._spool.close_writer()
            self._sender.board.clear()
            self._say_what_is_left(self._sender.close(), self._spool.path)

    def _episode_messages(self, episodes: list[Episode]) -> list[tuple[str, bytes]]:
        return [
            (self._topics.episode(episode.source_id), as_json(episode_event(episode, self._run)))
            for episode in episodes
        ]

    def _keep(self, messages: list[tuple[str, bytes]]) -> None:
        assert self._spool is not None
        if self._sender.error is not None:
            raise self._sender.error
        if not messages:
            return
        try:
            self._spool.add(messages)
        except SinkError:
            self._episodes = EpisodeTracker()  # close must not fail once more
            raise
        self._sender.wake()
        if time.monotonic() - self._complained_s >= _COMPLAIN_S:
            self._complain_of_drops()

    def _say_what_is_left(self, left: int, path: Path) -> None:
        # A run closes and opens its sink again and again while that fails, as with a full disk.
        if left and left != self._left:
            logger.warning(
                "mqtt: %s for %s kept in %s; sent when a run opens it again",
                *(counted(left, "message"), self._address, path),
            )
        self._left = left

    def _complain_of_drops(self) -> None:
        if self.dropped > self._complained_of:
            self._complained_s, self._complained_of = time.monotonic(), self.dropped
            logger.warning(
                "mqtt: the spool is full (%g MB): its oldest messages are dropped, %d so far",
                *(self._spool_bytes / 1e6, self.dropped),
            )
