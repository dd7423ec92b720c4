"""The network source, against a web server of our own."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator

import numpy as np
import pytest

from fer_stream.errors import ConfigError, SourceError
from fer_stream.sources.network import NetworkSource
from fer_stream.testing import check_source
from fer_stream.types import Frame
from tests.clips import cut, write_clip
from tests.webserver import serving

COUNT = 50


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve clip.mp4, cut.mp4, cut.mkv and notes.txt; yields `127.0.0.1:PORT`."""
    folder = tmp_path_factory.mktemp("web")
    random = np.random.default_rng(0)
    images = [random.integers(0, 256, (120, 160, 3), dtype=np.uint8) for _ in range(COUNT)]
    write_clip(folder / "clip.mp4", images)
    cut(write_clip(folder / "cut.mp4", images), 0.6)
    cut(write_clip(folder / "cut.mkv", images, options={}), 0.6)
    (folder / "notes.txt").write_text("not a video\n" * 100)
    with serving(folder) as address:
        yield address


def read(source: NetworkSource) -> tuple[list[Frame], str]:
    source.open()
    frames: list[Frame] = []
    try:
        frames.extend(source.frames())
    except SourceError as error:
        return frames, str(error)
    else:
        return frames, ""
    finally:
        source.close()


def test_a_recording_is_read_whole_and_is_not_live(web: str) -> None:
    source = NetworkSource(f"http://{web}/clip.mp4")
    info = source.open()
    frames = list(source.frames())
    source.close()
    assert not info.live
    assert (info.width, info.height, info.fps, info.frame_count) == (160, 120, 25.0, COUNT)
    assert [frame.time_s for frame in frames] == pytest.approx([i / 25 for i in range(COUNT)])


def test_a_recording_that_is_said_to_be_live_is_timed_by_the_clock(web: str) -> None:
    frames, error = read(NetworkSource(f"http://{web}/clip.mp4", live=True))
    assert len(frames) == COUNT
    assert all(frame.info.live for frame in frames)
    assert frames[-1].time_s < 1.9, "as fast as they came, not as they were recorded"
    assert "was lost after 50 frames: it ended" in error


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv"])
def test_half_a_recording_says_that_it_is_incomplete(name: str, web: str) -> None:
    frames, error = read(NetworkSource(f"http://{web}/{name}"))
    assert 28 <= len(frames) <= 30
    assert f"{name} is incomplete: " in error


def test_a_lost_connection_costs_no_frame_that_arrived(web: str) -> None:
    frames, error = read(NetworkSource(f"http://{web}/drop/clip.mp4"))
    assert 28 <= len(frames) <= 30
    assert [frame.time_s for frame in frames] == pytest.approx([i / 25 for i in range(len(frames))])
    assert "is incomplete: " in error


def test_a_missing_recording_says_what_the_server_said(web: str) -> None:
    with pytest.raises(SourceError, match=r"cannot open http://.*/none\.mp4: .*404 Not Found"):
        NetworkSource(f"http://{web}/none.mp4").open()


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"rtsp://127.0.0.1:{unused.getsockname()[1]}/camera"
        with pytest.raises(SourceError, match=r"cannot open rtsp://127\.0\.0\.1.*refused"):
            NetworkSource(url).open()


@pytest.mark.parametrize("path", ["none.mp4", "notes.txt", "cut.mp4", "drop/clip.mp4"])
def test_a_password_never_reaches_a_message(
    path: str,
    web: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(SourceError) as caught:
        check_source(NetworkSource(f"http://user:secret@{web}/{path}"))
    error: BaseException | None = caught.value
    shown = "".join(capfd.readouterr()) + caplog.text
    assert f"user:***@{web}" in str(error)
    while error is not None:  # what a traceback or log would show
        shown += repr(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    assert "secret" not in shown


def test_a_sources_id_hides_its_password(web: str) -> None:
    source = NetworkSource(f"http://user:secret@{web}/clip.mp4")
    assert source.open().source_id == f"http://user:***@{web}/clip.mp4"
    source.close()


@pytest.mark.parametrize("target", ["", "camera", "camera:554/1", "rtsp:/camera"])
def test_what_is_no_url_is_refused(target: str) -> None:
    with pytest.raises(ConfigError, match="network needs a URL such as rtsp://camera/1"):
        NetworkSource(target)


@pytest.mark.parametrize("url", ["rtsp://no-such-host.invalid/1", "http://no-such-host.invalid/a"])
def test_a_host_that_nobody_knows_is_told_as_such(url: str) -> None:
    with pytest.raises(socket.gaierror) as known:
        socket.getaddrinfo("no-such-host.invalid", None)
    with pytest.raises(SourceError) as caught:
        NetworkSource(url).open()
    if "no answer within" in str(caught.value):
        pytest.skip("the name server does not answer")
    assert str(caught.value) == f"cannot open {url}: {known.value.strerror}"


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://u:secret@cam:port/1",
        "rtsp://u:secret@cam:65536/1",
        "rtsp://u:secret@[::1]:-1/1",
        "http://u:my/secret@cam/1",
        "srt://cam:9000x?passphrase=secret",
    ],
)
def test_a_port_that_is_none_is_one_line_without_a_password(url: str) -> None:
    with pytest.raises(ConfigError, match="must be a number up to 65535") as caught:
        NetworkSource(url)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://u:p[ss@cam:65535/1",
        "rtsp://u:p:ss@[fe80::1]/live:1",
        "http://cam:/1?at=10:30",
        "udp://@:1234",
        "srt://:9000?mode=listener",
    ],
)
def test_other_colons_are_no_ports(url: str) -> None:
    NetworkSource(url)


@pytest.mark.parametrize("url", ["rtsp://", "rtsp:///1", "HTTP:///a.mp4", "udp://"])
def test_a_url_without_a_host_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="network needs a URL such as rtsp://camera/1"):
        NetworkSource(url)


@pytest.mark.parametrize("url", ["RTSP://user:secret@127.0.0.1:1/CAM", "Http://127.0.0.1:1/CAM"])
def test_a_scheme_may_be_written_in_capitals(url: str) -> None:
    with pytest.raises(SourceError, match=r"cannot open (rtsp|http)://.*/CAM: Connection refused"):
        NetworkSource(url).open()


def test_rtmp_is_read_with_tls_too() -> None:
    assert "rtmps" in NetworkSource.schemes
    with pytest.raises(SourceError, match=r"cannot open rtmps://.*: Connection refused"):
        NetworkSource("rtmps://127.0.0.1:1/live/key").open()


def test_a_protocol_that_ffmpeg_lacks_is_no_loss_to_be_tried_again() -> None:
    with pytest.raises(ConfigError, match=r"cannot open nosuch://.* lacks nosuch; use another"):
        NetworkSource("nosuch://127.0.0.1:1/").open()


@pytest.mark.parametrize("option", ["open_timeout", "read_timeout"])
@pytest.mark.parametrize("value", [0.0, -1.0, 86401.0, 1e10])
def test_a_time_out_that_nobody_can_mean_is_refused(option: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"{option} is in seconds, above 0, at most 86400"):
        NetworkSource("rtsp://camera/1", **{option: value})


def test_who_waits_for_it_waits_for_longer_than_it_tries(web: str) -> None:
    source = NetworkSource(f"http://{web}/clip.mp4", open_timeout=60, read_timeout=9)
    assert source.frame_timeout_s == 9
    assert source.open_timeout_s > 60 + 60 + 9
