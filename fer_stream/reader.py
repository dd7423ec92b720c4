"""Reading an opened video, for the sources that FFmpeg serves."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from dataclasses import replace
from fractions import Fraction

import av
from av.container import InputContainer

from fer_stream.clock import MediaClock
from fer_stream.errors import IncompleteError, SourceError
from fer_stream.frames import fitting, frame_from_video
from fer_stream.media import (
    Progress,
    decode,
    ffmpeg_reason,
    is_tile,
    nominal_rate,
    video_stream,
)
from fer_stream.pace import Pace
from fer_stream.types import Frame, StreamInfo
from fer_stream.upright import View, view_of
from fer_stream.words import counted


class VideoReader:
    """Gives the frames of a container's video; the first picture is read at once.

    Args:
        container: Just opened; it is closed if there is nothing to read in it.
        source: What the source is called, in frames and messages; without a password.
        live: Frames are timed by our clock, and the stream does not end by itself.
        stopped: Once it is set, no more is read. What comes may hold no picture for ever: a camera
            that sends only sound, or pictures that cannot be decoded.

    Raises:
        SourceError: There is no video, or not one picture of it.
    """

    def __init__(
        self, container: InputContainer, source: str, stopped: threading.Event, *, live: bool
    ) -> None:
        self._container = container
        self._stopped = stopped
        self._source = source
        self._live = live
        self._failure = ""
        stream = video_stream(container)
        if stream is None:
            container.close()
            raise SourceError(f"{source} has no video stream; expected a video")
        if is_tile(stream):  # the others are there, but FFmpeg does not say here how they fit
            container.close()
            raise SourceError(
                f"{source} is a picture in tiles, as telephones write HEIC; expected a whole one: "
                "convert it to JPEG or PNG"
            )
        if stream.codec_context is None:  # of a format that FFmpeg does not know, or said wrongly
            container.close()
            raise SourceError(f"{source} has a video of an unknown format; expected one like H.264")
        self._stream = stream
        self._pixel_aspect = stream.sample_aspect_ratio
        self._stored: tuple[int, int, int, Fraction | None] | None = None
        # HLS brings seconds of pictures at once: shown at the pace at which they were made.
        self._in_pieces = container.format.name == "hls"
        self._progress = Progress(container, stream)
        self._pictures = self._decode()
        self._first = next(self._pictures, None)
        if self._first is None:
            container.close()
            why = self._failure or "is it a video?"
            raise SourceError(f"{source} has no picture that can be decoded: {why}")
        self._coded_aspect = stream.codec_context.sample_aspect_ratio

    def info(self) -> StreamInfo:
        """Describe the stream; call it before `frames`."""
        assert self._first is not None
        width, height = self._view(self._first).size
        rate = nominal_rate(self._stream, self._first)
        count = None if self._live else self._progress.expected_frames()
        # FFmpeg's name for whatever may be one picture, such as "jpeg_pipe".
        is_picture = not self._live and self._container.format.name.endswith("_pipe")
        return StreamInfo(
            source_id=self._source,
            width=width,
            height=height,
            fps=float(rate) if rate else None,
            live=self._live,
            frame_count=count,
            # Nothing follows that would confirm its faces.
            stills=count == 1 or is_picture,
        )

    def frames(self, info: StreamInfo) -> Generator[Frame, None, None]:
        """Yield every frame.

        Raises `IncompleteError` at the end if something of a recording was lost, `SourceError` if
        it was live.
        """
        clock, start, index = MediaClock(self._container, info.fps), time.monotonic(), 0
        pace = Pace(hurries=True)
        picture, self._first = self._first, None
        while picture is not None:
            view = self._view(picture)
            before, info = info, fitting(info, view)
            if info is not before:
                start = time.monotonic()
            time_s = clock.time_s(picture)
            if info.live:
                if self._in_pieces:
                    time.sleep(pace.ahead_s(time_s))
                time_s = time.monotonic() - start
            yield frame_from_video(picture, view, index, time_s, info)
            index += 1
            picture = next(self._pictures, None)
            if info.stills:
                info = replace(info, stills=False)  # should another come after all
        if info.live:
            why = self._failure or "it ended"
            raise SourceError(f"{self._source} was lost after {counted(index, 'frame')}: {why}")
        if problem := self._progress.problem():
            if self._failure and self._failure not in problem:
                problem = f"{problem} ({self._failure})"
            read = counted(index, "frame")
            raise IncompleteError(f"{self._source} is incomplete: {problem}; {read} read")

    def close(self) -> None:
        """Close the container, and let go of the decoder with its threads and pictures."""
        self._pictures.close()
        self._container.close()

    def _view(self, picture: av.VideoFrame) -> View:
        if picture.key_frame:
            self._follow_aspect()
        stored = (picture.width, picture.height, picture.rotation, self._pixel_aspect)
        # Not asked of each picture: one whose side data was looked at refers to itself, and stays
        # in memory until Python looks for cycles.
        if stored != self._stored:
            self._stored, self._shown = stored, self._new_view(picture)
        return self._shown

    def _follow_aspect(self) -> None:
        """Take the pixels' shape from the decoder where it has changed, as in television.

        PyAV's pictures do not say it. The decoder knows of another while it gives the last pictures
        of the old one; a key frame is the first of the new one.
        """
        coded = self._stream.codec_context.sample_aspect_ratio
        if coded != self._coded_aspect:  # until then the container's counts, where it has one
            self._pixel_aspect = self._coded_aspect = coded

    def _new_view(self, picture: av.VideoFrame) -> View:
        transfer = self._stream.codec_context.color_trc  # a picture says it from PyAV 16 on only
        return view_of(picture, self._pixel_aspect, transfer)

    def _decode(self) -> Generator[av.VideoFrame, None, None]:
        try:
            yield from decode(
                self._container,
                self._stream,
                self._progress.saw,
                self._progress.damaged,
                self._stopped.is_set,
                live=self._live,
            )
        except (av.FFmpegError, OSError) as error:
            self._failure = ffmpeg_reason(error)
            self._progress.damaged(self._failure)
