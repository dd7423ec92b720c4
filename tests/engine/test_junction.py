"""The junction: files are classified in exact groups, live sources as they come."""

from __future__ import annotations

import threading
import time
from collections import defaultdict

import pytest

from fer_stream.engine.channel import Closed, Junction

pytestmark = pytest.mark.timeout(20)


def test_a_grouped_channel_gives_exact_groups_and_the_rest_at_its_end() -> None:
    junction: Junction[int] = Junction()
    channel = junction.open(group=4)

    def fill() -> None:
        for item in range(10):
            channel.put(item)
            time.sleep(0.002)  # slower than the taker: it must wait for whole groups
        channel.close()

    threading.Thread(target=fill, daemon=True).start()
    assert list(junction.batches()) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_groups_of_two_files_are_never_mixed_whatever_the_timing() -> None:
    junction: Junction[tuple[str, int]] = Junction()
    channels = {name: junction.open(group=4) for name in "ab"}
    for name, channel in channels.items():  # both ready at the same moment
        for item in range(4):
            channel.put((name, item))
        channel.close()
    batches = list(junction.batches())
    assert sorted(batches) == [[("a", i) for i in range(4)], [("b", i) for i in range(4)]]


def test_live_channels_give_what_they_have_together_and_wait_for_no_company() -> None:
    junction: Junction[str] = Junction()
    first, second = junction.open(), junction.open()
    batches = junction.batches()
    first.put("a")
    assert next(batches) == ["a"]
    first.put("b")
    second.put("c")
    assert next(batches) == ["b", "c"]
    first.close()
    second.close()
    assert list(batches) == []


def test_a_channel_holds_at_least_one_group() -> None:
    junction: Junction[int] = Junction()
    channel = junction.open(group=3)
    for item in range(3):
        channel.put(item)  # would wait for ever with room for one
    channel.close()
    assert list(junction.batches()) == [[0, 1, 2]]


def test_it_ends_only_when_every_channel_has_ended() -> None:
    junction: Junction[int] = Junction()
    first, second = junction.open(), junction.open(group=4)
    taken: dict[str, list[int]] = defaultdict(list)

    def take() -> None:
        for batch in junction.batches():
            taken["all"].extend(batch)

    taking = threading.Thread(target=take, daemon=True)
    taking.start()
    first.close()
    taking.join(0.1)
    assert taking.is_alive()
    second.put(1)
    second.close()
    taking.join(10)
    assert not taking.is_alive()
    assert taken["all"] == [1]


def test_abort_wakes_the_taker_and_whoever_puts() -> None:
    junction: Junction[int] = Junction()
    channel = junction.open(group=2)
    waiting = junction.open(group=2)
    taking = threading.Thread(target=lambda: list(junction.batches()), daemon=True)
    waiting.put(1)  # half a group: the taker waits
    taking.start()
    junction.abort()
    taking.join(10)
    assert not taking.is_alive()
    with pytest.raises(Closed):
        channel.put(1)


def test_notes_do_not_count_for_a_group_and_keep_their_place() -> None:
    junction: Junction[int] = Junction(about=lambda item: "note" if item < 0 else None)
    tray = junction.open(group=3)
    batches = junction.batches()
    tray.put_note(-1)
    assert next(batches) == [-1], "nothing to wait for"
    tray.put(1)
    tray.put_note(-2)
    tray.put(2)
    tray.put(3)
    assert next(batches) == [1, -2, 2, 3]
    tray.put(4)
    tray.put_note(-3)
    tray.close()
    assert list(batches) == [[4, -3]]


def test_half_a_group_wakes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    junction: Junction[int] = Junction()
    channel = junction.open(group=4)
    woken: list[int] = []
    monkeypatch.setattr(channel._changed, "notify_all", lambda: woken.append(channel.pending()))
    for item in range(4):
        channel.put(item)
    assert woken == [4]
