"""What each of our packages takes along when it is built."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
LICENSE = (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize(
    ("project", "package", "needed"),
    [
        (
            ".",
            "fer_stream",
            {
                *("models/default.onnx", "models/default-float32.onnx", "models/default.md"),
                *("models/face.onnx", "models/face-check.onnx", "models/face.md"),
            },
        ),
        ("plugins/mqtt", "fer_stream_mqtt", set()),
        ("training", "fer_stream_training", {"recipes/face-detector.toml"}),
    ],
)
def test_a_wheel_holds_its_package_and_licence_alone(
    tmp_path: Path, project: str, package: str, needed: set[str]
) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT / project, check=True, capture_output=True)
    (path,) = tmp_path.glob("*.whl")
    with ZipFile(path) as wheel:
        names = set(wheel.namelist())
        assert {f"{package}/{name}" for name in {"__init__.py", "py.typed", *needed}} <= names
        about = next(name.split("/")[0] for name in names if name.endswith("/METADATA"))
        assert {name.split("/")[0] for name in names} == {package, about}
        assert wheel.read(f"{about}/licenses/LICENSE") == LICENSE
