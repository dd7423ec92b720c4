"""`fer-stream train-detector` from faces to a file that the runtime takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from fer_stream_training.detector.checkpoint import Checkpoint
from fer_stream_training.detector.measuring import Found
from fer_stream_training.detector.settings import read_settings
from fer_stream_training.detector.sources import Sources
from fer_stream_training.detector.video import filmed_pictures
from fer_stream_training.plugin import train_detector

from fer_stream.errors import ConfigError

pytestmark = [
    # TensorFlow and tf2onnx warn about their own insides.
    pytest.mark.filterwarnings("default"),
]

Make = Callable[..., Path]
SMALL = """
epochs = 2
steps = 2
batch_size = 2
height = 64
width = 96
large = 64
lr = 1e-3
weight_decay = 1e-4
average = 0.5
filmed_share = 0.5
threshold = 0.4
check_scenes = 12
check_epochs = 2
seed = 0
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "small.toml"
    path.write_text(SMALL)
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, make_csv: Make) -> Path:
    return make_csv(tmp_path_factory.mktemp("data"))


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(train_detector, [str(argument) for argument in arguments])


def weights(folder: Path) -> list[np.ndarray]:
    with np.load(folder / "face.npz") as file:
        return [file[name] for name in file.files]


@pytest.mark.slow
@pytest.mark.usefixtures("tensorflow_installed")
def test_a_run_ends_with_a_detector_and_a_stopped_one_goes_on(
    data: Path, recipe: Path, tmp_path: Path, face_clip: Path
) -> None:
    from fer_stream.detectors.check import FaceCheck
    from fer_stream.detectors.onnx import OnnxDetector
    from fer_stream.testing import check_detector, make_frame

    flags = ("--data", data, "--recipe", recipe, "--video", face_clip.parent)
    whole = run(*flags, "--out", tmp_path / "whole")
    assert whole.exit_code == 0, whole.output
    assert "140 faces" in whole.output
    assert "sides corrected by " in whole.output
    detector = OnnxDetector(str(tmp_path / "whole" / "face.onnx"))
    assert detector.info.threshold == 0.4
    assert "140 faces" in detector.info.trained_on
    check_detector(detector, make_frame())
    scales_where_it_is_fast(tmp_path / "whole" / "face.onnx")
    assert "check epoch 2/2" in whole.output
    check = FaceCheck(tmp_path / "whole" / "face-check.onnx")
    assert check.info.worth_from < 0.4

    # Stopped after its first epoch: the settings are all that tells how long it would have been.
    part = tmp_path / "part"
    stop_after_first_epoch(flags, part)
    resumed = run(*flags, "--out", part, "--resume")
    assert resumed.exit_code == 0, resumed.output
    assert "\nepoch 1/2" not in resumed.output
    for one, other in zip(weights(tmp_path / "whole"), weights(part), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3)

    next_run = run(*flags, "--earlier", part, "--out", tmp_path / "next")
    assert next_run.exit_code == 0, next_run.output
    again = run(*flags, "--out", part)
    assert isinstance(again.exception, ConfigError)
    assert "holds a run; expected a new folder" in str(again.exception)


def scales_where_it_is_fast(path: Path) -> None:
    """In the file the picture is brought into the convolutions' order before it is scaled."""
    import onnx

    kinds = [node.op_type for node in onnx.load(path).graph.node if node.op_type != "Cast"]
    assert kinds.index("Reshape") < min(kinds.index("Mul"), kinds.index("Add"))
    assert kinds.index("Add") < kinds.index("Conv")


def stop_after_first_epoch(flags: tuple[str | Path, ...], folder: Path) -> None:
    keep = Checkpoint.keep

    def keep_and_stop(*arguments: Any) -> None:
        keep(*arguments)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Checkpoint, "keep", keep_and_stop)
        stopped = run(*flags, "--out", folder)
    assert "finished epochs are kept" in stopped.output
    assert [path.name for path in folder.iterdir()] == ["checkpoint.npz"]


