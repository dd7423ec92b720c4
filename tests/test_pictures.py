"""`fer_stream.PictureReader`: pictures that a program has in memory."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ExifTags, ImageOps
from PIL.Image import fromarray
from PIL.Image import open as open_picture

import fer_stream
from fer_stream import Face, PictureReader
from fer_stream.errors import ConfigError, FerStreamError, PluginError, StageError
from tests.clips import Image

pytestmark = pytest.mark.timeout(60)

CORNER = """\
import numpy as np
from fer_stream import Box, Classifier, Detection, Detector, EmotionScores, hookimpl

class Corner(Detector):
    name = "corner"
    def __init__(self, target="", *, side: int = 4):
        self.side = side
    def detect(self, frame):
        return [Detection(Box(0, 0, self.side, self.side), 0.5)]

class Dark(Classifier):
    name, labels, input_size = "dark", ("dark", "light"), (2, 2)
    def classify(self, crops):
        light = crops.mean(axis=(1, 2), dtype=np.float32) / 255
        return [EmotionScores(self.labels, np.array([1 - one, one])) for one in light]

@hookimpl
def fer_register_detectors():
    return [Corner]

@hookimpl
def fer_register_classifiers():
    return [Dark]
"""


@pytest.fixture(scope="module")
def reader() -> PictureReader:
    return PictureReader()


@pytest.fixture
def corner(tmp_path: Path) -> Path:
    path = tmp_path / "corner.py"
    path.write_text(CORNER)
    return path


def seen(faces: list[Face] | tuple[Face, ...]) -> list[tuple[object, ...]]:
    return [
        (face.box, face.confidence, face.track_id, face.scores.word, face.scores.as_dict())
        for face in faces
    ]


def test_a_picture_reads_as_its_file_does(
    reader: PictureReader, moving_face: list[Image], tmp_path: Path
) -> None:
    file = tmp_path / "face.png"
    cv2.imwrite(str(file), moving_face[0])
    (result,) = fer_stream.stream(file)
    faces = reader.read(moving_face[0])
    assert seen(faces) == seen(result.faces)
    assert len(faces) == 1
    assert faces[0].scores.labels == reader.labels


def test_grey_cut_and_turned_round_arrays_are_pictures(
    reader: PictureReader, moving_face: list[Image]
) -> None:
    image = moving_face[0]
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    assert seen(reader.read(grey)) == seen(reader.read(image))
    rgb = np.ascontiguousarray(image[..., ::-1])
    assert seen(reader.read(rgb[..., ::-1])) == seen(reader.read(image))
    around = np.pad(image, ((8, 8), (8, 8), (0, 0)))
    assert seen(reader.read(around[8:-8, 8:-8])) == seen(reader.read(image))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P"])
def test_a_picture_of_pillow_is_given_as_the_documentation_says(
    mode: str, reader: PictureReader, moving_face: list[Image], tmp_path: Path
) -> None:
    aside = np.pad(moving_face[0], ((0, 0), (0, 64), (0, 0)))
    turned = fromarray(np.rot90(aside)[..., ::-1].copy())  # as telephones store what they took
    exif = turned.getexif()
    exif[ExifTags.Base.Orientation] = 6
    file = tmp_path / "face.png"
    turned.convert(mode).save(file, exif=exif)

    (recipe,) = re.findall(r"`(np\.asarray.*)`", PictureReader.read.__doc__ or "")
    with open_picture(file) as picture:
        image = eval(recipe, {"np": np, "ImageOps": ImageOps, "picture": picture})
    (face,) = reader.read(image)
    (expected,) = reader.read(aside)
    assert face.box.x == pytest.approx(expected.box.x, abs=16), "not mirrored"
    assert face.box.y == pytest.approx(expected.box.y, abs=16)


def test_a_picture_is_not_written_to(reader: PictureReader, moving_face: list[Image]) -> None:
    image = moving_face[0].copy()
    reader.read(image)
    assert np.array_equal(image, moving_face[0])
    assert image.flags.writeable


def test_a_picture_without_a_face_gives_an_empty_list(reader: PictureReader) -> None:
    assert reader.read(np.zeros((48, 64, 3), np.uint8)) == []
    assert reader.read(np.zeros((1, 1), np.uint8)) == []


def test_it_starts_no_thread_and_serves_all(
    reader: PictureReader, moving_face: list[Image]
) -> None:
    before = set(threading.enumerate())
    alone = [seen(reader.read(image)) for image in moving_face[:8]]
    assert set(threading.enumerate()) == before
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(reader.read, moving_face[:8] * 4))
    assert [seen(faces) for faces in together] == alone * 4


@pytest.mark.parametrize(
    ("image", "got"),
    [
        (None, "got None; OpenCV gives None for a picture that it cannot read"),
        ("face.png", "got 'face.png'"),
        ([np.zeros(2), np.zeros((2, 2))], "got [array([0., 0.]), array([[0., 0.], [0., 0.]])]"),
        (np.zeros((48, 48, 3)), "got (48, 48, 3) float64"),
        (np.zeros((48, 48, 4), np.uint8), "got (48, 48, 4) uint8"),
        (np.zeros((1, 48, 48, 3), np.uint8), "got (1, 48, 48, 3) uint8"),
        (np.zeros((0, 48, 3), np.uint8), "got (0, 48, 3) uint8"),
    ],
)
def test_what_is_no_picture_is_refused(reader: PictureReader, image: object, got: str) -> None:
    expected = "expected a picture, (H, W, 3) uint8 BGR or (H, W) uint8 grey; "
    with pytest.raises(ConfigError, match=re.escape(expected + got) + "$"):
        reader.read(image)  # type: ignore[arg-type]


def test_plugins_find_and_read(corner: Path) -> None:
    reader = PictureReader(detector="corner?side=2", classifier="dark", plugin=corner)
    assert reader.labels == ("dark", "light")
    image = np.zeros((8, 8, 3), np.uint8)
    image[:2, :2] = 255
    (face,) = reader.read(image)
    assert (face.box.width, face.confidence, face.track_id) == (2, 0.5, None)
    assert face.scores.as_dict() == {"dark": 0.0, "light": 1.0}


def test_a_plugin_that_breaks_its_contract_is_named(corner: Path) -> None:
    reader = PictureReader(detector="corner?side=9", classifier="dark", plugin=corner)
    with pytest.raises(StageError, match=r"detector 'corner' broke its contract.*out of the 8x8"):
        reader.read(np.zeros((8, 8), np.uint8))


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"detector": "nosuch"}, ConfigError, "unknown detector 'nosuch'"),
        ({"detector": "onnx?size=1"}, ConfigError, "no option 'size'"),
        ({"model": "nosuch.onnx"}, FerStreamError, "no such model"),
        ({"model": ""}, ConfigError, "model is empty"),
        ({"classifier": ""}, ConfigError, "an empty classifier was given"),
        ({"model": "a.onnx", "classifier": "onnx"}, ConfigError, "either model or classifier"),
        ({"plugin": "nosuch.py"}, PluginError, "no such file"),
    ],
)
def test_a_wrong_argument_raises_at_once(
    arguments: dict[str, str], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        PictureReader(**arguments)  # type: ignore[arg-type]
