"""Source `camera`: a webcam by its number."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2

from fer_stream.errors import ConfigError, SourceError
from fer_stream.frames import frame_from_image
from fer_stream.stages import Source
from fer_stream.types import BgrImage, Frame, StreamInfo
from fer_stream.urls import without_password
from fer_stream.words import counted

_API = cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY
_NODES = Path("/sys/class/video4linux")
_MAX_DIGITS = 4  # the system counts cameras from 0
_FIRST_FRAME_TRIES = 30  # some cameras give a second of failed reads while they wake up


class CameraSource(Source):
    """Reads a camera: `camera:0?width=1280&height=720`, or just `0`.

    Options: `width`, `height` in px, `fps`, and `fourcc`, the pixel format to ask for (MJPG is
    the only one that most webcams give at full size and rate). A camera grants what it can: the
    stream's info says what was granted.
    """

    name = "camera"
    target_is_path = False
    live = True

    def __init__(
        self,
        target: str = "0",
        *,
        width: int | None = None,
        height: int | None = None,
        fps: float | None = None,
        fourcc: str = "MJPG",
    ) -> None:
        if not (target or "0").isdecimal() or len(target) > _MAX_DIGITS:
            shown = without_password(target)
            raise ConfigError(
                f"camera must be a number such as camera:0, of at most {_MAX_DIGITS} digits, "
                f"got '{shown}'"
            )
        if len(fourcc) != 4 or not fourcc.isascii():
            raise ConfigError(f"camera: fourcc must be four letters such as MJPG, got '{fourcc}'")
        for key, value in (("width", width), ("height", height), ("fps", fps)):
            if value is not None and value <= 0:
                raise ConfigError(f"camera: {key} must be above 0, got {value}")
        self._index = int(target or "0")
        self.source_id = f"camera:{self._index}"
        self._wanted = {
            cv2.CAP_PROP_FOURCC: float(cv2.VideoWriter.fourcc(*fourcc)),
            cv2.CAP_PROP_FRAME_WIDTH: width,
            cv2.CAP_PROP_FRAME_HEIGHT: height,
            cv2.CAP_PROP_FPS: fps,
        }

    def open(self) -> StreamInfo:
        """Open the camera and wait for its first picture."""
        self._capture = cv2.VideoCapture(self._index, _API)
        if not self._capture.isOpened():
            raise SourceError(
                f"cannot open camera {self._index}; is it plugged in, free and readable? "
                "`fer-stream doctor` lists the cameras"
            )
        for key, value in self._wanted.items():  # the format first: it decides the sizes on offer
            if value is not None:
                self._capture.set(key, value)
        first = self._first_picture()
        if first is None:
            self._capture.release()
            raise SourceError(f"camera {self._index} opens but gives no picture; is it in use?")
        height, width = first.shape[:2]
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self._info = StreamInfo(self.source_id, width, height, fps if fps > 0 else None, live=True)
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Yield pictures as they come."""
        start, index = time.monotonic(), 0
        while True:
            ok, image = self._capture.read()
            if not ok:
                seen = counted(index, "frame")
                raise SourceError(f"camera {self._index} was lost after {seen}")
            yield frame_from_image(_bgr(image), index, time.monotonic() - start, self._info)
            index += 1

    def close(self) -> None:
        """Release the camera."""
        self._capture.release()

    def _first_picture(self) -> BgrImage | None:
        for _ in range(_FIRST_FRAME_TRIES):
            ok, image = self._capture.read()
            if ok and image is not None and image.size:
                return _bgr(image)
            time.sleep(0.03)
        return None


def _bgr(image: object) -> BgrImage:
    """Tell the type checker what `VideoCapture.read` gives: (H, W, 3) uint8 BGR."""
    return image  # type: ignore[return-value]


def list_cameras() -> list[str]:
    """Return the cameras that can be opened, as `NUMBER (NAME)`."""
    found = []
    known = named_cameras() if sys.platform == "linux" else [(index, "") for index in range(4)]
    for index, name in known:
        capture = cv2.VideoCapture(index, _API)
        if capture.isOpened():
            found.append(f"{index} ({name})" if name else str(index))
        capture.release()
    return found


def named_cameras(nodes: Path = _NODES) -> list[tuple[int, str]]:
    """Return the number and name of each camera that Linux knows, in the numbers' order."""
    # The kernel cuts a long name off, in the middle of a letter too.
    return sorted(
        (
            int(node.name.removeprefix("video")),
            (node / "name").read_text(encoding="utf-8", errors="replace").strip(),
        )
        for node in nodes.glob("video*")
    )
