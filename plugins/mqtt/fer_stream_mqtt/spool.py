"""What is still to be sent, on disk: an SQLite file that a broker's absence fills.

Each `add` is committed before it returns, so that killing the process loses nothing. With
`synchronous=NORMAL` a commit does not wait for the disk; what survives a power cut is what came
before the last `checkpoint`, which does wait.
"""

from __future__ import annotations

import errno
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from fer_stream.errors import SinkError

logger = logging.getLogger("fer_stream.mqtt")

_BUSY_S = 10.0  # how long a write waits for the other connection's
_WAL_PAGES = 4000  # 16 MB
_SPARE_BYTES = 16_000_000  # so much unused is given back, once little else is in the file
_DROPPED_AT_ONCE = 64  # messages: dropping one by one would cost a transaction each
_TABLE = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY, topic TEXT NOT NULL, payload BLOB NOT NULL
)
"""


class Message(NamedTuple):
    """Something to send."""

    id: int
    """Rises by 1 from message to message."""
    topic: str
    payload: bytes


class Spool:
    """A queue of messages on disk. `add` belongs to one thread, all else to another.

    Args:
        path: The SQLite file; its folder is made.
        limit_bytes: With more on disk the oldest messages are dropped, and counted.

    Raises:
        SinkError: From each method: another run uses the file, or the disk is full or broken.
    """

    def __init__(self, path: Path, limit_bytes: int) -> None:
        self.path = path
        self.dropped = 0
        self._limit_bytes = limit_bytes
        with self._errors():
            if path.is_dir():
                raise SinkError(
                    f"mqtt: the spool {path} is a folder; name a file in it, such as "
                    f"?spool={path / 'mqtt.sqlite'}"
                )
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = self._acquire()
        try:
            with self._errors():
                self._prepare()
                self._writer = self._connect()
                # A checkpoint waits for the disk, so the other thread is the first to do it. Only
                # when messages come too fast for that must whoever adds them wait.
                self._writer.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
                self._reader = self._connect()
                first, last = self._ends()
        except BaseException:
            self._lock.close()
            raise
        self._next = last + 1
        self._unsafe = first

    def add(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Keep messages (topic, payload), all or none."""
        rows = [(self._next + n, *message) for n, message in enumerate(messages)]
        with self._errors(), self._writer:
            self._writer.execute("BEGIN IMMEDIATE")
            self._writer.executemany("INSERT INTO message VALUES (?, ?, ?)", rows)
            while _sizes(self._writer)[0] > self._limit_bytes and self._drop_oldest():
                pass
        self._next += len(rows)

    def after(self, last_id: int, count: int) -> list[Message]:
        """Return up to `count` messages behind `last_id`, oldest first."""
        with self._errors():
            found = self._reader.execute(
                "SELECT id, topic, payload FROM message WHERE id > ? ORDER BY id LIMIT ?",
                (last_id, count),
            )
            return [Message(*row) for row in found]

    def remove(self, last_id: int) -> None:
        """Forget the messages up to `last_id`: they have arrived."""
        with self._errors():
            self._reader.execute("DELETE FROM message WHERE id <= ?", (last_id,))

    def waiting(self) -> int:
        """Return how many messages are kept."""
        with self._errors():
            first, last = self._ends()
            return last - first + 1

    def checkpoint(self) -> None:
        """Make what has waited since the last call safe from a power cut.

        Gives the disk back what an outage took, once that is over.
        """
        with self._errors():
            first, last = self._ends()
            # With a broker that answers, a message is gone before the disk would be done.
            if first < self._unsafe:
                self._reader.execute("PRAGMA wal_checkpoint(PASSIVE)")
            self._unsafe = last + 1
            used, unused = _sizes(self._reader)
            if unused > _SPARE_BYTES and used < unused // 8:
                self._reader.execute("VACUUM")  # it takes as long as what is used is large
                self._reader.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close_writer(self) -> None:
        """Say that nothing more is added."""
        self._writer.close()

    def close(self) -> None:
        """Let others use the file."""
        try:
            self._reader.close()
        finally:
            self._lock.close()

    def _acquire(self) -> sqlite3.Connection:
        """Hold a lock that any end of the process releases, on every system."""
        path = self.path.with_name(f"{self.path.name}.lock")
        with self._errors():
            lock = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.Error as error:
                lock.close()
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise  # a full disk
                raise SinkError(
                    f"mqtt: the spool {self.path} is in use, by another run or another sink of "
                    'this one; give each run a name of its own (instance = "NAME" in a --config '
                    "file), and each broker one sink, with a spool of its own"
                ) from None
        return lock

    def _prepare(self) -> None:
        """Check the file that is there; set it aside if it is none of ours."""
        try:
            with closing(self._connect()) as found:
                (answer,) = found.execute("PRAGMA quick_check(1)").fetchone()
                found.execute(_TABLE)
                found.execute("SELECT id, topic, payload FROM message LIMIT 1").fetchone()
                if answer == "ok":
                    if found.execute("SELECT id FROM message LIMIT 1").fetchone() is None:
                        found.execute("VACUUM")  # gives the disk back what an outage took
                    return
        except sqlite3.DatabaseError as error:
            if _is_trouble(error):
                raise
        self._set_aside()
        with closing(self._connect()) as new:
            new.execute(_TABLE)

    def _set_aside(self) -> None:
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        aside = self.path.with_name(f"{self.path.name}.corrupt-{moment}")
        for ending in ("", "-wal", "-shm"):
            part = Path(f"{self.path}{ending}")
            if part.exists():
                part.replace(f"{aside}{ending}")
        logger.warning(
            "mqtt: the spool %s is damaged; it is kept as %s, and a new one begun", self.path, aside
        )

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _ends(self) -> tuple[int, int]:
        """Return the first and the last id; (1, 0) for none."""
        (ends,) = self._reader.execute("SELECT min(id), max(id) FROM message")
        return (1, 0) if ends[0] is None else ends

    def _drop_oldest(self) -> bool:
        """Drop some of the oldest messages, none of those just added; return whether any."""
        dropped = self._writer.execute(
            "DELETE FROM message WHERE id < min((SELECT min(id) FROM message) + ?, ?)",
            (_DROPPED_AT_ONCE, self._next),
        ).rowcount
        self.dropped += dropped
        return dropped > 0

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except UnicodeEncodeError:
            raise SinkError(
                f"mqtt cannot keep its spool {str(self.path)!a}: this locale has no such "
                "letters; name another file with ?spool=FILE, or set LC_ALL=C.UTF-8"
            ) from None
        except (sqlite3.Error, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            room = "make room or " if _is_full(error) else ""
            raise SinkError(
                f"mqtt cannot keep its spool {self.path}: {reason}; {room}name another file with "
                "?spool=FILE"
            ) from None


def _sizes(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return how many bytes of the file are used, and how many are not."""
    ((pages,),) = connection.execute("PRAGMA page_count")
    ((free,),) = connection.execute("PRAGMA freelist_count")
    ((size,),) = connection.execute("PRAGMA page_size")
    return (pages - free) * size, free * size


def _is_full(error: sqlite3.Error | OSError) -> bool:
    """Return whether more room may help; SQLite calls some full disks an I/O error."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def _is_trouble(error: sqlite3.DatabaseError) -> bool:
    """Return whether the disk is at fault, not what is in the file."""
    damaged = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
    return getattr(error, "sqlite_errorcode", 0) & 0xFF not in damaged
