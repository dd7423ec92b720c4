"""A camera that speaks RTSP: `python3 rtsp_server.py PORT MOUNT=FILE[,FILE...] ...`.

Run by the system's Python, which has GStreamer's bindings. Shows raw H.264 files (no B-frames, 25
pictures a second) at rtsp://127.0.0.1:PORT/MOUNT, one after the other, over and over, without
encoding anew; of another size each, the stream's size changes in its middle. With `--login USER
PASSWORD` it asks for both. Prints `ready` once it serves.
"""

from __future__ import annotations

import argparse
import threading
import time
from typing import Any

import gi

for _name in ("Gst", "GstApp", "GstRtspServer"):
    gi.require_version(_name, "1.0")
from gi.repository import GLib, Gst, GstApp, GstRtspServer  # noqa: E402, F401

FPS = 25
LATE_S = 0.5
H264 = "video/x-h264,stream-format=byte-stream,alignment=au"
ROLE = "viewer"

Picture = tuple[bytes, bool]
"""One picture's data, and whether it can be decoded without those before it."""


def pictures_of(path: str) -> list[Picture]:
    """Cut a file into its pictures."""
    pipeline = Gst.parse_launch(
        f'filesrc location="{path}" ! h264parse config-interval=-1 ! {H264} '
        "! appsink name=out sync=false"
    )
    out = pipeline.get_by_name("out")
    pipeline.set_state(Gst.State.PLAYING)
    pictures = []
    while sample := out.emit("pull-sample"):
        buffer = sample.get_buffer()
        is_key = not buffer.has_flags(Gst.BufferFlags.DELTA_UNIT)
        pictures.append((buffer.extract_dup(0, buffer.get_size()), is_key))
    pipeline.set_state(Gst.State.NULL)
    return pictures


class Factory(GstRtspServer.RTSPMediaFactory):
    """Serves pictures to whoever comes, all at the same place of the stream."""

    def __init__(self, pictures: list[Picture]) -> None:
        super().__init__()
        self._pictures = pictures
        self.set_shared(True)
        self.set_latency(0)
        self.connect("media-configure", self._configure)

    def do_create_element(self, _url: Any) -> Any:
        return Gst.parse_launch(
            f'appsrc name=in is-live=true format=time block=true max-bytes=2000000 caps="{H264}" '
            "! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96"
        )

    def _configure(self, _factory: Any, media: Any) -> None:
        over = threading.Event()
        media.connect("unprepared", lambda _: over.set())
        source = media.get_element().get_by_name("in")
        threading.Thread(target=self._show, args=(source, over), daemon=True).start()

    def _show(self, source: Any, over: threading.Event) -> None:
        number, start_s = 0, time.monotonic()
        while not over.is_set():
            data, is_key = self._pictures[number % len(self._pictures)]
            buffer = Gst.Buffer.new_wrapped(data)
            buffer.pts = buffer.dts = number * Gst.SECOND // FPS
            buffer.duration = Gst.SECOND // FPS
            if not is_key:
                buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
            if source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                return
            number += 1
            early_s = start_s + number / FPS - time.monotonic()
            if early_s < -LATE_S:  # it was stopped: a camera does not show what it has missed
                start_s -= early_s
            over.wait(max(early_s, 0.0))


def with_login(server: Any, user: str, password: str) -> None:
    """Let nobody see anything without user and password."""
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, ROLE)
    login = GstRtspServer.RTSPAuth()
    login.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(login)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port")
    parser.add_argument("mounts", nargs="+")
    parser.add_argument("--login", nargs=2)
    arguments = parser.parse_args()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(arguments.port)
    allowed = GstRtspServer.RTSPPermissions()
    if arguments.login:
        with_login(server, *arguments.login)
        allowed.add_role(ROLE)
        for what in ("access", "construct"):
            allowed.add_permission_for_role(ROLE, f"media.factory.{what}", True)
    for mount in arguments.mounts:
        name, _, files = mount.partition("=")
        factory = Factory([one for path in files.split(",") for one in pictures_of(path)])
        if arguments.login:
            factory.set_permissions(allowed)
        server.get_mount_points().add_factory(f"/{name}", factory)
    assert server.attach(None), f"cannot serve at port {arguments.port}"
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
