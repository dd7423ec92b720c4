"""`bench`: what this machine can do."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.programs import run

pytestmark = pytest.mark.timeout(120)


def measured(*arguments: str, cwd: Path) -> dict[str, Any]:
    done = bench(*arguments, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def bench(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run("bench", *arguments, cwd=cwd)


def test_the_stages_add_up_to_the_whole_and_the_streams_follow(
    tmp_path: Path, face_clip: Path
) -> None:
    found = measured("--source", str(face_clip), "--seconds", "1", cwd=tmp_path)
    costs = {stage["name"]: stage["ms_per_frame"] for stage in found["stages"]}
    assert list(costs) == [
        *("decode", "detect", "track", "classify", "filter", "sink", "handing on"),
    ]
    # Decoding is measured by itself, so the stages may come to more than the run; not to less.
    assert sum(costs.values()) >= found["ms_per_frame"] * 0.999
    assert all(cost >= 0 for cost in costs.values())
    assert costs["detect"] > 0
    assert costs["classify"] > 0
    assert (found["width"], found["height"], found["fps"]) == (320, 240, 25.0)
    assert 0 < found["faces_per_frame"] <= 2
    assert found["cpu_s_per_s"] == pytest.approx(25 * found["ms_per_frame"] / 1000)
    assert found["streams"] == int(found["cores"] * found["load"] / found["cpu_s_per_s"])
    assert found["streams_per_run"] <= found["streams"]
    assert set(found["ms_per_face"]) == {"1", "16"}


def test_it_measures_what_was_asked_for(tmp_path: Path, face_clip: Path) -> None:
    found = measured(
        *("--source", str(face_clip), "--seconds", "0.5", "--model", "default-float32"),
        *("--detector", "haar?turned=no", "--detect-every", "1", "--detect-size", "300"),
        cwd=tmp_path,
    )
    assert found["detector"] == "haar?turned=no&detect_size=300"
    assert found["detect_every"] == 1
    # On a slow machine some frames that were searched no longer come through when time is up.
    assert found["searched"] == pytest.approx(1, abs=0.25)
    assert found["analyse_fps"] is None
    assert "int8" not in found["model"]
    detect = next(stage for stage in found["stages"] if stage["name"] == "detect")
    assert detect["ms_per_call"] == pytest.approx(detect["ms_per_frame"])  # on every frame


def test_fewer_frames_are_analysed_when_asked(tmp_path: Path, face_clip: Path) -> None:
    options = ("--source", str(face_clip), "--seconds", "1", "--analyse-fps", "5")
    found = measured(*options, "--detect-every", "1", cwd=tmp_path)
    assert found["analyse_fps"] == 5
    assert 0 < found["faces_per_frame"] < 2 / 5, "read"  # the first of few frames is a large share
    assert found["searched"] == 1, "as asked for too, whatever is read"


def test_a_short_file_is_read_again_and_a_long_one_in_part(tmp_path: Path, face_clip: Path) -> None:
    frames = measured("--source", str(face_clip), "--seconds", "0.01", cwd=tmp_path)["frames"]
    again = measured("--source", str(face_clip), "--seconds", "4", cwd=tmp_path)["frames"]
    assert 0 < frames < again


def test_the_demo_is_shown_as_a_table(tmp_path: Path) -> None:
    done = bench("--source", "demo?seconds=1", "--seconds", "0.5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("demo?seconds=1: 640x480, 25 frames/s, ")
    shown = [line.split()[0] for line in lines if "%" in line and "load" not in line]
    assert shown == [
        *("decode", "detect", "track", "classify", "filter", "sink", "handing", "all"),
    ]
    assert "CPU seconds a second" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("0", "source 'camera' is live"),
        ("rtsp://me:secret@127.0.0.1:1/x", "source 'network' is live"),
        (".", ". is no video"),
    ],
)
def test_what_is_no_video_file_is_refused(
    tmp_path: Path, face_clip: Path, source: str, why: str
) -> None:
    (tmp_path / "one.png").write_bytes(_a_picture())
    done = bench("--source", source, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "secret" not in done.stderr
    (line,) = done.stderr.splitlines()  # and nothing that says that it measures
    assert line.startswith(f"fer-stream: {why}, and bench measures")


def _a_picture() -> bytes:
    import cv2
    import numpy as np

    return cv2.imencode(".png", np.zeros((20, 20), np.uint8))[1].tobytes()


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = bench("--source", "nosuch.mp4", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "fer-stream: no such file: nosuch.mp4; check the path\n"


def test_a_model_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = bench("--model", "nosuch.onnx", cwd=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("fer-stream: no such model: nosuch.onnx")


def test_an_empty_model_is_not_the_shipped_one(tmp_path: Path) -> None:
    done = bench("--model", "", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("fer-stream: model is empty; give it a value")


def test_no_time_at_all_is_refused(tmp_path: Path) -> None:
    assert bench("--seconds", "0", cwd=tmp_path).returncode == 2
