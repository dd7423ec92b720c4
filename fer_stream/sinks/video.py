"""Sink `video`: an annotated H.264 video."""

from __future__ import annotations

import io
import tempfile
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.frame import PictureType
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream

from fer_stream.draw import annotated
from fer_stream.errors import ConfigError, SinkError
from fer_stream.media import ffmpeg_reason, usual_matrix
from fer_stream.stages import Sink
from fer_stream.types import BgrImage, Frame, FrameResult, RunInfo
from fer_stream.urls import path_target

_TIME_BASE = Fraction(1, 90_000)  # fine enough for any frame rate; MPEG's own clock
_PICTURES = "pictures"
_KEY_FRAME_EVERY = round(2.0 / _TIME_BASE)  # also a fragment's length: what a kill costs at most
_ROOM_BYTES = 1_000_000  # about a second of 1920x1080: a film is not begun anew for less


class VideoSink(Sink):
    """Writes what was seen, with what was found: `video:out.mp4` (or .mkv, .mov).

    Frames keep their own time stamps; a session that begins its time again goes on where the one
    before it ended. The first picture's size is the film's: others are fitted into it, in their own
    proportions. MP4 is written in fragments, so that a file whose writer was killed plays up to
    about its last two seconds, and the ten or so pictures that the encoder held. With several
    sources each gets a file of its own, `out-1.mp4`, `out-2.mp4`, in their order. After an error it
    goes on in a new one, `out-part2.mp4`, once there is room for it. There is no sound; to add the
    original's: `ffmpeg -i out.mp4 -i talk.mp4 -map 0:v -map 1:a -c copy heard.mp4`. Option: `crf`,
    x264's quality, 0 (lossless) to 51.
    """

    name = "video"
    draws = True

    def __init__(self, target: str = "", *, crf: int = 23) -> None:
        path_target(self.name, target, "a file, e.g. video:out.mp4")
        if not target.lower().endswith((".mp4", ".mkv", ".mov")):
            raise ConfigError(f"video cannot write {target}; expected a name in .mp4, .mkv or .mov")
        if not 0 <= crf <= 51:
            raise ConfigError(f"video: crf must be 0 to 51, got {crf}")
        self._target = Path(target)
        self._crf = crf
        self._parts = 0

    @classmethod
    def files(cls, target: str, sources: int) -> list[str]:
        """Return the target, and what several sources make of it."""
        several = [*range(1, sources + 1), _PICTURES] if sources > 1 else []
        return [target, *(str(_numbered(Path(target), number)) for number in several)]

    def open(self, run: RunInfo) -> None:
        """Check that the file can be written; it is begun with the first frame."""
        self._sources = run.sources
        self._several = len(run.sources) > 1
        self._films: dict[str, _Film] = {}
        self._path = self._target
        if not self._path.parent.is_dir():
            raise SinkError(f"video cannot write {self._path}: there is no such folder; make it")
        if self._parts:
            self._path = self._path.with_stem(f"{self._path.stem}-part{self._parts + 1}")
            _require_room(self._path)
        self._parts += 1
        if not self._several:
            self._begin("", self._path)

    def write(self, result: FrameResult) -> None:
        """Draw and encode a frame."""
        info = result.frame.info
        key = info.source_id if self._several and not info.stills else ""
        if key not in self._films:
            # Single pictures are sources of their own; they share a film.
            number = self._sources.index(key) + 1 if key in self._sources else _PICTURES
            self._begin(key, _numbered(self._path, number))
        fps = info.fps or (1.0 if info.stills else 25.0)  # a single picture is shown for a second
        self._films[key].add(annotated(result), result.frame, fps)

    def close(self) -> None:
        """Finish the files, all of them even if one cannot be."""
        with ExitStack() as films:
            for film in self._films.values():
                films.callback(film.close)

    def _begin(self, key: str, path: Path) -> None:
        self._films[key] = _Film(path, self._crf)


def _numbered(path: Path, number: int | str) -> Path:
    return path.with_stem(f"{path.stem}-{number}")


class _FilmClock:
    """Turns frames' times into a film's, which cannot start again."""

    def __init__(self) -> None:
        self._stream: tuple[str, int] | None = None
        self._last_s = float("-inf")
        self._shift_s = 0.0
        self._last_pts = -1

    def pts(self, frame: Frame, step_s: float) -> int:
        """Return when a frame is shown, in `_TIME_BASE`.

        Args:
            frame: The next one, of any session and source.
            step_s: How long after the one before it, in s, if its time has started again.
        """
        stream = (frame.info.source_id, frame.info.session)
        if stream != self._stream and frame.time_s <= self._last_s:
            self._shift_s = float(self._last_pts * _TIME_BASE) + step_s - frame.time_s
        self._stream, self._last_s = stream, frame.time_s
        self._last_pts = max(round((frame.time_s + self._shift_s) / _TIME_BASE), self._last_pts + 1)
        return self._last_pts


