"""RTSP cameras with faces in front of them, to be killed, frozen and started again."""

from __future__ import annotations

import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

import av
import cv2
import numpy as np

from fer_stream.sources.demo import CYCLE_S, FPS, DemoSource
from tests.needs import require_rtsp_server
from tests.programs import free_port

SCRIPT = Path(__file__).with_name("rtsp_server.py")


class RtspCamera:
    """A GStreamer RTSP server on 127.0.0.1, at the same port whenever it is started."""

    def __init__(self) -> None:
        self._python = require_rtsp_server()
        self.port = free_port()
        self._process: subprocess.Popen[str] | None = None

    def url(self, mount: str = "cam", login: str = "") -> str:
        """Return where a mount is; `login` is `user:password@`."""
        return f"rtsp://{login}127.0.0.1:{self.port}/{mount}"

    def start(self, *films: Path, login: tuple[str, str] | None = None, mount: str = "cam") -> None:
        """Show films one after the other, over and over; wait until it serves."""
        command = [self._python, str(SCRIPT), str(self.port)]
        command.append(f"{mount}={','.join(map(str, films))}")
        if login:
            command += ["--login", *login]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def freeze(self) -> None:
        """Stop it in its tracks: connections stand, nothing comes."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)


def write_film(path: Path, size: tuple[int, int], seconds: float = CYCLE_S) -> Path:
    """Write the demo's face at (width, height) px as raw H.264 without B-frames."""
    demo = DemoSource()
    demo.open()
    with av.open(str(path), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=round(FPS))
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = round(FPS)
        stream.options = {"bf": "0", "preset": "veryfast"}
        for index in range(round(seconds * FPS)):
            image = cv2.resize(demo.draw(index / FPS), size, interpolation=cv2.INTER_AREA)
            picture = av.VideoFrame.from_ndarray(np.asarray(image, np.uint8), format="bgr24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def is_listening(port: int) -> bool:
    """Whether somebody takes connections at a port."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