@pytest.mark.slow
@pytest.mark.usefixtures("tensorflow_installed")
def test_a_run_stopped_in_its_first_epoch_goes_on_and_one_without_its_check_is_not_finished(
    data: Path, recipe: Path, tmp_path: Path
) -> None:
    flags = ("--data", data, "--recipe", recipe, "--epochs", "1", "--out", tmp_path)
    first = stopped_in("keras.Model.train_on_batch", *flags)
    assert "epoch 1/1" not in first
    second = stopped_in("fer_stream_training.detector.check.train_check", *flags, "--resume")
    assert "epoch 1/1" in second
    assert list(tmp_path.glob("*.onnx*")) == []


@pytest.mark.usefixtures("tensorflow_installed")
def test_a_run_goes_on_with_what_it_was_begun_with_alone(
    data: Path, recipe: Path, tmp_path: Path, make_csv: Make
) -> None:
    folder, background = tmp_path / "out", tmp_path / "pictures" / "a.png"
    background.parent.mkdir()
    cv2.imwrite(str(background), np.zeros((100, 100), np.uint8))
    flags = ("--recipe", recipe, "--out", folder, "--backgrounds", background.parent)
    stopped_in("keras.Model.train_on_batch", "--data", data, *flags)
    begun = (folder / "checkpoint.npz").read_bytes()
    (tmp_path / "other").mkdir()
    other = make_csv(tmp_path / "other", training=70)
    refused = [run("--data", other, *flags, "--resume")]
    cv2.imwrite(str(background), np.ones((120, 100), np.uint8))
    refused.append(run("--data", data, *flags, "--resume"))
    refused.append(run("--data", data, *flags, "--resume", "--seed", "1"))
    for result, problem in zip(refused, ("other faces", "other faces", "settings"), strict=True):
        assert isinstance(result.exception, ConfigError), result.output
        assert problem in str(result.exception)
    assert (folder / "checkpoint.npz").read_bytes() == begun


def test_what_a_run_learns_from_is_known_by_its_files(tmp_path: Path) -> None:
    faces = np.zeros((2, 48, 48), np.uint8)
    videos, spare = tmp_path / "videos", tmp_path / "spare"
    for folder in (videos, spare):
        folder.mkdir()
    (videos / "a.mp4").write_bytes(b"12345")
    whole = Sources(tmp_path / "data.csv", videos=(videos,), spare=spare)
    known = whole.fingerprint(faces)
    assert known == Sources(tmp_path / "moved.csv", videos=(videos,), spare=spare).fingerprint(
        faces
    )
    others = {
        whole.fingerprint(faces + 1),
        Sources(whole.data, videos=(videos,)).fingerprint(faces),
    }
    (spare / "a.mp4.csv").write_text("frame\n")
    others.add(whole.fingerprint(faces))
    (videos / "a.mp4").write_bytes(b"54321")  # of the same size
    others.add(whole.fingerprint(faces))
    (videos / "a.mp4").rename(videos / "b.mp4")
    others.add(whole.fingerprint(faces))
    assert len(others | {known}) == 6


def test_an_earlier_run_is_known_by_its_weights_and_by_what_it_says_of_faces(
    tmp_path: Path,
) -> None:
    sources, known = Sources(tmp_path / "data.csv", earlier=tmp_path), set()
    parts = [tmp_path / name for name in ("face.npz", "face.onnx", "face-check.onnx")]
    for content in (b"12345", b"54321"):
        for part in parts:
            part.write_bytes(content)
            if all(other.exists() for other in parts):
                known.add(sources.fingerprint(np.zeros((1, 48, 48), np.uint8)))
    assert len(known) == 4


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    # The kernel refuses to read this one, even to root.
    unread = next(Path("/proc/self").glob("mem"), None)
    if unread is None:
        pytest.skip("needs a file that cannot be read")
    (tmp_path / "a.mp4").symlink_to(unread)
    sources = Sources(tmp_path / "data.csv", videos=(tmp_path,))
    with pytest.raises(ConfigError, match=r"cannot read .*a\.mp4 \("):
        sources.fingerprint(np.zeros((1, 48, 48), np.uint8))


def stopped_in(function: str, *arguments: str | Path) -> str:
    """What a run prints that Ctrl-C ends in the function of that name."""

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(function, stop)
        output = run(*arguments).output
    assert "go on with --resume" in output
    return output


