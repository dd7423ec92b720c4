"""What must stay light stays light, and the command reaches fer-stream through its hook."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import fer_stream_training
import pluggy
import pytest
from fer_stream_training import plugin

from fer_stream import hookspecs
from fer_stream.cli.train import STAND_INS
from tests.programs import fer_stream_without

PACKAGE_PARENT = Path(fer_stream_training.__file__).parents[1]
HEAVY = {"tensorflow", "keras", "onnx", "tf2onnx", "onnxruntime", "matplotlib", "cv2", "numpy"}


def _loaded_by(module: str) -> set[str]:
    """Top-level modules that a fresh interpreter has after importing ``module``."""
    code = f"import sys, {module}; print(*(name.split('.')[0] for name in sys.modules))"
    path = os.pathsep.join([str(PACKAGE_PARENT), *filter(None, sys.path)])
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(result.stdout.split())


def test_the_plugin_loads_nothing_heavy() -> None:
    loaded = _loaded_by("fer_stream_training.plugin")
    assert "click" in loaded
    assert not HEAVY & loaded


@pytest.mark.parametrize(
    "module", ["data", "measuring", "measurement_report", "augment", "averaging", "checkpoint"]
)
def test_reading_and_measuring_need_no_tensorflow(module: str) -> None:
    loaded = _loaded_by(f"fer_stream_training.{module}")
    assert "numpy" in loaded
    assert not {"tensorflow", "keras", "tf2onnx", "onnx", "matplotlib"} & loaded


def test_the_hook_offers_every_command_that_the_core_stands_in_for() -> None:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin)
    manager.check_pending()
    (commands,) = manager.hook.fer_register_commands()
    assert all(isinstance(command, click.Command) for command in commands)
    assert {command.name for command in commands} == {command.name for command in STAND_INS}


def test_train_without_tensorflow_says_how_to_get_it(tmp_path: Path) -> None:
    program = fer_stream_without("tensorflow", "keras", "tf2onnx", "onnx", folder=tmp_path)
    done = subprocess.run(
        [*program, "train", "--data", "fer2013.csv", "--out", "runs/first"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "fer-stream: this command needs tensorflow, tf2onnx, onnx, which fer-stream-training does "
        'not bring by itself; install with: pip install "fer-stream-training[tensorflow]"'
    ]
