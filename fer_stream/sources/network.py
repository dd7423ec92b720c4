"""Source `network`: an RTSP or HTTP stream."""

from __future__ import annotations

import errno
import re
import socket
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import av
from av.container import InputContainer

from fer_stream.errors import ConfigError, IncompleteError, SourceError
from fer_stream.media import ffmpeg_reason, open_input
from fer_stream.reader import VideoReader
from fer_stream.sources import VIDEO_ENDINGS
from fer_stream.stages import Source
from fer_stream.types import Frame, StreamInfo
from fer_stream.urls import without_login, without_password

if TYPE_CHECKING:
    from fer_stream.sources.trust import Trust

_TLS_PORTS = {"https": 443, "rtsps": 322, "rtmps": 443}
_LISTENS = ("udp", "tcp", "srt")  # also without a host
_IN_PIECES = ("hls", "dash", "concat")  # FFmpeg's names for lists of what is to be fetched
_DAY_S = 86_400  # a camera that is silent for longer has been lost; sockets wait for no 300 years
_SEGMENT_S = 20.0  # an HLS stream comes in pieces of several seconds


class NetworkSource(Source):
    """Reads an RTSP, RTMP or HTTP stream: `rtsp://camera/1`.

    RTSP goes over TCP. Options (TOML only: a URL's query belongs to the server): `open_timeout`
    and `read_timeout` in seconds, `live`, and, with TLS, `ca`. Unless said, everything is live but
    what HTTP serves with a known length: that is read whole like a file. One that is named like a
    video file must be there when the run starts.
    Cameras mostly sign their own certificates, so none is checked. With `ca`, a PEM file, a server
    must have one for its name that is signed by one of the file's, or is one of them.
    """

    name = "network"
    schemes = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "udp", "tcp", "srt")
    frame_timeout_option = "read_timeout"

    def __init__(
        self,
        target: str = "",
        *,
        open_timeout: float = 5.0,
        read_timeout: float = 3.0,
        live: bool | None = None,
        ca: str = "",
    ) -> None:
        scheme, _, place = target.partition("://")
        scheme = scheme.lower()  # FFmpeg knows no other
        if not place or (place[0] == "/" and scheme not in _LISTENS):
            shown = without_login(target)
            raise ConfigError(f"network needs a URL such as rtsp://camera/1, got '{shown}'")
        if (port := _port(place)) and not (port.isdecimal() and int(port) <= 65535):
            raise ConfigError(
                f"network: the port in '{without_login(target)}' must be a number up to 65535; "
                "write a '/' in a password as %2F"
            )
        for key, value in (("open_timeout", open_timeout), ("read_timeout", read_timeout)):
            if not 0 < value <= _DAY_S:
                raise ConfigError(
                    f"network: {key} is in seconds, above 0, at most {_DAY_S} (a day), got {value}"
                )
        if ca and scheme not in _TLS_PORTS:
            expected = ", ".join(f"{one}://" for one in _TLS_PORTS)
            raise ConfigError(f"network: 'ca' is for TLS ({expected}), got {scheme}://")
        self._trust = _trust(ca) if ca else None
        self._scheme, self._url = scheme, f"{scheme}://{place}"
        self.source_id = without_password(self._url)
        path = self._url.partition("?")[0].lower()
        self._is_http = scheme.startswith("http")
        self._is_live = live
        self.live = not (self._is_http and path.endswith(VIDEO_ENDINGS)) if live is None else live
        self.frame_timeout_s = max(read_timeout, _SEGMENT_S if path.endswith(".m3u8") else 0.0)
        self._stopped = threading.Event()
        self._timeout = (open_timeout, self.frame_timeout_s)
        # FFmpeg opens, then looks into the stream; then comes the first frame. A name server that
        # does not answer is beyond its time-outs.
        self.open_timeout_s = 2 * open_timeout + self.frame_timeout_s + 2.0

    def open(self) -> StreamInfo:
        """Connect and wait for the first picture."""
        container = self._connect()
        recorded = self._is_http and bool(container.duration)
        live = not recorded if self._is_live is None else self._is_live
        self._reader = VideoReader(container, self.source_id, self._stopped, live=live)
        self._info = self._reader.info()
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Yield pictures as they come; a live stream that ends, or half a recording, was lost."""
        try:
            yield from self._reader.frames(self._info)
        except IncompleteError as error:  # a second connection may give the whole of it
            raise SourceError(str(error)) from None

    def stop(self) -> None:
        """Read no more packets."""
        self._stopped.set()

    def close(self) -> None:
        """Disconnect."""
        self._reader.close()

    def _connect(self) -> InputContainer:
        options = {"rtsp_transport": "tcp"} if self._scheme.startswith("rtsp") else {}
        if self._trust:
            options |= self._trust.options
        elif self._scheme in _TLS_PORTS:
            options["tls_verify"] = "0"  # newer FFmpegs would check, by a list of their own
        start = time.monotonic()
        try:
            container = open_input(self._url, options=options, timeout=self._timeout)
        except av.ProtocolNotFoundError:
            raise ConfigError(
                f"cannot open {self.source_id}: the FFmpeg in this PyAV lacks {self._scheme}; use "
                "another protocol, or a PyAV built with an FFmpeg that has it"
            ) from None
        except (av.FFmpegError, OSError) as error:
            reason = self._reason(error, time.monotonic() - start)
            raise SourceError(f"cannot open {self.source_id}: {reason}") from None
        if self._trust and container.format.name in _IN_PIECES:
            container.close()
            raise ConfigError(
                f"cannot read {self.source_id} with 'ca': FFmpeg checks whose its list is, but not "
                "whose the pieces are; use another protocol, or leave 'ca' away"
            )
        return container

    def _reason(self, error: av.FFmpegError | OSError, waited_s: float) -> str:
        if waited_s >= self._timeout[0]:
            return f"no answer within {waited_s:.0f} s"  # FFmpeg has other names for it
        found = ""
        if error.errno == errno.EIO:  # what FFmpeg makes of much that others can tell
            found = _name_problem(self._url) or self._trust_problem()
        return found or without_password(ffmpeg_reason(error).replace(self._url, self.source_id))

    def _trust_problem(self) -> str:
        if self._trust is None:
            return ""
        return self._trust.problem(self._url, _TLS_PORTS[self._scheme], self._timeout[0])


def _port(place: str) -> str:
    """Return what FFmpeg reads as the port in what follows a URL's `://`; "" for none."""
    host = re.split(r"[/?#]", place, maxsplit=1)[0].rpartition("@")[2]
    return re.sub(r"^\[[^\]]*\]?", "", host).partition(":")[2]


def _trust(ca: str) -> Trust:
    from fer_stream.sources.trust import Trust  # it loads OpenSSL, which few need

    return Trust(ca)


def _name_problem(url: str) -> str:
    """Return why a URL's host has no address, if it has none."""
    try:
        socket.getaddrinfo(urlsplit(url).hostname, None)
    except socket.gaierror as error:
        return error.strerror or "no such host"
    except ValueError:
        pass
    return ""