@pytest.mark.usefixtures("tensorflow_installed")
def test_what_is_missing_is_named_before_the_work(data: Path, recipe: Path, tmp_path: Path) -> None:
    flags = ("--data", data, "--recipe", recipe, "--out", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    videos, listed = tmp_path / "videos", tmp_path / "listed"
    for path in (videos / "a.mp4", videos / "b.mp4"):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    listed.mkdir()
    (listed / "b.mp4.csv").write_text("number\n1\n")
    for more, problem in (
        (("--earlier", tmp_path / "empty"), "no face.onnx in"),
        (("--backgrounds", tmp_path / "empty"), "no picture in"),
        (("--video", tmp_path / "empty"), "no video in"),
        (("--video", videos, "--spare", listed), "cannot read"),
        (("--resume",), "no run to resume in"),
    ):
        result = run(*flags, *more)
        assert isinstance(result.exception, ConfigError), result.output
        assert problem in str(result.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("tensorflow_installed")
def test_a_folder_that_holds_a_run_is_refused_before_the_data_is_read(
    recipe: Path, tmp_path: Path
) -> None:
    (tmp_path / "checkpoint.npz").touch()
    result = run("--data", tmp_path / "nosuch.csv", "--recipe", recipe, "--out", tmp_path)
    assert isinstance(result.exception, ConfigError)
    assert "holds a run; expected a new folder" in str(result.exception)


@pytest.mark.parametrize("list_of_frames", ["number\n1\n", "frame\nx\n", "frame,x\n1,2\n\xff"])
def test_a_list_of_frames_that_is_none_is_named(tmp_path: Path, list_of_frames: str) -> None:
    (tmp_path / "a.mp4").touch()
    (tmp_path / "a.mp4.csv").write_bytes(list_of_frames.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"cannot read .*a\.mp4\.csv; expected a CSV file whose"):
        filmed_pictures((tmp_path,), tmp_path, None)


def test_what_macos_puts_beside_a_video_is_none(tmp_path: Path) -> None:
    (tmp_path / "._a.mp4").write_bytes(b"Mac OS X")
    with pytest.raises(ConfigError, match=r"no video in "):
        filmed_pictures((tmp_path,), None, None)


def test_one_is_told_from_several() -> None:
    found = Found(scenes=2, faces=1, hits=1, false=1)
    assert str(found) == "100.0% of 1 face found, 0.500 false a scene"


def test_the_recipe_that_ships_is_whole_and_flags_change_it() -> None:
    settings = read_settings(None, None, None)
    assert settings.epochs > 1
    assert read_settings(None, 3, 4).as_dict() == settings.as_dict() | {"epochs": 3, "seed": 4}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("\nepochs = 2", "", "does not set epochs"),
        ("\nepochs = 2", "epochs = 2\nrounds = 1", "sets an unknown rounds"),
        ("\nepochs = 2", "epochs = 2.5", "sets epochs to 2.5; expected a whole number from 1"),
        ("\nepochs = 2", "epochs = true", "sets epochs to True"),
        ("\nepochs = 2", "epochs = 0", "sets epochs to 0"),
        ("height = 64", "height = 65", "height to 65; expected a multiple of 32 from 32"),
        ("large = 64", "large = 0", "expected a multiple of 32 from 32"),
        ("lr = 1e-3", "lr = nan", "sets lr to nan; expected a number above 0"),
        ("average = 0.5", "average = 2.0", "expected a share from 0 to below 1"),
        ("filmed_share = 0.5", "filmed_share = 3", "expected a share from 0 to 1"),
        ("threshold = 0.4", "threshold = 1", "expected a score between 0 and 1"),
        ("seed = 0", "seed = -1", "sets seed to -1"),
        ("seed = 0", "seed =", "cannot read the recipe"),
    ],
)
def test_a_bad_recipe_is_named(tmp_path: Path, old: str, new: str, problem: str) -> None:
    path = tmp_path / "mine.toml"
    assert old in SMALL
    path.write_text(SMALL.replace(old, new))
    with pytest.raises(ConfigError, match=problem):
        read_settings(path, None, None)
