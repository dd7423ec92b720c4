"""Source `network`: an RTSP or HTTP stream."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import av

from fer_stream.errors import ConfigError, IncompleteError, SourceError
from fer_stream.media import ffmpeg_reason, open_input
from fer_stream.reader import VideoReader
from fer_stream.sources import VIDEO_ENDINGS
from fer_stream.stages import Source
from fer_stream.types import Frame, StreamInfo
from fer_stream.urls import without_login, without_password

_LISTENS = ("udp", "tcp", "srt")  # also without a host
_SEGMENT_S = 20.0  # an HLS stream comes in pieces of several seconds


class NetworkSource(Source):
    """Reads an RTSP, RTMP or HTTP stream: `rtsp://camera/1`.

    RTSP goes over TCP. Options (TOML only: a URL's query belongs to the server): `open_timeout`
    and `read_timeout` in seconds, and `live`. Unless said, everything is live but what HTTP serves
    with a known length: that is read whole like a file. One that is named like a video file must
    be there when the run starts.
    """

    name = "network"
    schemes = ("rtsp", "rtsps", "rtmp", "http", "https", "udp", "tcp", "srt")

    def __init__(
        self,
        target: str = "",
        *,
        open_timeout: float = 5.0,
        read_timeout: float = 3.0,
        live: bool | None = None,
    ) -> None:
        scheme, _, place = target.partition("://")
        if not place or (place[0] == "/" and scheme.lower() not in _LISTENS):
            shown = without_login(target)
            raise ConfigError(f"network needs a URL such as rtsp://camera/1, got '{shown}'")
        for key, value in (("open_timeout", open_timeout), ("read_timeout", read_timeout)):
            if value <= 0:
                raise ConfigError(f"network: {key} must be above 0 s, got {value}")
        self._url = target
        self.source_id = without_password(target)
        path = target.partition("?")[0].lower()
        self._is_http = path.startswith("http")
        self._is_live = live
        self.live = not (self._is_http and path.endswith(VIDEO_ENDINGS)) if live is None else live
        self.frame_timeout_s = max(read_timeout, _SEGMENT_S if path.endswith(".m3u8") else 0.0)
        self._timeout = (open_timeout, self.frame_timeout_s)
        # FFmpeg opens, then looks into the stream; then comes the first frame. A name server that
        # does not answer is beyond its time-outs.
        self.open_timeout_s = 2 * open_timeout + self.frame_timeout_s + 2.0

    def open(self) -> StreamInfo:
        """Connect and wait for the first picture."""
        options = {"rtsp_transport": "tcp"} if self._url.lower().startswith("rtsp") else {}
        start = time.monotonic()
        try:
            container = open_input(self._url, options=options, timeout=self._timeout)
        except (av.FFmpegError, OSError) as error:
            reason = without_password(ffmpeg_reason(error).replace(self._url, self.source_id))
            if error.errno == errno.EIO:  # what FFmpeg makes of a name that nobody knows, too
                reason = _name_problem(self._url) or reason
            if (waited_s := time.monotonic() - start) >= self._timeout[0]:
                reason = f"no answer within {waited_s:.0f} s"  # FFmpeg has other names for it
            raise SourceError(f"cannot open {self.source_id}: {reason}") from None
        recorded = self._is_http and bool(container.duration)
        live = not recorded if self._is_live is None else self._is_live
        self._reader = VideoReader(container, self.source_id, live=live)
        self._info = self._reader.info()
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Yield pictures as they come; a live stream that ends, or half a recording, was lost."""
        try:
            yield from self._reader.frames(self._info)
        except IncompleteError as error:  # a second connection may give the whole of it
            raise SourceError(str(error)) from None

    def close(self) -> None:
        """Disconnect."""
        self._reader.close()


def _name_problem(url: str) -> str:
    """Return why a URL's host has no address, if it has none."""
    try:
        socket.getaddrinfo(urlsplit(url).hostname, None)
    except socket.gaierror as error:
        return error.strerror or "no such host"
    except ValueError:
        pass
    return ""
