"""A bounded queue that can be closed, and a junction where several of them meet."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

_NOTES = 4  # notes about one thing that wait; of more, the oldest is out of date


class Closed(Exception):  # noqa: N818 - an end, not an error
    """Nothing more can be put into, or taken from, a channel."""


class Channel(Generic[T]):
    """A bounded first-in, first-out queue between threads.

    `close` says that nothing more will be put: what is inside can still be taken. `abort` throws
    away what is inside and wakes everybody, so that no thread waits for one that is gone.

    Args:
        capacity: How many items each of its rooms holds; may be changed before the first is put.
        about: Tells a note from an item: what it is about, None for an item. Notes keep their
            place between the items but take no room, and are not pushed out by them.
        condition: Shared with other channels.
        room: Says which room an item takes; one room unless given. Items of one room neither keep
            those of another waiting nor push them out, and all come out in the order of their
            arrival.
    """

    def __init__(
        self,
        capacity: int,
        about: Callable[[T], str | None] = lambda _: None,
        condition: threading.Condition | None = None,
        room: Callable[[T], Hashable] = lambda _: None,
    ) -> None:
        self.capacity = capacity
        self._about = about
        self._waiting: deque[T] = deque()
        self._room = room
        self._items: Counter[Hashable] = Counter()  # by room; the rest of what waits are notes
        self._changed = condition or threading.Condition()
        self._closed = False

    def put(self, item: T) -> None:
        """Add an item, waiting for room; raises `Closed`."""
        with self._changed:
            while self._is_full(item) and not self._closed:
                self._changed.wait()
            self._add(item)

    def put_newest(self, item: T) -> int:
        """Add an item without waiting; return how many were thrown away for room, 0 or 1.

        It is the oldest of its room. Raises `Closed`.
        """
        with self._changed:
            full = self._is_full(item) and not self._closed
            if full:
                room = self._room(item)
                items = ((i, old) for i, old in enumerate(self._waiting) if not self._is_note(old))
                del self._waiting[next(i for i, old in items if self._room(old) == room)]
                self._items[room] -= 1
            self._add(item)
            return int(full)

    def put_note(self, note: T) -> None:
        """Add a note without waiting; of too many about one thing the oldest goes.

        Raises `Closed`.
        """
        with self._changed:
            about = self._about(note)
            same = [i for i, old in enumerate(self._waiting) if self._about(old) == about]
            if len(same) >= _NOTES:
                del self._waiting[same[0]]
            self._add(note)

    def get(self, timeout_s: float | None = None) -> T:
        """Take the oldest item or note, waiting for one; raises `Closed`, or `TimeoutError`."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._waiting or self._closed, timeout_s):
                raise TimeoutError
            if not self._waiting:
                raise Closed
            (item,) = self._take(1)
            return item

    def close(self) -> None:
        """Say that nothing more will be put."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def abort(self) -> None:
        """Throw everything away and let nobody wait."""
        with self._changed:
            self._waiting.clear()
            self._items.clear()
            self._closed = True
            self._changed.notify_all()

    def pending(self) -> int:
        """Return how many items and notes wait."""
        return len(self._waiting)

    def __iter__(self) -> Iterator[T]:
        """Take what comes until the channel is closed and empty."""
        try:
            while True:
                yield self.get()
        except Closed:
            return

    def _is_note(self, item: T) -> bool:
        return self._about(item) is not None

    def _is_full(self, item: T) -> bool:
        return self._items[self._room(item)] >= self.capacity

    def _add(self, item: T) -> None:
        if self._closed:
            raise Closed
        self._waiting.append(item)
        if not self._is_note(item):
            self._items[self._room(item)] += 1
        if self._has_some():
            self._changed.notify_all()

    def _has_some(self) -> bool:
        """Whether somebody who waits for items has reason to wake."""
        return True

    def _take(self, count: int) -> list[T]:
        taken = [self._waiting.popleft() for _ in range(count)]
        rooms = Counter(self._room(item) for item in taken if not self._is_note(item))
        self._items -= rooms
        # Waking somebody for the room of one is dear.
        if any(self._items[room] <= self.capacity // 2 for room in rooms):
            self._changed.notify_all()
        return taken


class Tray(Channel[T]):
    """One of a junction's channels.

    `group` says how many items it gives at a time, fewer only at its end; 0: whatever it has. It
    may be changed, by `collect_by`, before the first item is put.
    """

    group = 0

    def collect_by(self, group: int, capacity: int = 1) -> None:
        """Set the group, and the room, at least as much as the group needs."""
        self.group, self.capacity = group, max(group, capacity)

    def ready(self) -> int:
        """Return how many items and notes can be taken now; its owner holds the condition."""
        if not self.group:
            return len(self._waiting)
        items = 0
        for count, item in enumerate(self._waiting, 1):
            items += not self._is_note(item)
            if items == self.group:
                return count
        return 0 if items and not self._closed else len(self._waiting)

    def _has_some(self) -> bool:
        return self.ready() > 0  # half a group would wake the junction's thread for nothing

    def take(self) -> list[T]:
        """Take what is ready; its owner holds the condition."""
        return self._take(self.ready())

    def ended(self) -> bool:
        """Whether nothing will come out of it any more."""
        return self._closed and not self._waiting


class Junction(Generic[T]):
    """Several trays that one thread empties in batches.

    A tray with a group gives exactly that many items a time, and nothing of another tray with
    them: what is computed together must not depend on timing, or two runs over a file would
    differ. Trays without a group give together what they have.
    """

    def __init__(self, about: Callable[[T], str | None] = lambda _: None) -> None:
        self._about = about
        self._changed = threading.Condition()
        self._trays: list[Tray[T]] = []

    def open(self, group: int = 0) -> Tray[T]:
        """Add a tray, before anything is taken."""
        tray: Tray[T] = Tray(1, self._about, self._changed)
        tray.collect_by(group)
        self._trays.append(tray)
        return tray

    def batches(self) -> Iterator[list[T]]:
        """Yield what belongs together, until all trays are closed and empty."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_ready() or self._is_over())
                if not self._is_ready():
                    return
                together: list[T] = []
                batches = [together]
                for tray in self._trays:
                    if tray.group:
                        batches.append(tray.take())
                    else:
                        together += tray.take()
            yield from filter(None, batches)

    def abort(self) -> None:
        """Abort every tray."""
        for tray in self._trays:
            tray.abort()

    def _is_ready(self) -> bool:
        return any(tray.ready() for tray in self._trays)

    def _is_over(self) -> bool:
        return all(tray.ended() for tray in self._trays)
