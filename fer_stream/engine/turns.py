"""Several threads that take from one iterator, and go on in the order in which they took."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

from fer_stream.engine.channel import Closed

T = TypeVar("T")


class Turns(Generic[T]):
    """Gives each item to one thread, with a number; threads then wait for their number's turn.

    Args:
        items: Asked by one thread at a time; may wait for its next item.
    """

    def __init__(self, items: Iterator[T]) -> None:
        self._items = enumerate(items)
        self._taking = threading.Lock()
        self._changed = threading.Condition()
        self._turn = 0
        self._aborted = False

    def take(self) -> tuple[int, T]:
        """Return the next item and its number, from 0; raises `Closed` when there are no more."""
        with self._taking:
            for numbered in self._items:
                return numbered
        raise Closed

    def wait(self, number: int) -> None:
        """Wait until all items before this one are done; raises `Closed` if they never will be."""
        with self._changed:
            self._changed.wait_for(lambda: self._turn == number or self._aborted)
            if self._turn != number:
                raise Closed

    def done(self) -> None:
        """End the turn of whoever has it."""
        with self._changed:
            self._turn += 1
            self._changed.notify_all()

    def abort(self) -> None:
        """Let nobody wait for a turn."""
        with self._changed:
            self._aborted = True
            self._changed.notify_all()
