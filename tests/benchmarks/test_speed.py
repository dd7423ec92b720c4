"""The speed benchmark times what it says, and its tables say what was timed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield
    for name in [
        n
        for n in sys.modules
        if n.split(".")[0]
        in ("contest", "labels", "markers", "media", "recall", "smoothing", "speed", "stages")
    ]:
        del sys.modules[name]


def answers(module: str, argument: str, *jobs: dict[str, Any]) -> list[Any]:
    """Return what a worker answers, first that it is ready."""
    lines = "".join(json.dumps({"most": None, "only": None, **job}) + "\n" for job in jobs)
    done = subprocess.run(
        [sys.executable, "-m", "contest.worker", f"contest.{module}", argument],
        input=lines,
        capture_output=True,
        text=True,
        cwd=BENCHMARKS,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("threads", ["SLICE", "AUTO"])
def test_decoding_reads_every_frame(face_clip: Path, threads: str) -> None:
    ready, whole, part = answers(
        "decoding", threads, {"path": str(face_clip)}, {"path": str(face_clip), "most": 7}
    )
    assert ready == "ready"
    assert (whole["frames"], part["frames"]) == (40, 7)
    assert whole["wall_s"] > 0
    assert whole["cpu_s"] > 0


@pytest.mark.parametrize(("module", "argument"), [("plain", "one-thread"), ("ours", "haar")])
def test_entrants_find_the_face_and_look_where_they_are_told(
    face_clip: Path, module: str, argument: str
) -> None:
    path = str(face_clip)
    _, whole, part = answers(
        module, argument, {"path": path}, {"path": path, "most": 20, "only": [9, 15, 30]}
    )
    assert whole["frames"] == 40
    assert sum(len(faces) == 1 for faces in whole["faces"].values()) >= 30
    assert sorted(map(int, part["faces"])) == [9, 15]
    x, y, width, height, label = part["faces"]["9"][0]
    assert (x, y, width, height) == pytest.approx((137, 55, 98, 98), abs=25)
    assert label in ("happy", "neutral", "surprised", "fearful", "sad", "angry", "disgusted")


def test_without_media_clips_of_four_sizes_are_made(tmp_path: Path) -> None:
    from contest.clips import clips, write

    made = clips(tmp_path, quick=False)
    sizes = {(clip.width, clip.height) for clip in made}
    assert sizes == {(640, 360), (640, 480), (1280, 720), (1920, 1080)}
    assert any("4 faces" in clip.title for clip in made)
    write(made[-1], tmp_path / "a.mp4", 3)
    with av.open(str(tmp_path / "a.mp4")) as container:
        pictures = list(container.decode(video=0))
    assert [(picture.width, picture.height) for picture in pictures] == [(1280, 720)] * 3


def test_ratios_are_those_within_the_rounds() -> None:
    from contest.timing import Times

    # The machine was half as fast in the second round, for both.
    slow, fast = Times([1.0, 2.0, 1.0], [1.0, 1.0, 1.0]), Times([0.1, 0.2, 0.1], [0.5, 0.5, 0.5])
    assert fast.times_as_fast(slow) == pytest.approx(10)
    assert fast.times_as_fast(slow, "cpu_s") == pytest.approx(2)
    assert fast.frames_per_s == pytest.approx(10)


def test_the_tables_say_who_is_how_fast_who_missed_a_goal_and_who_was_left_out() -> None:
    from contest.entrants import Entrant
    from contest.report import Contest, as_markdown
    from contest.timing import Times

    entrants = [
        Entrant("decode", "decoding", "decoding", sees=False),
        Entrant("plain", "plain loop", "plain"),
        Entrant("ours-haar", "ours", "ours", "haar"),
    ]
    times = {
        "480p, 1 face": {"decode": Times([0.001], [0.001]), "plain": Times([0.05], [0.08])}
        | {"ours-haar": Times([0.004], [0.004])}
    }
    text = as_markdown(Contest(entrants, times, {}, {"`fer` package": "no network"}, "2 cores"))
    assert "| plain loop | 20 |" in text
    assert "| ours | 250 (12x) |" in text
    assert "| ours | 250 (20x) |" in text, "in CPU seconds"
    assert "| Haar 10x the plain loop, 480p, 1 face | 12.5x | met |" in text
    assert "| best detector 30x the plain loop, 480p, 1 face | 12.5x | **missed** |" in text
    assert "Left out: `fer` package: no network" in text


def test_one_round_is_not_called_a_median() -> None:
    from speed import setting

    assert setting(4.0, 1).endswith("; clips of 4 s, one round.")
    assert setting(20.0, 5).endswith("; clips of 20 s, medians of 5 rounds.")


@pytest.mark.parametrize("command", ["install_size", "update_face_card"])
def test_a_command_without_options_takes_none(command: str) -> None:
    done = subprocess.run(
        [sys.executable, BENCHMARKS / f"{command}.py", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout[:6]) == (0, "usage:"), done.stderr


def test_a_text_is_put_between_its_markers_and_nowhere_else(tmp_path: Path) -> None:
    from markers import put

    page = tmp_path / "page.md"
    page.write_text("a\n<!-- one -->\nold\n<!-- end -->\nb\n<!-- two -->\nkept\n<!-- end -->\n")
    put(page, "one", "new \\1")
    assert page.read_text() == (
        "a\n<!-- one -->\nnew \\1\n<!-- end -->\nb\n<!-- two -->\nkept\n<!-- end -->\n"
    )
    with pytest.raises(SystemExit, match="expected one block <!-- three -->"):
        put(page, "three", "x")


def test_the_page_has_the_blocks_that_the_commands_fill() -> None:
    page = (BENCHMARKS.parent / "docs" / "speed.md").read_text()
    for name in ("speed", "knobs", "smoothing"):
        assert page.count(f"<!-- {name} -->\n") == 1


def test_the_stages_table_shows_where_all_the_time_went(face_clip: Path, tmp_path: Path) -> None:
    from markers import put
    from stages import as_markdown

    from fer_stream.cli.capacity import measure
    from fer_stream.config import make_config
    from fer_stream.plugins import installed

    config = make_config({"source": [str(face_clip)]}, installed())
    found = measure(config, installed(), 0.5, "a clip")
    page = tmp_path / "speed.md"
    page.write_text((BENCHMARKS.parent / "docs" / "speed.md").read_text())
    put(page, "stages", as_markdown({"a clip": found, "the same": found}))
    rows = [line.split(" | ") for line in page.read_text().split("<!-- stages -->")[1].splitlines()]
    shares = [int(row[2].split("(")[1].rstrip("%) |")) for row in rows if "%)" in row[-1]]
    assert len(shares) == 7
    assert 95 <= sum(shares) <= 105
    assert "`onnx`" in page.read_text().split("<!-- stages -->")[1]


def test_only_a_change_with_a_second_on_either_side_is_real() -> None:
    from smoothing import UNFILTERED, Readings

    raw = ["calm"] * 30 + ["glad"] * 2 + ["calm"] * 30 + ["glad"] * 30 + ["sad"] * 5
    late = ["calm"] * 70 + ["glad"] * 27
    never = ["calm"] * 97
    face = Readings([index / 25 for index in range(97)])
    face.shown.update({UNFILTERED: raw, "late": late, "never": never})
    assert list(face.delays(UNFILTERED)) == [0.0]
    assert list(face.delays("late")) == [pytest.approx(8 / 25)]
    assert list(face.delays("never")) == [float("inf")]
    assert face.changes(UNFILTERED) == 4
