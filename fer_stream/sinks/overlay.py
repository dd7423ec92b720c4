"""Sink `overlay`: a window that shows what is seen, with what was found."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import cv2

from fer_stream.draw import annotated, out_of_date
from fer_stream.errors import SinkError, StopStream
from fer_stream.pace import Pace
from fer_stream.stages import Sink
from fer_stream.types import BgrImage, Frame, FrameResult, RunInfo, SourceStatus

_TITLE = "fer-stream"
_MOST_WIDTH, _MOST_HEIGHT = 1280, 720  # px; a larger window may not fit on the screen
_PICTURE_S = 1.0
_PICTURES = "pictures"  # each is a source of its own; they share a window
_PROBE = "import cv2; cv2.namedWindow('probe', cv2.WINDOW_NORMAL); cv2.waitKey(1)"
_PROBE_S = 20.0
_NO_WINDOW = "choose another sink, such as console, csv:out.csv or video:out.mp4"


class OverlaySink(Sink):
    """Shows boxes, ids, emotions and scores in a window; `q`, Esc or closing it ends the run.

    With several sources each gets a window of its own, single pictures one together; it is dark
    while its source is away. A film plays at its own pace at most, a picture is shown for a second
    and the last one until the window is closed; with `pace=no` all pass as fast as they are read.
    """

    name = "overlay"
    main_thread = True
    draws = True

    def __init__(self, target: str = "", *, fullscreen: bool = False, pace: bool = True) -> None:
        super().__init__(target)
        self._fullscreen = fullscreen
        self._has_pace = pace
        self._paces: dict[str, Pace] = {}
        self._pictures = 0
        self._windows: dict[str, BgrImage] = {}
        """By title: the latest picture."""
        self._seen_open: set[str] = set()

    def open(self, run: RunInfo) -> None:
        """Make sure that there is a display; OpenCV would end the process without one."""
        if problem := display_problem():
            raise SinkError(f"overlay cannot open a window: {problem}; {_NO_WINDOW}")
        self._several = len(run.sources) > 1

    def write(self, result: FrameResult) -> None:
        """Show a frame."""
        info = result.frame.info
        title = self._title(_PICTURES if info.stills else info.source_id)
        if title not in self._windows:
            self._new_window(title, info.width, info.height)
        self._windows[title] = annotated(result)
        if self._has_pace and not info.live and not self.stopping:
            self._keep_pace(title, result.frame)
        cv2.imshow(title, self._windows[title])
        self.idle()

    def _new_window(self, title: str, width: int, height: int) -> None:
        # Without the toolbar and status line that Qt adds.
        style = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
        cv2.namedWindow(title, style)
        if self._fullscreen:
            cv2.setWindowProperty(title, cv2.WND_PROP_FULLSCREEN, cv2.WINDOW_FULLSCREEN)
        else:
            scale = min(_MOST_WIDTH / width, _MOST_HEIGHT / height, 1.0)
            cv2.resizeWindow(title, max(round(width * scale), 1), max(round(height * scale), 1))

    def _keep_pace(self, title: str, frame: Frame) -> None:
        """Wait until a recording's frame is due."""
        pace = self._paces.setdefault(title, Pace(hurries=False))
        if frame.info.stills:  # of any source, by which their times mean nothing
            due_s = pace.ahead_s(self._pictures * _PICTURE_S)
            self._pictures += 1
            self.lingers = True
        else:
            due_s = pace.ahead_s(frame.time_s)
        until_s = time.monotonic() + due_s
        while (left_s := until_s - time.monotonic()) > 0.001:
            self._look(round(left_s * 1000))

    def status(self, status: SourceStatus) -> None:
        """Say in its window that a source is away: a face that stands still looks like one."""
        title = self._title(status.source_id)
        if status.away and title in self._windows:
            cv2.imshow(title, out_of_date(self._windows[title], status.state))
            self.idle()

    def _title(self, source: str) -> str:
        return f"{_TITLE}: {source}" if self._several else _TITLE

    def idle(self) -> None:
        """Let the window live, and look for the user's wish to end."""
        if self._windows:
            self._look(1)

    def _look(self, ms: int) -> None:
        """Let the windows live for so long, or until a key is pressed."""
        if cv2.waitKey(ms) & 0xFF in (ord("q"), 27) or any(map(self._is_closed, self._windows)):
            raise StopStream

    def _is_closed(self, title: str) -> bool:
        """Return whether a window is gone; a minimised one is not."""
        try:
            is_open = cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # the last window is gone, and OpenCV's window system with it
            return True
        if is_open:
            self._seen_open.add(title)
        # OpenCV built with GTK calls no window visible, ever.
        return not is_open and title in self._seen_open

    def close(self) -> None:
        """Close the windows."""
        if self._windows:
            cv2.destroyAllWindows()
        self._windows.clear()  # it may be opened again
        self._seen_open.clear()


def display_problem() -> str | None:
    """Return why no window can be opened, or None.

    On Linux a window is tried in a process of its own: without a display `cv2.imshow` aborts.
    """
    build = cv2.getBuildInformation()
    gui = next((line.split(":")[1].strip() for line in build.splitlines() if "GUI:" in line), "")
    if gui in ("", "NONE"):
        return "this OpenCV is built without windows (opencv-python-headless)"
    if sys.platform != "linux":
        return None
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return "there is no display (DISPLAY is not set)"
    try:
        probe = subprocess.run(
            [sys.executable, "-c", _PROBE], capture_output=True, timeout=_PROBE_S
        )
    except subprocess.TimeoutExpired:
        return f"the display {os.environ.get('DISPLAY', '')} does not answer"
    if probe.returncode != 0:
        return f"the display {os.environ.get('DISPLAY', '')} cannot be opened"
    return None
