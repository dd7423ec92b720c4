"""`fer-stream distil` from faces to an ordinary Keras model, on the CPU with small teachers."""

from __future__ import annotations

import csv
import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fer_stream_training.distil.settings import read_settings
from fer_stream_training.recipes import recipe_of

from fer_stream.errors import ConfigError
from tests.needs import refuse
from tests.programs import fer_stream_without

from .conftest import write_csv
from .processes import environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
LABELS = "angry,disgusted,fearful,happy,sad,surprised,neutral"
SMALL = {
    'arch = "mirror-resnet"': 'arch = "small-resnet"',
    "epochs = 742": "epochs = 1",
    "teachers = 2": "teachers = 1",
    "teacher_width = 64": "teacher_width = 4",
    "teacher_epochs = 80": "teacher_epochs = 12",
    "batch_size = 256": "batch_size = 8",
}


@pytest.fixture(scope="module", autouse=True)
def _jax_installed() -> None:
    missing = [name for name in ("jax", "keras") if importlib.util.find_spec(name) is None]
    if missing:
        refuse(f"distilling needs {', '.join(missing)}")


def bars(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures that a network can learn, however they are lit: the class sets the bars' width."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 7
    waves = np.sin(
        np.arange(48) * 2 * np.pi / (3 + 3 * labels[:, None]) + random.uniform(0, 6, (count, 1))
    )
    pictures = 128 + 80 * waves[:, :, None] + random.normal(0, 8, (count, 48, 48))
    return pictures.clip(0, 255).astype(np.uint8), labels


def write_recipe(folder: Path, changes: dict[str, str]) -> Path:
    text = recipe_of("distil").read_text()
    for old, new in changes.items():
        assert text.count(f"\n{old}") == 1, old
        text = text.replace(f"\n{old}", f"\n{new}")
    path = folder / "small.toml"
    path.write_text(text)
    return path


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "fer_stream", "distil", *map(str, arguments)]


def distil(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), env=environment(), capture_output=True, text=True)


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    return line


class Run:
    """A run of two generations that was killed in its second, and went on to its end."""

    def __init__(self, folder: Path) -> None:
        data = write_csv(folder / "fer2013.csv", bars(56, 1), bars(56, 2))
        self.out = folder / "run"
        self.flags = ("--data", data, "--out", self.out, "--recipe", write_recipe(folder, SMALL))
        killed = subprocess.Popen(command(*self.flags), env=environment())
        while not (self.out / "teacher-2" / "history.csv").exists():
            assert killed.poll() is None
            time.sleep(0.1)
        killed.kill()
        killed.wait()
        self.first = (self.out / "teacher-1" / "weights.npz").read_bytes()
        self.done = distil(*self.flags, "--resume")

    def course(self, name: str) -> list[dict[str, str]]:
        with (self.out / name / "history.csv").open() as file:
            return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("distil"))


def test_teachers_learn_the_second_from_the_first_and_the_network_from_both(run: Run) -> None:
    assert (run.done.returncode, run.done.stderr) == (0, "")
    for name, epochs in (("teacher-1", 12), ("teacher-2", 12), ("student", 1)):
        course = run.course(name)
        assert [int(row["epoch"]) for row in course] == list(range(1, epochs + 1))
        assert (run.out / name / "accuracy.png").stat().st_size > 1000
    for name in ("teacher-1", "teacher-2"):
        course = run.course(name)
        assert float(course[-1]["train_accuracy"]) > 0.4 > float(course[0]["train_accuracy"])
        assert float(course[-1]["val_accuracy"]) > 0.5
        assert float(course[-1]["val_loss"]) < 1.5
    lines = run.done.stdout.splitlines()
    assert "56 images to train on, 56 to check on; computing on cpu" in lines[0]
    assert any(line.startswith("the teachers together: ") for line in lines)
    assert f"--start-from {run.out / 'model.keras'}" in lines[-1]


def test_a_killed_run_goes_on_after_the_last_finished_network(run: Run) -> None:
    lines = run.done.stdout.splitlines()
    assert [line for line in lines if line.startswith(("teacher-", "student"))] == [
        "teacher-1: finished earlier", "teacher-2: 12 epochs", "student: 1 epoch",
    ]  # fmt: skip
    assert (run.out / "teacher-1" / "weights.npz").read_bytes() == run.first


