"""One connection to a source: an instance of it, and the thread that opens and reads it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from fer_stream.engine.blame import named, reason, refuse, stage_error
from fer_stream.errors import FerStreamError, SourceError
from fer_stream.promises import Place, frame_problem, order_problem
from fer_stream.stages import Source
from fer_stream.types import Frame, StreamInfo
from fer_stream.words import counted

logger = logging.getLogger("fer_stream")


class Owner(Protocol):
    """Who is told, on the session's thread, what it does."""

    def begun(self, session: Session, info: StreamInfo) -> bool:
        """The source is open; return whether to read it."""

    def take(self, session: Session, frame: Frame, took_s: float) -> bool:
        """Here is a frame that took so many seconds to come; return whether to read on."""

    def ended(self, session: Session) -> None:
        """The source is closed; `error` says why, None at its end."""


class Session:
    """A connection, from its opening to its end.

    Args:
        owner: Takes its frames.
        source: A new instance, or one that is open and has not been read.
        number: The number of its first session: a source counts from 0.
        is_open: Whether the source is open.
    """

    def __init__(self, owner: Owner, source: Source, number: int, *, is_open: bool) -> None:
        self.open_timeout_s, self.frame_timeout_s = source.open_timeout_s, source.frame_timeout_s
        self.frame_timeout_option = source.frame_timeout_option
        self.frames = 0
        self.error: BaseException | None = None
        self.is_over = False
        self._owner = owner
        self._number = number
        self._is_open = is_open
        self._first_s = self._last_s = time.monotonic()
        self._given: StreamInfo | None = None
        self._info: StreamInfo | None = None
        self._source: Source | None = source  # while its thread lives
        self.thread = threading.Thread(target=self._work, name=f"read {source.name}", daemon=True)

    def stop(self) -> None:
        """Tell the source, if it is not closed yet, that nobody waits for it."""
        source = self._source
        if source is None:
            return
        try:
            source.stop()
        except (Exception, SystemExit) as error:  # how the session ended is told by another
            logger.debug("%s failed to stop: %s", source.name, error)

    def silent_s(self) -> float:
        """Return how many seconds ago its last frame came, or it began."""
        return time.monotonic() - self._last_s

    def streamed_s(self) -> float:
        """Return for how many seconds it has given frames."""
        return self._last_s - self._first_s

    def taken(self, frame: Frame, source_id: str, live: bool) -> Frame:
        """Count a frame, and give it the engine's name, session number and kind of its stream."""
        self._last_s = time.monotonic()
        if not self.frames:
            self._first_s = self._last_s
        self.frames += 1
        given = frame.info
        if self._info is None or given is not self._given:
            number = self._number + given.session
            self._given = given
            self._info = replace(given, source_id=source_id, session=number, live=live)
        return frame if given == self._info else replace(frame, info=self._info)

    def _work(self) -> None:
        assert self._source is not None
        try:
            self._read(self._source)
        except SourceError as error:
            # Where it came from holds the decoder, and would do so until Python looks for cycles.
            error.__traceback__ = error.__context__ = error.__cause__ = None
            self.error = error
        except BaseException as error:
            self.error = error
        # A decoder goes with its thread, not only when Python looks for the cycles in which a
        # run's parts hold each other.
        self._source = None
        self._owner.ended(self)

    def _read(self, source: Source) -> None:
        info = None if self._is_open else open_source(source)
        failed = False
        try:
            if info is None or self._owner.begun(self, info):
                self._pass_on(source)
        except BaseException:
            failed = True
            raise
        finally:
            try:
                source.close()
            except (Exception, SystemExit) as error:
                if not failed:
                    raise stage_error(named(source), "failed to close", error) from error
                logger.debug("%s failed to close: %s", source.name, error)

    def _pass_on(self, source: Source) -> None:
        start_ns = time.perf_counter_ns()
        for frame in self._frames(source):
            if not self._owner.take(self, frame, (time.perf_counter_ns() - start_ns) / 1e9):
                return
            start_ns = time.perf_counter_ns()

    def _frames(self, source: Source) -> Iterator[Frame]:
        given, place = 0, None
        try:
            for frame in source.frames():
                if problem := frame_problem(frame) or order_problem(frame, place):
                    refuse(source, f"after {counted(given, 'frame')}", problem)
                given, place = given + 1, Place.of(frame)
                yield frame
        except FerStreamError:
            raise
        except (Exception, SystemExit) as error:
            raise _failure(source, f"failed after {counted(given, 'frame')}", error) from error


def open_source(source: Source) -> StreamInfo:
    """Open a source; raises `SourceError` when it cannot be had, `StageError` for a bug."""
    try:
        info = source.open()
    except FerStreamError:
        raise
    except Exception as error:  # not SystemExit: Ctrl-C may break an opening off
        raise _failure(source, "cannot be opened", error) from error
    if not isinstance(info, StreamInfo):
        refuse(source, "as it was opened", f"open must return a StreamInfo, got {info!r}")
    return info


def _failure(source: Source, how: str, error: BaseException) -> FerStreamError:
    if isinstance(error, OSError):  # the world's: a live source is tried again
        return SourceError(f"{named(source)} {how}: {reason(error)}")
    return stage_error(named(source), how, error)
