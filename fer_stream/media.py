"""FFmpeg containers: packets, pictures, completeness, and errors in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import takewhile
from typing import Any, TypeAlias

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream

from fer_stream.gaps import Gaps
from fer_stream.words import counted

Packet: TypeAlias = "av.Packet[Any]"

# Later ones take tags in any encoding, and have no option for it any more.
_STRICT_TAGS = int(av.__version__.partition(".")[0]) < 19

# Containers round their own duration; less than this many seconds short is not a cut file.
_SLACK_S = 0.5

_HD = (1280, 576)  # px; from this width, or above this height


def open_input(place: str, **options: Any) -> InputContainer:
    """Open a path or URL to be read; `options` are those of `av.open`.

    Tags in another encoding than UTF-8, which old cameras write, are no error.
    """
    if _STRICT_TAGS:
        options["metadata_errors"] = "replace"
    container: InputContainer = av.open(place, "r", **options)
    return container


def ffmpeg_reason(error: BaseException) -> str:
    """Return FFmpeg's reason without number, file name or password."""
    if isinstance(error, av.ExitError):  # what our own time-out makes of it
        return "nothing came in time"
    return (getattr(error, "strerror", None) or str(error)).strip() or type(error).__name__


def video_stream(container: InputContainer) -> VideoStream | None:
    """Return the stream of moving pictures that players show; the cover of some music is none."""
    if container.format.name == "tty":  # FFmpeg "plays" text as a terminal would
        return None
    films = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    chosen = (s for s in films if s.disposition & Disposition.default)
    return next(chosen, films[0] if films else None)


def is_tile(stream: VideoStream) -> bool:
    """Return whether a stream is but a piece of a picture, as in the HEIC files of telephones."""
    return bool(stream.disposition & Disposition.dependent)


def nominal_rate(stream: VideoStream, first: av.VideoFrame) -> Fraction | None:
    """Return a stream's pictures per second, if it says so."""
    # Where no container gives them times, FFmpeg's average is 25, whatever the stream itself says.
    if first.pts is None and stream.codec_context.framerate:
        return stream.codec_context.framerate
    return _average_rate(stream)


def _average_rate(stream: VideoStream) -> Fraction | None:
    average, base = stream.average_rate, stream.base_rate
    # Of raw DV it is the clock's. No true one is above the rate that has a moment for each picture.
    return min(average, base) if average and base else average


def usual_matrix(width: int, height: int) -> Colorspace:
    """Return how players turn a film's luma and chroma into colours if it does not say how."""
    return Colorspace.ITU709 if width >= _HD[0] or height > _HD[1] else Colorspace.ITU601


def decode(
    container: InputContainer,
    stream: VideoStream,
    saw: Callable[[Packet], None],
    damaged: Callable[[str], None],
    stopped: Callable[[], bool],
    *,
    live: bool,
) -> Iterator[av.VideoFrame]:
    """Yield the pictures of one of a container's streams.

    Args:
        container: Opened.
        stream: The one to decode.
        saw: Called with each whole packet, of any stream.
        damaged: Called with the reason for each thing that cannot be decoded; what follows it is.
        stopped: Asked before each packet, of any stream; true: no more is read.
        live: Each picture is wanted as soon as it is there.

    Raises:
        av.FFmpegError: The container cannot be read on.
    """
    # A thread per picture is faster, and holds back as many pictures as there are threads.
    stream.thread_type = "SLICE" if live else "AUTO"
    if not live:
        # Each holds pictures and tables, 9 MB at 1920x1080; other stages want the cores as well.
        stream.codec_context.thread_count = 2
    try:
        for packet in _packets(container, stream.index, saw, damaged, stopped):
            yield from _pictures(stream.codec_context, packet, damaged)
    except av.FFmpegError:
        # What the decoder still holds came before the failure; an empty packet gets it out.
        end: Packet = av.Packet()
        if stream.time_base:
            end.time_base = stream.time_base  # pictures take theirs from the packet
        with suppress(av.FFmpegError):
            yield from _pictures(stream.codec_context, end, damaged)
        raise


def _pictures(
    decoder: VideoCodecContext, packet: Packet, damaged: Callable[[str], None]
) -> Iterator[av.VideoFrame]:
    try:
        pictures = decoder.decode(packet)
    except (av.InvalidDataError, av.ExternalError) as error:  # the second is zlib's
        damaged(ffmpeg_reason(error))
        return
    for picture in pictures:
        if picture.is_corrupt:
            damaged("damaged picture data")
        yield picture


