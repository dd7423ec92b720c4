"""What is retained is said on change, not too often, and again after a while."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from fer_stream_mqtt.board import HEARTBEAT_S, Board
from fer_stream_mqtt.topics import Topics

from fer_stream.testing import make_run
from tests.mqtt.sinks import seen, told

STATE, STATUS = "fer-stream/hall/cam/state", "fer-stream/hall/cam/status"


@pytest.fixture
def board() -> Board:
    """Return a board that nobody waits for."""
    return Board(Topics("fer-stream", "hall"), lambda: None)


def states(board: Board, now_s: float, **options: Any) -> list[list[tuple[int, str]]]:
    """Return the states that are due: who shows what."""
    return [
        [(face["track_id"], face["emotion"]) for face in json.loads(payload)["faces"]]
        for topic, payload in board.due(now_s, **options)
        if topic.endswith("/state")
    ]


def test_a_first_frame_says_that_the_source_is_online_and_who_is_seen(board: Board) -> None:
    board.see(seen(3, "happy", "sad"))
    (status_topic, status), (state_topic, state) = board.due(0.0)
    assert (status_topic, state_topic) == (STATUS, STATE)
    told = json.loads(status)
    assert told.pop("at").endswith("Z")
    assert told == {
        "schema": "fer.status/1",
        "source": "cam",
        "state": "online",
        "session": 0,
        "reason": "",
    }
    value = json.loads(state)
    assert value.pop("at").endswith("Z")
    assert value == {
        "schema": "fer.state/1",
        "source": "cam",
        "session": 0,
        "faces": [
            {"track_id": 1, "emotion": "happy", "score": 0.7, "uncertain": False},
            {"track_id": 2, "emotion": "sad", "score": 0.7, "uncertain": False},
        ],
    }


def test_single_pictures_have_neither_status_nor_state(board: Board) -> None:
    board.tell(replace(told("online"), stills=True))
    board.see(seen(0, "happy", stills=True))
    board.tell(replace(told("ended"), stills=True))
    assert board.sources() == []
    assert board.due(0.0, last=True) == []


def test_at_the_beginning_nothing_was_read_of_any_source_but_pictures(board: Board) -> None:
    board.begin(replace(make_run(("cam", "album")), stills=frozenset({"album"})))
    (status_topic, status), (state_topic, state) = board.due(0.0)
    assert (status_topic, state_topic) == (STATUS, STATE)
    assert json.loads(status)["state"] == "reconnecting"
    assert json.loads(state)["faces"] == []
    board.see(seen(0, "happy"))
    assert json.loads(board.due(1.0)[0][1])["state"] == "online"


def test_pictures_that_nobody_knew_to_be_any_have_a_true_status(board: Board) -> None:
    board.begin(make_run(("album",)))
    board.tell(replace(told("online", "album"), stills=True))
    (_, status), (_, state) = board.due(0.0)
    assert json.loads(status)["state"] == "online"
    assert json.loads(state)["faces"] == []


def test_a_change_is_said_at_most_once_a_second_and_then_the_latest(board: Board) -> None:
    board.see(seen(0, "happy"))
    assert states(board, 100.0) == [[(1, "happy")]]
    board.see(seen(1, "sad"))
    board.see(seen(2, "angry"))
    assert states(board, 100.9) == []
    assert board.next_due_s() == 101.0
    assert states(board, 101.0) == [[(1, "angry")]]


def test_what_changed_and_changed_back_is_not_said(board: Board) -> None:
    for index, emotion in enumerate(["happy", "sad", "happy"]):
        board.see(seen(index, emotion))
        states(board, 100.0 + index / 25)
    assert states(board, 105.0) == []


def test_the_same_is_said_again_after_the_heartbeat(board: Board) -> None:
    board.see(seen(0, "happy"))
    states(board, 100.0)
    board.see(seen(1, "happy"))
    assert states(board, 100.0 + HEARTBEAT_S - 0.1) == []
    assert states(board, 100.0 + HEARTBEAT_S) == [[(1, "happy")]]


def test_faces_that_leave_leave_an_empty_state(board: Board) -> None:
    board.see(seen(0, "happy"))
    states(board, 100.0)
    board.see(seen(1))
    assert states(board, 101.0) == [[]]


@pytest.mark.parametrize("state", ["stalled", "reconnecting", "ended", "error"])
def test_nobody_is_seen_on_a_source_that_is_not_online(board: Board, state: Any) -> None:
    board.see(seen(0, "happy"))
    board.due(100.0)
    board.tell(told(state, reason="no frame for 3 s"))
    (topic, payload), (_, empty) = board.due(101.0)
    assert topic == STATUS
    assert (json.loads(payload)["state"], json.loads(payload)["reason"]) == (
        state,
        "no frame for 3 s",
    )
    assert json.loads(empty)["faces"] == []


def test_sources_do_not_wait_for_each_other(board: Board) -> None:
    board.see(seen(0, "happy"))
    assert states(board, 100.0) == [[(1, "happy")]]
    board.see(seen(0, "sad", source="door"))
    assert states(board, 100.1) == [[(1, "sad")]]


def test_a_new_connection_hears_everything_again(board: Board) -> None:
    board.see(seen(0, "happy"))
    first = board.due(100.0)
    assert board.due(100.1) == []
    board.forget_said()
    assert board.due(100.2) == first


def test_the_end_is_said_at_once(board: Board) -> None:
    board.see(seen(0, "happy"))
    board.due(100.0)
    board.clear()
    assert states(board, 100.1, last=True) == [[]]
    assert board.due(100.2, last=True) == []


def test_unrelated_pictures_have_no_state(board: Board) -> None:
    board.see(seen(0, "happy", stills=True))
    assert board.due(100.0) == []
    assert board.sources() == []
