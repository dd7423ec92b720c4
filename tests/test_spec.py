"""Stages are asked for as `NAME`, `NAME:TARGET` or a URL, with options as a query."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from fer_stream.errors import ConfigError
from fer_stream.spec import StageSpec, build, options_of, split_query
from fer_stream.stages import Filter
from fer_stream.testing import FakeSource
from fer_stream.urls import without_login, without_password

MONITORING = (Path(__file__).parents[1] / "docs" / "monitoring.md").read_text()
NAMED = MONITORING.split("ends in one of some words (")[1].split(")")[0]


class Many(Filter):
    name = "many"

    def __init__(
        self,
        target: str = "",
        *,
        text: str = "",
        whole: int = 0,
        number: float = 0.0,
        maybe: int | None = None,
        yes: bool = False,
    ) -> None:
        self.given = {"text": text, "whole": whole, "number": number, "maybe": maybe, "yes": yes}
        self.target = target

    def apply(self, frame: Any, faces: Any) -> Any: ...


@pytest.mark.parametrize(
    ("text", "head", "options"),
    [
        ("csv:out.csv", "csv:out.csv", {}),
        ("csv:out.csv?append=yes", "csv:out.csv", {"append": "yes"}),
        ("a?x=1&y=", "a", {"x": "1", "y": ""}),
        ("mqtt://u@h:1883/topic?qos=1", "mqtt://u@h:1883/topic", {"qos": "1"}),
        ("what?", "what?", {}),
        ("frame_???.png", "frame_???.png", {}),
        ("frame_?.png?fps=5", "frame_?.png", {"fps": "5"}),
        ("a?text=a%20b%26c", "a", {"text": "a b&c"}),
        ("a?text=c++.txt", "a", {"text": "c++.txt"}),
    ],
)
def test_options_follow_the_last_question_mark(
    text: str, head: str, options: dict[str, str]
) -> None:
    assert split_query(text) == (head, options)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://user:secret@host/1", "rtsp://user:***@host/1"),
        ("rtsp://user:secret@host:554/1?a=b#c", "rtsp://user:***@host:554/1?a=b#c"),
        ("rtsp://user:s@cr:t@host/1", "rtsp://user:***@host/1"),
        ("rtsp://:secret@host", "rtsp://:***@host"),
        ("rtsp://user:@host", "rtsp://user:***@host"),
        ("rtsp://user:se/cr/et@host/1", "rtsp://user:***@host/1"),
        ("rtsp://user:se#cret@host/1", "rtsp://user:***@host/1"),
        ("rtsp://user:se?cret@host/1", "rtsp://user:***@host/1"),
        ("rtsp://user:se[cret@host/1", "rtsp://user:***@host/1"),
        ("rtsp://user:secret@[::1]:554/1", "rtsp://user:***@[::1]:554/1"),
        ("mqtt:mqtt://user:secret@host", "mqtt:mqtt://user:***@host"),
        ("http://cam/x?user=a&password=secret", "http://cam/x?user=a&password=***"),
        ("http://cam/x?TOKEN=secret&size=1#top", "http://cam/x?TOKEN=***&size=1#top"),
        ("http://cam/x?access_token=sec_ret=&size=1", "http://cam/x?access_token=***&size=1"),
        ("http://cam/x?loginuse=a&loginpas=secret", "http://cam/x?loginuse=a&loginpas=***"),
        ("rtsp://cam/user=a&password=secret&ch=1", "rtsp://cam/user=a&password=***&ch=1"),
        ("rtsp://cam/user=a_password=se_cret_ch=1?x", "rtsp://cam/user=a_password=***_ch=1?x"),
        ("//user:secret@host/1", "//user:***@host/1"),
        ("rtsp://me@x.com:secret@host/1", "rtsp://me@x.com:***@host/1"),
        ("rtsp://me@x.com:se/cret@host/1", "rtsp://me@x.com:***@host/1"),
        ("rtsp://user:12/secret@host/1", "rtsp://user:***@host/1"),
        ("rtsp://user:12?secret@host/1", "rtsp://user:***@host/1"),
        ("http://token@host/1", "http://***@host/1"),
        ("http://token@host:80/a@b", "http://***@host:80/a@b"),
        ("http://token@[::1]:80/a@b", "http://***@[::1]:80/a@b"),
        ("http://cam/x?u=me&p=secret&size=1", "http://cam/x?u=me&p=***&size=1"),
        ("http://cam/x?p=secret&user=me", "http://cam/x?p=***&user=me"),
        ("srt://cam:9?mode=caller&passphrase=secret", "srt://cam:9?mode=caller&passphrase=***"),
        ("http://cam/x?Login.Password=secret", "http://cam/x?Login.Password=***"),
        ("http://cam/x?ssid=1&_sid=secret", "http://cam/x?ssid=1&_sid=***"),
        # Nothing to hide.
        ("rtsp://host:554/1", "rtsp://host:554/1"),
        ("http://host.lan:80/mail/a@b.c", "http://host.lan:80/mail/a@b.c"),
        ("http://localhost:80/mail/a@b.c", "http://localhost:80/mail/a@b.c"),
        ("http://[::1]:80/mail/a@b.c", "http://[::1]:80/mail/a@b.c"),
        ("http://10.0.0.1:80?who=a@b.c", "http://10.0.0.1:80?who=a@b.c"),
        ("http://cam/x?p=2&size=1", "http://cam/x?p=2&size=1"),
        ("http://cam/x?spin=1&u=me", "http://cam/x?spin=1&u=me"),
        ("http://host/a:b@c", "http://host/a:b@c"),
        ("rtsp://user:secret@host/x@y", "rtsp://user:***@host/x@y"),
        ("http://cam/x?pass_through=1&keys=2", "http://cam/x?pass_through=1&keys=2"),
        ("me@home:talk.mp4", "me@home:talk.mp4"),
        ("talk.mp4", "talk.mp4"),
    ],
)
def test_a_password_is_hidden_and_nothing_else(url: str, shown: str) -> None:
    assert without_password(url) == shown
    assert without_password(shown) == shown


@pytest.mark.parametrize("word", re.findall(r"`(\w+)`", NAMED))
@pytest.mark.parametrize("before", ["", "user_", "X-"])
def test_every_word_that_the_docs_name_hides_its_value(word: str, before: str) -> None:
    shown = f"http://cam/x?size=1&{before}{word}=***#top"
    assert without_password(shown.replace("***", "sec_ret")) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp:/user:secret@cam/1", "rtsp:***@cam/1"),
        ("rtsp:/cam/1?password=secret", "rtsp:/cam/1?password=***"),
        ("rtsp:user:secret@cam/1", "rtsp:***@cam/1"),
        ("rtsp//user:se@c/ret@cam/1", "rtsp//user:***@cam/1"),
        ("u:secret@cam", "u:***@cam"),
        ("rtsp://user:secret@cam/1", "rtsp://user:***@cam/1"),
        (r"C:\films\a@b.mp4", r"C:\films\a@b.mp4"),
        ("films/a@b.mp4", "films/a@b.mp4"),
    ],
)
def test_what_may_be_meant_for_a_url_shows_no_password(text: str, shown: str) -> None:
    assert without_login(text) == shown
    assert without_login(shown) == shown


def test_a_spec_shows_no_password() -> None:
    spec = StageSpec("network", "rtsp://user:secret@host/1", {"live": "yes"})
    assert str(spec) == "network:rtsp://user:***@host/1"
    assert str(StageSpec("haar")) == "haar"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"text": "a"}, {"text": "a"}),
        ({"whole": "-3"}, {"whole": -3}),
        ({"number": "2.5"}, {"number": 2.5}),
        ({"number": "3"}, {"number": 3.0}),
        ({"maybe": "4"}, {"maybe": 4}),
        ({"yes": "true"}, {"yes": True}),
        ({"yes": "No"}, {"yes": False}),
        ({"yes": "1"}, {"yes": True}),
        ({"yes": "Yes"}, {"yes": True}),
        ({"yes": "false"}, {"yes": False}),
        ({"yes": "0"}, {"yes": False}),
        # TOML's own types.
        ({"whole": 3, "number": 2, "yes": True}, {"whole": 3, "number": 2.0, "yes": True}),
    ],
)
def test_options_become_what_the_constructor_says(
    options: dict[str, Any], expected: dict[str, Any]
) -> None:
    given = build(Many, StageSpec("many", "there", options)).given
    assert {key: given[key] for key in expected} == expected
    assert all(type(given[key]) is type(value) for key, value in expected.items())


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"whole": "3.5"}, "many: option 'whole' must be a whole number, got '3.5'"),
        ({"whole": ""}, "must be a whole number"),
        ({"whole": 3.5}, "must be a whole number"),
        ({"whole": True}, "must be a whole number"),
        ({"number": "fast"}, "must be a number, got 'fast'"),
        ({"number": "nan"}, "must be a number, got 'nan'"),
        ({"number": float("nan")}, "must be a number"),
        ({"number": "inf"}, "must be a number, got 'inf'"),
        ({"number": float("-inf")}, "must be a number"),
        ({"number": "1e999"}, "must be a number"),
        ({"number": False}, "must be a number"),
        ({"yes": "maybe"}, "must be true or false, got 'maybe'"),
        ({"yes": 1}, "must be true or false"),
        ({"text": True}, "must be text, got 'True'"),
        ({"maybe": "none"}, "must be a whole number"),
        (
            {"speed": "1"},
            "many has no option 'speed'; its options: text, whole, number, maybe, yes",
        ),
        ({"target": "x"}, "many has no option 'target'"),
    ],
)
def test_wrong_options_are_refused_in_words(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        build(Many, StageSpec("many", "", options))


def test_the_target_is_the_first_argument() -> None:
    assert build(Many, StageSpec("many", "there")).target == "there"


def test_a_stage_without_options_says_so() -> None:
    class Plain(Filter):
        name = "plain"

        def apply(self, frame: Any, faces: Any) -> Any: ...

    with pytest.raises(ConfigError, match="plain has no option 'x'; its options: it has none"):
        build(Plain, StageSpec("plain", "", {"x": "1"}))


def test_a_stages_options_are_its_keywords() -> None:
    expected = ["count", "live", "fps", "delay", "fail_after", "hang_after", "script"]
    assert list(options_of(FakeSource)) == expected


def test_an_option_without_a_default_has_to_be_given() -> None:
    class Strict(Filter):
        name = "strict"

        def __init__(self, target: str = "", *, least: int) -> None:
            self.least = least

        def apply(self, frame: Any, faces: Any) -> Any: ...

    assert build(Strict, StageSpec("strict", "", {"least": "2"})).least == 2
    with pytest.raises(ConfigError, match=r"strict needs the option 'least': strict\?least=\.\.\."):
        build(Strict, StageSpec("strict"))