def _packets(
    container: InputContainer,
    index: int,
    saw: Callable[[Packet], None],
    damaged: Callable[[str], None],
    stopped: Callable[[], bool],
) -> Iterator[Packet]:
    """Yield one stream's packets, without a last one that the file's end has cut in two.

    A decoder with several threads loses up to a picture a thread when such a packet is in its
    queue at the end. A damaged packet elsewhere still holds a picture, or a part of one.
    """
    held: Packet | None = None
    for packet in takewhile(lambda _: not stopped(), container.demux()):
        if packet.stream.index != index or _repeats(packet):
            saw(packet)
            continue
        if held is not None:
            if packet.size:
                saw(held)
                yield held
            else:  # the empty packet that ends each stream
                damaged("the last frame is cut off")
            held = None
        if packet.is_corrupt:
            held = packet
        else:
            saw(packet)
            yield packet


def _repeats(packet: Packet) -> bool:
    """Return whether a packet only says that the last picture stays, as Theora's may.

    FFmpeg's decoders refuse it. The empty packet that ends a stream has no time.
    """
    return not packet.size and packet.dts is not None


def counts_moments(container: InputContainer) -> bool:
    """Return whether a container has no time stamps: AVI counts moments, the empty ones too."""
    return container.format.name == "avi"


class Progress:
    """Compares what was read from a file with what its header promised."""

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._container = container
        self._stream = stream
        self._counts_moments = counts_moments(container)
        self._hides_some = _hides_some(container, stream)
        self._gaps = Gaps(self.damaged)
        self._counted = 0
        self._end_s = 0.0
        self._first_problem = ""
        self._problems = 0

    def expected_frames(self) -> int | None:
        """Return the number of pictures that the header promises or implies."""
        if self._stream.frames and not self._hides_some:
            return self._stream.frames
        if (duration_s := self._duration_s()) and (rate := _average_rate(self._stream)):
            return round(duration_s * rate)
        return None

    def saw(self, packet: Packet) -> None:
        """Count a packet of any stream."""
        own = packet.stream.index == self._stream.index
        if own:
            self._gaps.saw(packet)
        if own and (packet.size or _repeats(packet)):
            moment = packet.dts if self._counts_moments else None
            self._counted = (self._counted if moment is None else moment) + 1
        # Where the count says it all, the time is not asked for, and fractions are slow.
        timed = own if self._hides_some else not self._stream.frames
        if timed and packet.pts is not None and packet.time_base:
            end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            self._end_s = max(self._end_s, end)

    def damaged(self, reason: str) -> None:
        """Note that something could not be decoded."""
        self._first_problem = self._first_problem or reason
        self._problems += 1

    def problem(self) -> str | None:
        """Return what was lost, in words, or None for a whole file."""
        if missing := self._missing():
            return missing
        if count := self._problems:
            return f"{counted(count, 'error')} while decoding ({self._first_problem})"
        return None

    def _missing(self) -> str | None:
        # Packets, not pictures: an edit list may hide pictures of a whole file.
        lost = self._stream.frames - self._counted
        if self._stream.frames and (lost <= 0 or not self._hides_some):
            whole = counted(self._stream.frames, "frame")
            return f"{lost} of {whole} missing" if lost > 0 else None
        if duration_s := self._duration_s():
            start_s = (self._container.start_time or 0) / av.time_base
            # Matroska's writers count the duration from 0 or from the first picture.
            missing_s = duration_s - max(self._end_s, self._end_s - start_s)
            if missing_s > _SLACK_S:
                return f"the last {missing_s:.1f} s of {duration_s:.1f} s are missing"
        return None

    def _duration_s(self) -> float | None:
        """Return how long the header says that what is shown lasts, in s."""
        if self._hides_some and self._stream.duration and self._stream.time_base:
            return float(self._stream.duration * self._stream.time_base)
        return self._container.duration / av.time_base if self._container.duration else None


def _hides_some(container: InputContainer, stream: VideoStream) -> bool:
    """Return whether the edit list of an MP4 or MOV hides pictures that the header counts.

    FFmpeg leaves out the packets of whole groups of them.
    """
    if "mp4" not in container.format.name.split(","):  # others estimate how long they last
        return False
    if not (stream.frames and stream.duration and stream.time_base and stream.average_rate):
        return False
    return stream.duration * stream.time_base * stream.average_rate < stream.frames - 0.5