@pytest.mark.parametrize(
    ("share", "expected"),
    [("0", [0.9667, 0.0167, 0.0167]), ("0.5", [0.633, 0.158, 0.208]), ("1", [0.3, 0.3, 0.4])],
)
def test_a_network_learns_the_mean_of_its_teachers_and_the_label(
    share: str, expected: list[float]
) -> None:
    program = Path(__file__).with_name("distil_lesson.py")
    done = subprocess.run(
        [sys.executable, str(program), share], env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        np.testing.assert_allclose([float(value) for value in line.split()], expected, atol=0.06)


@pytest.mark.parametrize(
    ("name", "path"), [("student", "model.keras"), ("teacher-2", "teacher-2/model.keras")]
)
def test_networks_become_ordinary_models(run: Run, tmp_path: Path, name: str, path: str) -> None:
    out = tmp_path / "model.onnx"
    program = [sys.executable, "-m", "fer_stream", "export", run.out / path]
    done = subprocess.run(
        [*map(str, program), "--labels", LABELS, "--out", str(out)],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "labels that differ 0" in done.stdout
    from fer_stream_training.evaluation import evaluate
    from fer_stream_training.export import onnx_predictor

    pictures, labels = bars(56, 2)
    measured = evaluate(onnx_predictor(out.read_bytes())(pictures), labels.astype(np.uint8))
    row = run.course(name)[-1]
    assert measured.loss == pytest.approx(float(row["val_loss"]), abs=1e-3)
    assert measured.accuracy == pytest.approx(float(row["val_accuracy"]), abs=0.02)


def test_a_folder_with_a_run_is_not_overwritten(run: Run) -> None:
    assert "holds a run; expected a new folder; go on with --resume" in refusal(distil(*run.flags))
    line = refusal(distil(*run.flags, "--resume", "--seed", "5"))
    assert "was started with other settings or other faces; expected the same" in line


def test_a_folder_without_a_run_is_not_resumed(run: Run, tmp_path: Path) -> None:
    flags = [tmp_path if flag == run.out else flag for flag in run.flags]
    assert "no run to resume in" in refusal(distil(*flags, "--resume"))
    assert not list(tmp_path.iterdir())


def test_damaged_weights_are_named(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "run"
    (out / "teacher-1").mkdir(parents=True)
    (out / "distil.json").write_bytes((run.out / "distil.json").read_bytes())
    whole = (run.out / "teacher-1" / "weights.npz").read_bytes()
    (out / "teacher-1" / "weights.npz").write_bytes(whole[: len(whole) // 2])
    flags = [out if flag == run.out else flag for flag in run.flags]
    line = refusal(distil(*flags, "--resume"))
    assert f"cannot read {out / 'teacher-1' / 'weights.npz'}" in line
    assert "start again in another --out" in line


def test_faces_of_another_size_are_refused(
    make_classes: Callable[..., Path], tmp_path: Path
) -> None:
    data = make_classes(tmp_path / "data", ("calm", "cross"), (32, 40))
    line = refusal(distil("--data", data, "--out", tmp_path / "run"))
    assert "have 40x32 px; distil expects 48x48; resize them, or use fer-stream train" in line
    assert not (tmp_path / "run").exists()


def test_without_jax_it_says_how_to_get_it(tmp_path: Path) -> None:
    program = fer_stream_without("jax", folder=tmp_path)
    done = subprocess.run(
        [*program, "distil", "--data", "fer2013.csv", "--out", "run"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert refusal(done) == (
        "fer-stream: this command needs jax, which fer-stream-training does not bring by itself; "
        'install with: pip install "fer-stream-training[jax]"'
    )


def test_flags_change_the_recipe(tmp_path: Path) -> None:
    settings = read_settings(None, None, None)
    assert (settings.arch, settings.generations, settings.teachers) == ("mirror-resnet", 2, 2)
    changed = read_settings(write_recipe(tmp_path, SMALL), 7, 3)
    assert (changed.arch, changed.epochs, changed.seed) == ("small-resnet", 7, 3)
    wrong = write_recipe(tmp_path, {"generations = 2": "generations = 0"})
    with pytest.raises(ConfigError, match="sets generations to 0; expected a whole number from 1"):
        read_settings(wrong, None, None)
