"""Channels: what threads hand to each other, and how nobody waits for one that is gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from fer_stream.engine.channel import Channel, Closed

pytestmark = pytest.mark.timeout(20)


class Task:
    """A thread that is expected to block, and what came of it."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.result: object = None
        self.error: BaseException | None = None
        self._work = work
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.result = self._work()
        except BaseException as error:
            self.error = error

    def is_blocked(self) -> bool:
        self.thread.join(0.1)
        return self.thread.is_alive()

    def finish(self) -> None:
        self.thread.join(10)
        assert not self.thread.is_alive(), "still blocked"


def test_items_come_out_in_the_order_they_went_in() -> None:
    channel: Channel[int] = Channel(3)
    for item in (1, 2, 3):
        channel.put(item)
    assert channel.pending() == 3
    assert [channel.get(), channel.get(), channel.get()] == [1, 2, 3]
    assert channel.pending() == 0


def test_put_waits_for_room_and_a_get_wakes_it() -> None:
    channel: Channel[int] = Channel(1)
    channel.put(1)
    putting = Task(lambda: channel.put(2))
    assert putting.is_blocked()
    assert channel.get() == 1
    putting.finish()
    assert channel.get() == 2


def test_get_waits_for_an_item_and_a_put_wakes_it() -> None:
    channel: Channel[int] = Channel(1)
    getting = Task(channel.get)
    assert getting.is_blocked()
    channel.put(7)
    getting.finish()
    assert getting.result == 7


def test_get_gives_up_after_its_timeout_and_not_before() -> None:
    channel: Channel[int] = Channel(1)
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        channel.get(0.05)
    assert time.monotonic() - start >= 0.05


def test_after_close_what_is_inside_can_be_taken_but_nothing_put() -> None:
    channel: Channel[int] = Channel(2)
    channel.put(1)
    channel.close()
    with pytest.raises(Closed):
        channel.put(2)
    with pytest.raises(Closed):
        channel.put_newest(2)
    assert channel.get() == 1
    with pytest.raises(Closed):
        channel.get()


def test_after_abort_nothing_is_left_to_take() -> None:
    channel: Channel[int] = Channel(2)
    channel.put(1)
    channel.abort()
    assert channel.pending() == 0
    with pytest.raises(Closed):
        channel.get()


@pytest.mark.parametrize("end", ["close", "abort"])
def test_the_end_wakes_whoever_waits_for_room(end: str) -> None:
    channel: Channel[int] = Channel(1)
    channel.put(1)
    putting = Task(lambda: channel.put(2))
    assert putting.is_blocked()
    getattr(channel, end)()
    putting.finish()
    assert isinstance(putting.error, Closed)


@pytest.mark.parametrize("end", ["close", "abort"])
def test_the_end_wakes_whoever_waits_for_an_item(end: str) -> None:
    channel: Channel[int] = Channel(1)
    getting = Task(channel.get)
    assert getting.is_blocked()
    getattr(channel, end)()
    getting.finish()
    assert isinstance(getting.error, Closed)


def test_put_newest_never_waits_and_counts_what_it_throws_away() -> None:
    channel: Channel[int] = Channel(2)
    assert [channel.put_newest(item) for item in (1, 2)] == [0, 0]
    assert [channel.put_newest(item) for item in (3, 4, 5)] == [1, 1, 1]
    assert [channel.get(), channel.get()] == [4, 5]
    assert [channel.put_newest(item) for item in (6, 7)] == [0, 0], "there is room again"


def test_into_a_closed_channel_nothing_is_put_at_the_cost_of_what_waits() -> None:
    channel: Channel[int] = Channel(1)
    channel.put(1)
    channel.close()
    with pytest.raises(Closed):
        channel.put_newest(2)
    assert channel.get() == 1


def test_items_of_one_room_neither_wait_for_those_of_another_nor_push_them_out() -> None:
    channel: Channel[int] = Channel(2, room=lambda item: item % 2)
    channel.put(1)
    channel.put(3)
    putting = Task(lambda: channel.put(5))
    assert putting.is_blocked(), "its room is full"
    assert [channel.put_newest(item) for item in (2, 4, 6)] == [0, 0, 1]
    assert putting.is_blocked(), "what another room lost is no room for it"
    assert [channel.get(), channel.get()] == [1, 3]
    putting.finish()
    channel.close()
    assert list(channel) == [4, 6, 5], "in the order of their arrival"


def test_iterating_takes_everything_until_the_close() -> None:
    channel: Channel[int] = Channel(2)
    taken: list[int] = []
    reading = Task(lambda: taken.extend(channel))
    for item in range(20):
        channel.put(item)
    channel.close()
    reading.finish()
    assert taken == list(range(20))
    assert reading.error is None


def noted(capacity: int) -> Channel[str]:
    """Return a channel in which `a!...` is a note about a."""
    return Channel(capacity, about=lambda item: item[0] if item[1:2] == "!" else None)


def test_notes_take_no_room_and_keep_their_place() -> None:
    channel = noted(1)
    channel.put_note("a!1")
    channel.put("one")
    channel.put_note("a!2")
    assert channel.put_newest("two") == 1, "the item gives way, not a note"
    channel.put_note("b!1")
    channel.close()
    assert list(channel) == ["a!1", "a!2", "two", "b!1"]


def test_of_many_notes_about_one_thing_the_newest_stay() -> None:
    channel = noted(1)
    channel.put_note("b!0")
    for number in range(100):
        channel.put_note(f"a!{number}")
    channel.close()
    assert list(channel) == ["b!0", "a!96", "a!97", "a!98", "a!99"]


def test_a_note_cannot_be_put_into_a_closed_channel() -> None:
    channel = noted(1)
    channel.close()
    with pytest.raises(Closed):
        channel.put_note("a!1")
