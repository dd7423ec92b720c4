"""Source `file`: any video file that FFmpeg reads."""

from __future__ import annotations

from collections.abc import Iterator
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

    Media time comes from the container's time stamps and starts at 0, so that clips with a
    variable frame rate are timed right. Frames are as players show them: turned and mirrored as the
    file says, with square pixels, and HDR10 in the levels of other films. A damaged or cut file
    gives every frame that can be decoded, then `SourceError` with the word `incomplete`.
    """

    name = "file"

    def __init__(self, target: str = "") -> None:
        self._path = Path(path_target(self.name, target, "a path, e.g. file:talk.mp4"))

    def open(self) -> StreamInfo:
        """Open the file and decode its first picture."""
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
        try:
            # Absolute: FFmpeg takes what stands before a colon in a bare name for a protocol.
            container = open_input(str(self._path.absolute()))
        except (av.FFmpegError, OSError) as error:
            raise SourceError(
                f"cannot open {self._path} as a video: {ffmpeg_reason(error)}; "
                "expected a complete file in a format that FFmpeg reads"
            ) from error
        self._reader = VideoReader(container, str(self._path), live=False)
        self._info = self._reader.info()
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Yield every picture; raise `SourceError` at the end if some were lost."""
        return self._reader.frames(self._info)

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
