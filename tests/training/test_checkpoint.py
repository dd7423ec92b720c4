"""A checkpoint comes back as it was, and a failed write leaves the one before."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fer_stream_training.checkpoint import (
    CHECKPOINT_NAME,
    EpochRecord,
    RunState,
    load_checkpoint,
    save_checkpoint,
)
from fer_stream_training.detector.checkpoint import Checkpoint
from fer_stream_training.detector.settings import read_settings
from fer_stream_training.files import replacing, write_whole
from fer_stream_training.settings import TrainingSettings

from fer_stream.errors import ConfigError


def _state(accuracies: list[float]) -> RunState:
    random = np.random.default_rng(5)
    return RunState(
        settings=TrainingSettings().as_dict(),
        data_sha256="abc",
        history=[
            EpochRecord(epoch, 1e-3, 1.5, 0.3, 1.4, accuracy, 2.0)
            for epoch, accuracy in enumerate(accuracies, start=1)
        ],
        variables=[random.normal(size=(3, 4)).astype(np.float32), np.array(7, np.uint32)],
        # More than ten, so that an order by text would show.
        optimizer=[np.full((2,), index, np.float32) for index in range(12)],
        average=[random.normal(size=(2, 5)).astype(np.float32)],
        best=[random.normal(size=(3, 4)).astype(np.float32)],
    )


def test_everything_comes_back(tmp_path: Path) -> None:
    state = _state([0.1, 0.4, 0.4, 0.2])
    save_checkpoint(tmp_path, state)
    again = load_checkpoint(tmp_path)
    assert again.settings == state.settings
    assert again.data_sha256 == "abc"
    assert again.history == state.history
    for group in ("variables", "optimizer", "average", "best"):
        before, after = getattr(state, group), getattr(again, group)
        assert len(before) == len(after)
        for one, other in zip(before, after, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)


def test_the_first_of_equal_epochs_is_the_best() -> None:
    best = _state([0.1, 0.4, 0.4, 0.2]).best_record
    assert best is not None
    assert best.epoch == 2
    assert _state([]).best_record is None


def test_a_failed_write_leaves_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"first")

    def stopped() -> None:
        with replacing(path) as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_files_are_written_where_windows_refuses_what_unix_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")  # on Windows the other tests tell
    opened, flushed = os.open, os.fsync

    def open_no_folder(path: Any, *how: Any, **options: Any) -> int:
        if Path(path).is_dir():
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return opened(path, *how, **options)

    def flush_no_reader(descriptor: int) -> None:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        flushed(descriptor)

    monkeypatch.setattr(os, "open", open_no_folder)
    monkeypatch.setattr(os, "fsync", flush_no_reader)
    write_whole(tmp_path / "file", b"ours")
    monkeypatch.undo()
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("file", b"ours")]


def test_missing_and_damaged_checkpoints_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no run to resume in .*start without --resume"):
        load_checkpoint(tmp_path)
    save_checkpoint(tmp_path, _state([0.1]))
    path = tmp_path / CHECKPOINT_NAME
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ConfigError, match=r"cannot read .*checkpoint\.npz"):
        load_checkpoint(tmp_path)


def test_a_checkpoint_of_a_detectors_training_is_told_apart(tmp_path: Path) -> None:
    Checkpoint(tmp_path, read_settings(None, None, None), "of these pictures").begin()
    with pytest.raises(ConfigError, match=r"checkpoint\.npz has no history; .*fer-stream train;"):
        load_checkpoint(tmp_path)


def test_other_settings_are_named() -> None:
    with pytest.raises(ConfigError, match=r"cannot resume with lr 0.01: .*started with 0.001"):
        TrainingSettings(lr=0.01).require_same(TrainingSettings().as_dict())
    TrainingSettings(lr=0.01).require_same(TrainingSettings(lr=0.01).as_dict())
