"""The spool keeps what it is given, within its bound, whatever happens to its file."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fer_stream_mqtt.place import default_path
from fer_stream_mqtt.spool import Spool

from fer_stream.errors import SinkError

MB = 1_000_000


@contextmanager
def opened(path: Path, limit_bytes: int = 256 * MB) -> Iterator[Spool]:
    spool = Spool(path, limit_bytes)
    try:
        yield spool
    finally:
        spool.close_writer()
        spool.close()


def payloads(spool: Spool) -> list[bytes]:
    return [message.payload for message in spool.after(0, 1_000_000)]


def test_messages_come_back_in_their_order(tmp_path: Path) -> None:
    with opened(tmp_path / "s.sqlite") as spool:
        spool.add([("a", b"1"), ("b", b"2")])
        spool.add([("a", b"3")])
        assert [(m.topic, m.payload) for m in spool.after(0, 2)] == [("a", b"1"), ("b", b"2")]
        second = spool.after(0, 2)[-1].id
        assert [m.payload for m in spool.after(second, 9)] == [b"3"]
        spool.remove(second)
        assert payloads(spool) == [b"3"]
        assert spool.waiting() == 1


def test_the_next_run_finds_what_is_left_and_adds_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "s.sqlite"
    with opened(path) as spool:
        spool.add([("a", b"1"), ("a", b"2")])
        spool.remove(1)
    with opened(path) as spool:
        spool.add([("a", b"3")])
        assert payloads(spool) == [b"2", b"3"]
        spool.remove(3)
    with opened(path) as spool:
        assert payloads(spool) == []
        spool.add([("a", b"4")])
        assert payloads(spool) == [b"4"]


def test_what_was_added_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from fer_stream_mqtt.spool import Spool\n"
        "spool = Spool(Path(sys.argv[1]), 10**8)\n"
        "for n in range(500): spool.add([('a', b'%d' % n)])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, path], check=False, timeout=60)
    with opened(path) as spool:
        assert payloads(spool) == [b"%d" % n for n in range(500)]


def test_beyond_its_bound_the_oldest_are_dropped_and_counted(tmp_path: Path) -> None:
    path, count = tmp_path / "s.sqlite", 4000
    with opened(path, limit_bytes=MB) as spool:
        for n in range(count):
            spool.add([("topic", b"%06d" % n + bytes(994))])
            if n % 500 == 0:
                spool.checkpoint()
        left = payloads(spool)
        numbers = [int(payload[:6]) for payload in left]
        assert numbers == list(range(count - len(left), count))
        assert spool.dropped == count - len(left)
        assert spool.waiting() == len(left)
        assert 0.8 * MB < sum(map(len, left)) < MB
    assert path.stat().st_size < 1.1 * MB


def test_after_an_outage_the_disk_has_its_room_back(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with opened(path) as spool:
        for n in range(200):
            spool.add([("a", b"%06d" % n + bytes(199_994))])
        assert disk_bytes(tmp_path) > 40 * MB
        spool.remove(150)
        spool.checkpoint()
        assert disk_bytes(tmp_path) > 40 * MB, "much is still there, and would have to be copied"
        spool.remove(199)
        spool.checkpoint()
        assert disk_bytes(tmp_path) < MB
        spool.add([("a", b"more")])
        assert [payload[:6] for payload in payloads(spool)] == [b"000199", b"more"]


def disk_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def test_a_message_larger_than_the_bound_is_kept_alone(tmp_path: Path) -> None:
    with opened(tmp_path / "s.sqlite", limit_bytes=MB) as spool:
        spool.add([("a", b"small")])
        spool.add([("a", bytes(2 * MB))])
        assert list(map(len, payloads(spool))) == [2 * MB]
        assert spool.dropped == 1


def test_a_second_run_is_told_to_take_another_name(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with opened(path) as spool:
        spool.add([("a", b"1")])
        with pytest.raises(SinkError, match="is in use, by another run or ") as caught:
            Spool(path, MB)
        assert "\n" not in str(caught.value)
        assert 'instance = "NAME" in a --config file' in str(caught.value)
        assert "?spool" not in str(caught.value), "two runs of one name take each other's place"
        assert payloads(spool) == [b"1"]
    with opened(path) as spool:
        assert payloads(spool) == [b"1"]


@pytest.mark.parametrize("damage", ["garbage", "other", "torn", "middle"])
def test_a_damaged_spool_is_set_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    path = tmp_path / "s.sqlite"
    with opened(path) as spool:
        spool.add([("a", bytes(900))] * 500)
    whole = path.read_bytes()
    if damage == "other":
        import sqlite3

        path.unlink()
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE message (what TEXT)")
        other.close()
    else:
        broken = {
            "garbage": b"this is no database " * 1000,
            "torn": whole[: len(whole) // 2],
            "middle": whole[:8192] + b"\xff" * 8192 + whole[16384:],
        }
        path.write_bytes(broken[damage])
    before = path.read_bytes()
    with caplog.at_level(logging.WARNING, "fer_stream.mqtt"), opened(path) as spool:
        assert payloads(spool) == []
        spool.add([("a", b"1")])
        assert payloads(spool) == [b"1"]
    (line,) = [record.getMessage() for record in caplog.records]
    (aside,) = tmp_path.glob("s.sqlite.corrupt-*")
    assert str(aside) in line
    assert len(aside.read_bytes()) >= len(before) // 2


def test_a_full_disk_is_one_clear_line(tmp_path: Path) -> None:
    script = (
        "import resource, sys; from pathlib import Path; from fer_stream_mqtt.spool import Spool\n"
        "spool = Spool(Path(sys.argv[1]), 10**8)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
        "for n in range(10_000):\n"
        "    try:\n"
        "        spool.add([('a', b'%06d' % n + bytes(994))])\n"
        "    except Exception as error:\n"
        "        print(n, type(error).__name__, error); break\n"
    )
    path = tmp_path / "s.sqlite"
    done = subprocess.run(
        [sys.executable, "-c", script, path], check=True, capture_output=True, text=True, timeout=60
    )
    number, kind, said = done.stdout.strip().split(" ", 2)
    assert kind == "SinkError"
    assert said.startswith(f"mqtt cannot keep its spool {path}: ")
    assert said.endswith("; make room or name another file with ?spool=FILE")
    with opened(path) as spool:  # what was kept before is whole
        assert [int(payload[:6]) for payload in payloads(spool)] == list(range(int(number)))


def test_a_disk_without_any_room_is_not_taken_for_another_run(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with opened(path) as spool:
        spool.add([("a", b"1")])
    script = (
        "import resource, sys; from pathlib import Path; from fer_stream_mqtt.spool import Spool\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "try: Spool(Path(sys.argv[1]), 10**8)\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, path], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith(f"SinkError mqtt cannot keep its spool {path}: ")
    with opened(path) as spool:
        assert payloads(spool) == [b"1"]


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot keep its spool") as caught:
        Spool(tmp_path / "file" / "s.sqlite", MB)
    assert "room" not in str(caught.value)


def test_only_a_full_disk_is_to_be_given_room(tmp_path: Path) -> None:
    (tmp_path / "s.sqlite.lock").write_bytes(b"this is no database " * 1000)
    with pytest.raises(SinkError, match="is not a database; name another file with") as caught:
        Spool(tmp_path / "s.sqlite", MB)
    assert "room" not in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="Windows has letters of its own")
def test_a_name_that_the_locale_cannot_write_is_one_clear_line(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from fer_stream_mqtt.spool import Spool\n"
        "try: Spool(Path(sys.argv[1]) / 'K\\u00fcche.sqlite', 10**8)\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path],
        env={**os.environ, "LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.startswith("SinkError mqtt cannot keep its spool '")
    assert "K\\xfcche.sqlite': this locale has no such letters; " in done.stdout


@pytest.mark.parametrize("folder", [".", "..", "/", "own"])
def test_a_folder_is_no_spool_and_nothing_is_made_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    (tmp_path / "own").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SinkError, match="is a folder; name a file in it") as caught:
        Spool(Path(folder), MB)
    assert f"?spool={Path(folder) / 'mqtt.sqlite'}" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["own"]


def test_each_instance_and_broker_has_its_own_among_the_users_state(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_path("hall", "b").parent == tmp_path / "fer-stream"
    pairs = [("hall", "b"), ("hall", "c"), ("a", "b"), ("a", "b-c"), ("a-b", "c")]
    assert len({default_path(*pair) for pair in pairs}) == len(pairs)
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert default_path("hall", "b").parent == tmp_path / "me/.local/state/fer-stream"
