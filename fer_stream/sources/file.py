"""Source `file`: any video file that FFmpeg reads."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from stat import S_ISBLK, S_ISCHR, S_ISREG

import av

from fer_stream.errors import SourceError
from fer_stream.media import ffmpeg_reason, open_input
from fer_stream.reader import VideoReader
from fer_stream.stages import Source
from fer_stream.types import Frame, StreamInfo
from fer_stream.urls import path_target, without_login


class FileSource(Source):
    """Reads a video file, losing nothing: `file:talk.mp4`, or just `talk.mp4`.

    `-` is standard input, which a stream, such as MPEG-TS or Matroska, may come from.
    Media time comes from the container's time stamps and starts at 0, so that clips with a
    variable frame rate are timed right. Frames are as players show them: turned and mirrored as the
    file says, with square pixels, and HDR10 in the levels of other films. A damaged or cut file
    gives every frame that can be decoded, then `IncompleteError`.
    """

    name = "file"

    def __init__(self, target: str = "") -> None:
        self._path = Path(path_target(self.name, target, "a path, e.g. file:talk.mp4"))
        self._is_stream = target == "-"
        self._stopped = threading.Event()
        self.source_id = "stdin" if self._is_stream else str(self._path)

    def open(self) -> StreamInfo:
        """Open the file and decode its first picture."""
        if self._is_stream:
            self._check_stream()
            url, is_file = "pipe:0", False
        else:
            # Absolute: FFmpeg takes what stands before a colon in a bare name for a protocol.
            url, is_file = str(self._path.absolute()), self._check_file()
        try:
            container = open_input(url)
        except (av.FFmpegError, OSError) as error:
            raise SourceError(
                f"cannot open {self.source_id} as a video: {ffmpeg_reason(error)}; "
                "expected a complete file in a format that FFmpeg reads"
            ) from error
        self._reader = VideoReader(container, self.source_id, self._stopped, live=False)
        self._info = self._reader.info()
        if not is_file:  # what a pipe's header says of its length is a guess
            self._info = replace(self._info, frame_count=None)
        return self._info

    def _check_stream(self) -> None:
        """Raise `SourceError` where nothing can come from standard input."""
        if sys.stdin is None or sys.stdin.isatty():
            what = "closed" if sys.stdin is None else "a terminal"
            raise SourceError(
                f"standard input is {what}; expected a video, as in "
                "cat talk.mp4 | fer-stream run --source -"
            )

    def _check_file(self) -> bool:
        """Raise `SourceError` for a path that cannot be a video; return whether it is a file."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            shown = without_login(str(self._path))
            hint = ", or begin with rtsp:// for a stream" if "***" in shown else ""
            raise SourceError(f"no such file: {shown}; check the path{hint}") from None
        except OSError as error:
            raise SourceError(f"cannot open {self._path}: {error.strerror}") from None
        if S_ISCHR(status.st_mode) or S_ISBLK(status.st_mode):
            raise SourceError(
                f"{self._path} is a device; expected a video file; a camera is given by its "
                "number, such as 0"
            )
        if status.st_size == 0 and S_ISREG(status.st_mode):  # a pipe has no size
            raise SourceError(f"{self._path} is empty; expected a video file")
        return S_ISREG(status.st_mode)

    def frames(self) -> Iterator[Frame]:
        """Yield every picture; raise `SourceError` at the end if some were lost."""
        return self._reader.frames(self._info)

    def stop(self) -> None:
        """Read no more packets."""
        self._stopped.set()

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
