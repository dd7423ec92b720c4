"""The labelled faces are well-formed, and what is found is set against them as promised."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.labels import KINDS, LABELS, Label, Tally, clips, load, match, overlap
from fer_stream.types import Box
from tests.needs import MEDIA, require_media

NOBODY = "pyfeat_no_face_960x540.mp4"
POSES = {"frontal", "turned", "profile"}


def face(x: int, y: int, side: int = 100, *kinds: str) -> Label:
    return Label(Box(x, y, side, side), kinds or ("frontal",))


def frame_size(clip: str) -> tuple[int, int]:
    found = re.search(r"_(\d+)x(\d+)\.", clip)
    assert found, clip
    return int(found[1]), int(found[2])


def test_enough_is_labelled_to_measure_with() -> None:
    labels = {clip: load(clip) for clip in clips()}
    assert len(labels) >= 10
    assert sum(map(len, labels.values())) >= 170
    assert len(labels[NOBODY]) >= 15
    assert not any(labels[NOBODY].values())
    assert len({frame_size(clip)[0] for clip in labels}) >= 4
    marked = [label for clip in labels.values() for frame in clip.values() for label in frame]
    for kind in KINDS:
        assert sum(kind in label.kinds for label in marked) >= 20, kind


@pytest.mark.parametrize("clip", clips())
def test_labels_keep_their_convention(clip: str) -> None:
    width, height = frame_size(clip)
    frames = load(clip)
    assert list(frames) == sorted(frames)
    for label in (label for marked in frames.values() for label in marked):
        box = label.box
        assert box.x + box.width <= width
        assert box.y + box.height <= height
        if label.ignored:
            continue
        assert set(label.kinds) <= set(KINDS)
        assert len(POSES & set(label.kinds)) == 1
        share = max(box.width, box.height) / width
        assert share > 0.039
        assert ("small" in label.kinds) == (share < 0.08) or abs(share - 0.08) < 1 / width
        cut = box.x == 0 or box.y == 0 or box.x + box.width == width or box.y + box.height == height
        assert cut or abs(box.width - box.height) <= 1


def test_the_counts_in_the_readme_are_those_of_the_files() -> None:
    rows = re.findall(r"^\| `(\S+)` \| (\d+) \| (\d+) \|", (LABELS / "README.md").read_text(), re.M)
    counted = []
    for clip in clips():
        marked = load(clip)
        faces = [label for frame in marked.values() for label in frame if not label.ignored]
        counted.append((clip, str(len(marked)), str(len(faces))))
    assert rows == counted


def test_boxes_overlap_by_their_intersection_over_their_union() -> None:
    assert overlap(Box(0, 0, 10, 10), Box(0, 0, 10, 10)) == 1.0
    assert overlap(Box(0, 0, 10, 10), Box(5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert overlap(Box(0, 0, 10, 10), Box(10, 10, 5, 5)) == 0.0


def test_a_box_near_a_face_is_a_hit_and_one_elsewhere_is_false() -> None:
    near, elsewhere = Box(20, 10, 110, 110), Box(400, 300, 100, 100)
    matched = match([elsewhere, near], [face(0, 0), face(200, 0)], 640)
    assert matched.hits == [face(0, 0)]
    assert matched.missed == [face(200, 0)]
    assert matched.false == [elsewhere]


def test_a_box_that_frames_the_whole_person_is_no_hit() -> None:
    matched = match([Box(0, 0, 170, 170)], [face(30, 30)], 640)
    assert (len(matched.hits), len(matched.missed), len(matched.false)) == (0, 1, 1)


def test_a_second_box_on_a_face_is_false() -> None:
    better, worse = Box(2, 2, 100, 100), Box(20, 20, 100, 100)
    matched = match([worse, better], [face(0, 0)], 640)
    assert matched.hits == [face(0, 0)]
    assert matched.false == [worse]


def test_between_two_faces_each_gets_the_box_that_fits_it_best() -> None:
    left, right = face(0, 0), face(40, 0)
    matched = match([Box(35, 0, 100, 100), Box(0, 0, 95, 95)], [left, right], 640)
    assert matched.hits == [left, right]
    assert matched.false == []


def test_what_lies_in_an_ignored_region_or_is_tiny_counts_neither_way() -> None:
    ignored = face(0, 0, 100, "ignore")
    matched = match([Box(10, 10, 90, 90), Box(500, 300, 19, 19)], [ignored], 640)
    assert matched == ([], [], [])
    assert match([Box(500, 300, 20, 20)], [ignored], 640).false == [Box(500, 300, 20, 20)]


def test_a_tally_adds_up_frames_and_kinds() -> None:
    tally = Tally()
    tally.add(match([Box(0, 0, 100, 100)], [face(0, 0), face(200, 0, 40, "profile", "small")], 640))
    tally.add(match([Box(0, 0, 100, 100)], [], 640))
    assert tally.recall() == 0.5
    assert tally.recall("frontal") == 1.0
    assert tally.recall("small") == 0.0
    assert tally.recall("occluded") is None
    assert tally.false_per_frame == 0.5


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--run"]])
def test_the_command_looks_at_each_labelled_frame(options: list[str]) -> None:
    require_media(f"videos/{NOBODY}")
    root = Path(__file__).parents[2]
    command = [sys.executable, "benchmarks/recall.py", "--clip", NOBODY, *options]
    done = subprocess.run(
        command, cwd=root, env={"FER_STREAM_MEDIA": str(MEDIA)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1].split()
    assert last[:4] == ["all", str(len(load(NOBODY))), "0", "-"]
    assert float(last[-2]) == 0.0
