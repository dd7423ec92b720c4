"""Small data in FER-2013's two forms, and what to do where TensorFlow is missing."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.needs import refuse

# So that the tests run in a checkout where the training distribution is not installed.
TRAINING = Path(__file__).parents[2] / "training"
if importlib.util.find_spec("fer_stream_training") is None:
    sys.path.insert(0, str(TRAINING))

EMOTIONS = ("angry", "disgusted", "fearful", "happy", "sad", "surprised", "neutral")

Images = npt.NDArray[np.uint8]
MakeData = Callable[..., Path]


def faces(count: int, seed: int) -> tuple[Images, Images]:
    """Return (count, 48, 48) images that a network can learn: the class sets the grey level."""
    random = np.random.default_rng(seed)
    labels = (np.arange(count) % 7).astype(np.uint8)
    levels = 30 + 32 * labels.astype(float)
    noise = random.normal(0, 12, (count, 48, 48))
    return np.clip(levels[:, None, None] + noise, 0, 255).astype(np.uint8), labels


def csv_rows(images: Images, labels: Images, usage: str) -> list[str]:
    return [
        f"{label},{' '.join(map(str, image.ravel()))},{usage}"
        for image, label in zip(images, labels, strict=True)
    ]


def write_csv(path: Path, training: tuple[Images, Images], public: tuple[Images, Images]) -> Path:
    """Write images and their labels as FER-2013 comes."""
    rows = csv_rows(*training, "Training") + csv_rows(*public, "PublicTest")
    path.write_text("emotion,pixels,Usage\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="session")
def make_csv() -> MakeData:
    """Return a function that writes a small fer2013.csv into a folder."""

    def make(folder: Path, training: int = 140, validation: int = 70) -> Path:
        path = folder / "fer2013.csv"
        return write_csv(path, faces(training, 1), faces(validation, 2))

    return make


@pytest.fixture(scope="session")
def make_folders() -> MakeData:
    """Return a function that writes train/ and test/ folders of PNG files into a folder."""
    import cv2

    def make(folder: Path, names: tuple[str, ...] = EMOTIONS) -> Path:
        for split, count, seed in (("train", 14, 1), ("test", 7, 2)):
            images, labels = faces(count, seed)
            for index, (image, label) in enumerate(zip(images, labels, strict=True)):
                target = folder / split / names[label]
                target.mkdir(parents=True, exist_ok=True)
                assert cv2.imwrite(str(target / f"im{index:02}.png"), image)
        return folder

    return make


@pytest.fixture(scope="session")
def make_classes() -> MakeData:
    """Return a function that writes folders of classes of one's own, `size` (height, width) px."""
    import cv2

    def make(
        folder: Path, names: tuple[str, ...], size: tuple[int, int] = (48, 48), count: int = 20
    ) -> Path:
        for label, name in enumerate(names):
            (folder / name).mkdir(parents=True)
            for index in range(count):
                image = np.random.default_rng((label, index)).normal(60 + 60 * label, 12, size)
                path = folder / name / f"face{index:02}.png"
                assert cv2.imwrite(str(path), np.clip(image, 0, 255).astype(np.uint8))
        return folder

    return make


@pytest.fixture(scope="session")
def tensorflow_installed() -> None:
    """Skip where TensorFlow or tf2onnx is missing; on CI their absence is a failure."""
    missing = [
        name
        for name in ("tensorflow", "tf2onnx", "onnx", "matplotlib")
        if importlib.util.find_spec(name) is None
    ]
    if missing:
        refuse(f"training needs {', '.join(missing)}")
