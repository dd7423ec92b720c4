"""Keeps one source's frames coming: opens it, reads it, and does so again when it is lost."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from fer_stream.engine.backoff import Backoff
from fer_stream.engine.channel import Channel, Closed
from fer_stream.engine.session import Session, open_source
from fer_stream.engine.stats import RunStats
from fer_stream.errors import IncompleteError, SourceError
from fer_stream.pace import Pace
from fer_stream.stages import Source
from fer_stream.types import Frame, SourceState, SourceStatus, StreamInfo

logger = logging.getLogger("fer_stream")

MOST_ABANDONED = 3
"""Blocked readers of one source that may be left behind at a time."""
GRACE_S = 4.5
"""How long a source that has stalled has to end by itself before its reader is given up."""
STALL_SHARE = 0.8
"""A session that ends after so much of its time-out without a frame ends because it stalled."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a lane's frames come from."""

    new_source: Callable[[], Source]
    source_id: str = ""
    """What the user calls it; empty: what it calls itself."""
    live: bool | None = None
    """Whether to treat it as live, or as a recording; None: as it says itself."""


class Supervisor:
    """Owns the sessions of one source and the threads that read them.

    Frames go to `inbox`, and with them, in their place, a `SourceStatus` for each change. A file
    waits for room there; of a live source the newest frame replaces one that waits.

    Args:
        origin: Makes the source, anew for each session.
        inbox: Where frames and statuses go; it is closed when no more come.
        opened: Called, before the first frame is put, with what the opened source says.
        failed: Called with an exception that ended the source for good, and True: what was read
            before it still goes on.
        stats: The run's numbers.
    """

    def __init__(
        self,
        origin: Origin,
        inbox: Channel[Frame | SourceStatus],
        opened: Callable[[StreamInfo], None],
        failed: Callable[[BaseException, bool], None],
        stats: RunStats,
    ) -> None:
        self._origin = origin
        self._inbox = inbox
        self._opened = opened
        self._failed = failed
        self._decode = stats.stages["decode"]
        first = origin.new_source()
        self._first: Source | None = first  # until its session begins
        self.live = first.live if origin.live is None else origin.live
        self.source_id = origin.source_id or first.source_id or first.name
        self.info: StreamInfo | None = None
        """What the first session that opened said, with the engine's name and kind."""
        self.stats = stats.new_source(self.source_id, live=self.live)
        self._changed = threading.Condition()
        self._session: Session | None = None
        self._abandoned: list[Session] = []
        self._next_number = 0
        self._told: tuple[SourceState, str, int] | None = None
        self._pace: Pace | None = None
        self._over = False
        self._watcher = threading.Thread(target=self._work, daemon=True)

    # -- the engine's side -------------------------------------------------------------------

    def open(self) -> None:
        """Open the source at once, on this thread; for one that must be there."""
        assert self._first is not None
        info = open_source(self._first)
        self.source_id = self._origin.source_id or info.source_id
        self._adopt(info)

    def start(self) -> None:
        """Begin to read."""
        self._watcher.name = f"watch {self.source_id}"
        self._watcher.start()

    def stop(self) -> None:
        """Read no more; what was read is still there to be taken."""
        self._finish("ended")

    def release(self) -> None:
        """Close the source that `open` opened, when it will not be read."""
        if self._first is None or self.info is None:
            return
        try:
            self._first.close()
        except (Exception, SystemExit) as error:  # the run ends for another reason
            logger.debug("%s failed to close: %s", self.source_id, error)

    def threads(self) -> list[threading.Thread]:
        """Return the threads to wait for once it is stopped; not those that were given up."""
        session = self._session
        return [self._watcher, *([session.thread] if session else [])]

    # -- the watching thread -----------------------------------------------------------------

    def _work(self) -> None:
        backoff, source = Backoff(), self._first
        assert source is not None
        try:
            while session := self._begin(source):
                error = self._watch(session)
                session.stop()  # it was given up, or the run stops, or it is over
                if self._is_final(session, error):
                    return
                with self._changed:
                    wait_s = backoff.wait_s(session.streamed_s())
                    self._changed.wait_for(lambda: self._over, wait_s)
                source = self._origin.new_source()
            if source is self._first:  # another source's error, or a stop, came before it began
                self.release()
        except BaseException as error:  # a constructor that fails now and did not before
            self._failed(error, True)
            self._finish("error", str(error))

    def _begin(self, source: Source) -> Session | None:
        """Start a session; None once it is stopped. Waits while too many readers are blocked."""
        with self._changed:
            while self._count_blocked() >= MOST_ABANDONED and not self._over:
                self._tell("reconnecting", f"{MOST_ABANDONED} of its readers are blocked")
                if self.stats.blocked_since_ns is None:
                    self.stats.blocked_since_ns = time.monotonic_ns()
                self._changed.wait()
            self.stats.blocked_since_ns = None
            if self._over:
                return None
            is_open = source is self._first and self.info is not None
            self._first = None
            session = Session(self, source, self._next_number, is_open=is_open)
            session.thread.name = f"read {self.source_id}"
            self._session = session
            session.thread.start()
            return session

    def _count_blocked(self) -> int:
        self._abandoned = [session for session in self._abandoned if not session.is_over]
        return len(self._abandoned)

    def _watch(self, session: Session) -> BaseException | None:
        """Wait for a session's end; say when it stalls, and give it up if that lasts.

        Returns why it ended, None at its own end.
        """
        with self._changed:
            while not session.is_over and not self._over:
                # A plugin's source may have a time-out without end.
                wait_s = self._patience_s(session) if self.live else math.inf
                if wait_s <= 0:
                    return self._abandon(session)
                self._changed.wait(min(wait_s, threading.TIMEOUT_MAX))
            return session.error

    def _patience_s(self, session: Session) -> float:
        """Return for how many seconds nothing is to be done; 0 or less: give it up."""
        silent_s = session.silent_s()
        if not session.frames:
            return session.open_timeout_s - silent_s
        if silent_s < session.frame_timeout_s:
            return session.frame_timeout_s - silent_s
        self._tell_stalled(session, silent_s)
        return session.frame_timeout_s + GRACE_S - silent_s

    def _abandon(self, session: Session) -> SourceError:
        self._session = None
        self._abandoned.append(session)
        self.stats.abandoned += 1
        silent_s = session.silent_s()
        return SourceError(f"{self.source_id} gave no frame for {silent_s:.0f} s and was given up")

    def _is_final(self, session: Session, error: BaseException | None) -> bool:
        """Say how a session ended; return whether the source has ended with it."""
        silent_s = session.silent_s()
        with self._changed:
            if self._over:
                return True
            is_lost = isinstance(error, SourceError) and not isinstance(error, IncompleteError)
            if self.live and is_lost:
                if silent_s >= STALL_SHARE * session.frame_timeout_s:
                    self._tell_stalled(session, silent_s)
                self._tell("reconnecting", str(error))
                return False
        if error is None:
            self._finish("ended")
        else:
            self._failed(error, True)
            self._finish("error", str(error))
        return True

    # -- a session's side --------------------------------------------------------------------

    def begun(self, session: Session, info: StreamInfo) -> bool:
        """Learn what a session's source is; return whether to read it."""
        with self._changed:
            if session is not self._session or self._over:
                return False
            if self.info is None:
                self._adopt(info)
            is_film = not info.live and info.frame_count is not None
            self._pace = Pace(hurries=False) if is_film and self.live else None
            return True

    def take(self, session: Session, frame: Frame, took_s: float) -> bool:
        """Pass on a session's next frame; return whether more are wanted."""
        if self._pace is not None:
            frame = self._at_its_moment(self._pace, frame)
        try:
            with self._changed:
                if session is not self._session or self._over:
                    self.stats.frames_dropped["stale"] += session is not self._session
                    return False
                if self._is_stale(session, took_s):
                    return False
                self._decode.observe(took_s)
                frame = self._counted(session, frame)
                if self.live:
                    self.stats.frames_dropped["late"] += self._inbox.put_newest(frame)
                    return True
            self._inbox.put(frame)  # waits for room, and must not keep a stop waiting
        except Closed:
            return False
        return True

    def ended(self, session: Session) -> None:
        """Take note that a session's thread has nothing more to do."""
        with self._changed:
            session.is_over = True
            self._changed.notify_all()

    # -- shared ------------------------------------------------------------------------------

    def _adopt(self, info: StreamInfo) -> None:
        if self._origin.live is None:
            self.live = info.live
        self.info = replace(info, source_id=self.source_id, live=self.live)
        self.stats.source_id, self.stats.live = self.source_id, self.live
        self._opened(self.info)

    def _is_stale(self, session: Session, took_s: float) -> bool:
        """Whether a frame only came because reading it timed out: FFmpeg then gives an old one."""
        if not (self.live and session.frames and took_s >= session.frame_timeout_s):
            return False
        self.stats.frames_dropped["stale"] += 1
        session.error = SourceError(f"{self.source_id} gave no frame for {took_s:.1f} s")
        return True

    def _at_its_moment(self, pace: Pace, frame: Frame) -> Frame:
        """Hold a film's frame back until a camera would have given it."""
        with self._changed:
            self._changed.wait_for(lambda: self._over, pace.ahead_s(frame.time_s))
        now = datetime.now(UTC)
        return replace(frame, captured_at=now, captured_ns=time.monotonic_ns())

    def _counted(self, session: Session, frame: Frame) -> Frame:
        if not session.frames:
            self.stats.reconnects += self._next_number > 0
            self._changed.notify_all()  # from now on the watcher waits for shorter
        own = frame.info.source_id if frame.info.stills else self.source_id
        frame = session.taken(frame, own, self.live)
        self.stats.frames_read += 1
        self.stats.last_frame_ns = frame.captured_ns
        info = frame.info
        if self.stats.state != "online" or self._next_number != info.session + 1:
            self._next_number = info.session + 1
            if not info.stills or self._told is None:
                self._tell("online", info=info)
        return frame

    def _tell_stalled(self, session: Session, silent_s: float) -> None:
        if self.stats.state == "online":
            option = session.frame_timeout_option
            remedy = f"; if it is only slow, set a longer {option} in a --config file"
            self._tell("stalled", f"no frame for {silent_s:.1f} s{remedy if option else ''}")

    def _tell(self, state: SourceState, reason: str = "", info: StreamInfo | None = None) -> None:
        """Report a change, once: with the frames to the sinks, and to the log."""
        number = max(self._next_number - (state != "reconnecting"), 0)
        if self._told == (state, reason, number):
            return
        self._told = (state, reason, number)
        self.stats.state, self.stats.reason = state, reason
        with suppress(Closed):
            stills = self.info is not None and self.info.stills
            status = SourceStatus(self.source_id, state, number, datetime.now(UTC), reason, stills)
            self._inbox.put_note(status)
        if self.live:
            level, line = _line(state, reason, info)
            logger.log(
                level, "%s%s", "" if self._is_named_in(line) else f"{self.source_id}: ", line
            )

    def _is_named_in(self, line: str) -> bool:
        # A name that the user gave may be a part of the URL by chance: `cam` of rtsp://camera/1.
        own = self._origin.source_id
        return line.startswith(f"{own} ") if own else self.source_id in line

    def _finish(self, state: SourceState, reason: str = "") -> None:
        with self._changed:
            if not self._over:
                self._over = True
                self._tell(state, reason)
                self._inbox.close()
                self._changed.notify_all()


def _line(state: SourceState, reason: str, info: StreamInfo | None) -> tuple[int, str]:
    """Return a log line's level and what it says of a change."""
    if info is not None:
        return logging.INFO, f"{state}, {described(info)}"
    if state == "reconnecting":
        return logging.WARNING, f"{reason}; trying again until the run is stopped (Ctrl-C)"
    return logging.WARNING if reason else logging.INFO, f"{state}: {reason}" if reason else state


def described(info: StreamInfo) -> str:
    """Return a stream's size and rate in words."""
    rate = f", {info.fps:.4g} frames/s" if info.fps else ""
    return f"{info.width}x{info.height}{rate}"
