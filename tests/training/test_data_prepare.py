"""`fer-stream prepare` writes the demo's folders, whole or not at all."""

from __future__ import annotations

import gzip
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from fer_stream_training.data import load_dataset, load_splits
from fer_stream_training.plugin import prepare

from fer_stream.errors import ConfigError

from .conftest import EMOTIONS
from .processes import environment, fer_stream_on_a_full_disk

Make = Callable[..., Path]


def run_prepare(*arguments: str | Path) -> Result:
    return CliRunner().invoke(prepare, [str(argument) for argument in arguments])


def _with_private_test(table: Path) -> Path:
    """Make the last seven rows PrivateTest's."""
    lines = table.read_text().splitlines()
    lines[-7:] = [line.replace("PublicTest", "PrivateTest") for line in lines[-7:]]
    table.write_text("\n".join(lines) + "\n")
    return table


def test_every_face_lies_where_the_demo_has_it(tmp_path: Path, make_csv: Make) -> None:
    table = _with_private_test(make_csv(tmp_path, training=28, validation=14))
    out = tmp_path / "new" / "data"
    result = run_prepare(table, "--out", out)
    assert result.exception is None, result.output
    names = {str(file.relative_to(out)) for file in out.rglob("*.png")}
    expected = {f"train/{emotion}/im{n}.png" for emotion in EMOTIONS for n in range(4)}
    expected |= {f"test/{emotion}/im{n}.png" for emotion in EMOTIONS for n in range(2)}
    assert names == expected
    assert {item.name for item in out.iterdir()} == {"train", "test"}

    rows = load_splits(table, ("Training", "PublicTest", "PrivateTest"))
    for emotion in range(7):
        for folder, number, split, index in (
            ("train", 3, "Training", 3),
            ("test", 0, "PublicTest", 0),
            ("test", 1, "PrivateTest", 0),
        ):
            path = out / folder / EMOTIONS[emotion] / f"im{number}.png"
            of_class = rows[split].images[rows[split].labels == emotion]
            image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            np.testing.assert_array_equal(image, of_class[index])
    assert (
        "28 images of Training in train/, 7 of PublicTest and 7 of PrivateTest in test/"
        in result.output
    )
    assert f"To keep PrivateTest unseen, train with --data {table}" in result.output


def test_a_training_reads_the_folders(tmp_path: Path, make_csv: Make) -> None:
    table = make_csv(tmp_path, training=28, validation=14)
    packed = tmp_path / "fer2013.csv.gz"
    packed.write_bytes(gzip.compress(table.read_bytes()))
    out = tmp_path / "data"
    out.mkdir()
    result = run_prepare(packed, "--out", out)
    assert result.exception is None, result.output
    assert "PrivateTest" not in result.output
    from_table, from_folders = load_dataset(table), load_dataset(out)
    assert from_folders.class_names == EMOTIONS
    for one, other in (
        (from_table.training, from_folders.training),
        (from_table.validation, from_folders.validation),
    ):
        order = np.argsort(one.labels, kind="stable")
        np.testing.assert_array_equal(one.images[order], other.images)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, make_csv: Make) -> None:
    table = make_csv(tmp_path, training=7, validation=7)
    out = tmp_path / "data"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    result = run_prepare(table, "--out", out)
    assert isinstance(result.exception, ConfigError)
    assert "data is not empty; expected a new or an empty folder" in str(result.exception)
    assert [item.name for item in out.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda text: text + "3,1 2 3,Training\n", "line 16: 3 pixels; expected 2304"),
        (lambda text: text.replace("PublicTest", "Training"), "no rows with Usage PublicTest or"),
        (lambda text: text.replace("Training", "PublicTest"), "no rows with Usage Training, so"),
        (lambda text: text.replace("emotion", "feeling"), "has no column emotion"),
    ],
)
def test_a_bad_table_leaves_nothing(
    tmp_path: Path, make_csv: Make, change: Callable[[str], str], expected: str
) -> None:
    table = make_csv(tmp_path, training=7, validation=7)
    table.write_text(change(table.read_text()))
    result = run_prepare(table, "--out", tmp_path / "data")
    assert isinstance(result.exception, ConfigError)
    assert expected in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not (tmp_path / "data").exists()


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    result = run_prepare(tmp_path / "nowhere.csv", "--out", tmp_path / "data")
    assert isinstance(result.exception, ConfigError)
    assert "no file" in str(result.exception)
    assert not (tmp_path / "data").exists()


def test_a_killed_run_does_not_look_finished(tmp_path: Path, make_csv: Make) -> None:
    table = make_csv(tmp_path, training=28, validation=14)
    out = tmp_path / "data"
    # Killed with every image written, but before the folders have their last names.
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from fer_stream_training.data.demo_folders import write_demo_folders\n"
        "from fer_stream_training.data.table import table_rows\n"
        "def rows():\n"
        "    yield from table_rows(Path(sys.argv[1]), ('Training', 'PublicTest'))\n"
        "    os.kill(os.getpid(), 9)\n"
        "write_demo_folders(rows(), Path(sys.argv[2]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, table, out], env=environment())
    assert done.returncode == -signal.SIGKILL
    assert len(list(out.rglob("*.png"))) == 42
    with pytest.raises(ConfigError, match="has no folder train/"):
        load_dataset(out)
    again = run_prepare(table, "--out", out)
    assert isinstance(again.exception, ConfigError)
    assert "is not empty" in str(again.exception)


def test_a_full_disk_is_one_line(tmp_path: Path, make_csv: Make) -> None:
    table = make_csv(tmp_path, training=7, validation=7)
    done = fer_stream_on_a_full_disk(500, "prepare", table, "--out", tmp_path / "data")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"fer-stream: cannot write in {tmp_path / 'data'} (File too large)")
    assert not (tmp_path / "data").exists()