class _Film:
    """One output file."""

    def __init__(self, path: Path, crf: int) -> None:
        self._path = path
        self._place = path.absolute()
        self._crf = crf
        self._opened = ExitStack()
        self._stream: VideoStream | None = None
        self._failed = False
        self._clock = _FilmClock()
        self._next_key = 0
        try:
            path.open("ab").close()  # an old film is kept until there is a picture for the new one
        except OSError as error:
            raise SinkError(f"video cannot write {path}: {ffmpeg_reason(error)}") from None

    def add(self, image: BgrImage, frame: Frame, fps: float) -> None:
        try:
            if self._stream is None:
                self._stream = self._begin(image, fps)
            image = _fitted(image, self._stream.width, self._stream.height)
            picture = av.VideoFrame.from_ndarray(image, format="bgr24")
            matrix = Colorspace(self._stream.codec_context.colorspace)
            picture = picture.reformat(format="yuv420p", dst_colorspace=matrix)
            picture.pts, picture.time_base = self._clock.pts(frame, 1.0 / fps), _TIME_BASE
            if picture.pts >= self._next_key:  # by time: the rate may be wrong, or change
                picture.pict_type = PictureType.I
                self._next_key = picture.pts + _KEY_FRAME_EVERY
            self._container.mux(self._stream.encode(picture))
        except (av.FFmpegError, OSError) as error:
            self._failed = True
            raise SinkError(f"video cannot write {self._path}: {ffmpeg_reason(error)}") from None

    def _begin(self, image: BgrImage, fps: float) -> VideoStream:
        # Fragments begin at key frames and are flushed at once.
        options = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"}
        if self._path.suffix.lower() == ".mkv":
            options = {"flush_packets": "1", "cluster_time_limit": "1000"}
        file = self._opened.enter_context(_FilmFile(self._place, "wb"))
        self._container: OutputContainer = av.open(file, "w", options=options)
        self._opened.enter_context(self._container)
        stream = self._container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        # H.264's 4:2:0 colour needs even sides.
        stream.height, stream.width = (max(side // 2 * 2, 2) for side in image.shape[:2])
        stream.pix_fmt = "yuv420p"
        # Told, or players take the small ones' for the large ones' colours, or the other way round.
        stream.codec_context.colorspace = usual_matrix(stream.width, stream.height)
        stream.codec_context.time_base = _TIME_BASE
        # Without B-frames, whose delay a fragmented MP4 would add to every time stamp.
        stream.options = {"preset": "veryfast", "crf": str(self._crf), "bf": "0"}
        return stream

    def close(self) -> None:
        try:
            with self._opened:
                # After an error there is nothing to add, and FFmpeg must not be asked to: it
                # crashes when it is to write a header for the second time.
                if self._stream is not None and not self._failed:
                    self._container.mux(self._stream.encode(None))
        except (av.FFmpegError, OSError) as error:
            if self._failed:
                return  # the same again
            raise SinkError(f"video cannot finish {self._path}: {ffmpeg_reason(error)}") from None


class _FilmFile(io.FileIO):
    """A film's file, whose every write takes all or raises.

    In files of FFmpeg's own an MP4's last fragment can be lost without an error; of others it does
    not ask how much was taken.
    """

    def write(self, data: Any, /) -> int:
        done = 0
        while done < len(data):
            done += super().write(data[done:])
        return done


def _fitted(image: BgrImage, width: int, height: int) -> BgrImage:
    """Return a picture at a size in px, in its own proportions: what it does not fill is black."""
    rows, columns = image.shape[:2]
    if (columns - width, rows - height) in ((0, 0), (1, 0), (0, 1), (1, 1)):
        return image[:height, :width]  # an odd side
    scale = min(width / columns, height / rows)
    inner = (max(round(columns * scale), 1), max(round(rows * scale), 1))
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    fitted = np.zeros((height, width, 3), np.uint8)
    cv2.resize(image, inner, fitted[top : top + inner[1], left : left + inner[0]])
    return fitted


def _require_room(path: Path) -> None:
    """Raise `SinkError` where there is no room for another film."""
    try:
        with tempfile.TemporaryFile(dir=path.parent, buffering=0) as file:
            left = _ROOM_BYTES
            while left > 0:
                left -= file.write(bytes(left))
    except OSError as error:
        raise SinkError(f"video cannot write {path}: {error.strerror}") from None
