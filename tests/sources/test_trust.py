"""A network source with `ca` takes only servers that its file vouches for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import av
import pytest

from fer_stream.errors import ConfigError, SourceError
from fer_stream.sources.network import NetworkSource
from tests.certificates import make_certificates
from tests.clips import Image, write_clip
from tests.webserver import serving

pytestmark = pytest.mark.timeout(180)
FFMPEG = int(av.ffmpeg_version_info.lstrip("n").partition(".")[0])


class Served(NamedTuple):
    """A server with a certificate for localhost."""

    port: str
    ca: Path
    """Who signed it."""
    other_ca: Path
    """Who did not."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, moving_face: list[Image]) -> Iterator[Served]:
    """Serve clip.mp4, and as HLS live.m3u8, with TLS."""
    folder = tmp_path_factory.mktemp("web")
    write_clip(folder / "clip.mp4", moving_face)
    write_clip(folder / "live.m3u8", moving_face, options={"hls_time": "1"})
    good, other = (tmp_path_factory.mktemp(name) for name in ("good", "other"))
    for certificates in (good, other):
        make_certificates(certificates)
    with serving(folder, good) as address:
        port = address.partition(":")[2]
        yield Served(port, good / "ca.crt", other / "ca.crt")


def frames(url: str, ca: Path | None = None) -> int:
    source = NetworkSource(url, ca=str(ca or ""))
    source.open()
    count = sum(1 for _ in source.frames())
    source.close()
    return count


def test_a_server_whose_ca_is_given_is_read(served: Served, moving_face: list[Image]) -> None:
    assert frames(f"https://localhost:{served.port}/clip.mp4", served.ca) == len(moving_face)


def test_without_a_ca_no_certificate_is_checked(served: Served, moving_face: list[Image]) -> None:
    assert frames(f"https://127.0.0.1:{served.port}/clip.mp4") == len(moving_face)


@pytest.mark.parametrize("scheme", ["https", "rtsps", "rtmps"])
def test_a_server_whose_ca_is_another_is_refused(scheme: str, served: Served) -> None:
    url = f"{scheme}://user:secret@localhost:{served.port}/a/clip.mp4"
    with pytest.raises(SourceError) as caught:
        NetworkSource(url, ca=str(served.other_ca)).open()
    said = f"cannot open {url.replace('secret', '***')}: its certificate is not trusted ("
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("scheme", ["https", "rtsps", "rtmps"])
def test_a_certificate_for_another_host_is_refused(scheme: str, served: Served) -> None:
    with pytest.raises(SourceError, match=r"not trusted \(IP address mismatch"):
        NetworkSource(f"{scheme}://127.0.0.1:{served.port}/a", ca=str(served.ca)).open()


def test_a_trusted_server_is_talked_to_over_rtsps_too(served: Served) -> None:
    with pytest.raises(SourceError, match="Invalid data found"):  # for it speaks HTTP
        NetworkSource(f"rtsps://localhost:{served.port}/a", ca=str(served.ca)).open()


def test_what_comes_in_pieces_is_refused_for_their_servers_are_not_checked(served: Served) -> None:
    url = f"https://localhost:{served.port}/live.m3u8"
    if FFMPEG >= 9:  # there the pieces are checked, but by a list of its own
        with pytest.raises(SourceError, match="cannot open"):
            frames(url)
        with pytest.raises((ConfigError, SourceError), match=r"cannot (open|read)"):
            NetworkSource(url, ca=str(served.ca)).open()
        return
    assert frames(url) > 0
    with pytest.raises(ConfigError, match=r"cannot read .*/live\.m3u8 with 'ca': .*leave 'ca'"):
        NetworkSource(url, ca=str(served.ca)).open()


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), ("x", "no PEM certificate")])
def test_an_unusable_ca_file_is_refused(tmp_path: Path, content: str | None, said: str) -> None:
    ca = tmp_path / "ca.pem"
    if content is not None:
        ca.write_text(content)
    with pytest.raises(ConfigError, match=rf"network cannot use the CA file .*ca\.pem: .*{said}"):
        NetworkSource("https://localhost/", ca=str(ca))


def test_a_ca_needs_a_url_with_tls() -> None:
    with pytest.raises(ConfigError, match=r"'ca' is for TLS \(https://, .*\), got rtsp://"):
        NetworkSource("rtsp://camera/1", ca="ca.pem")
