"""Folders of image files: the demo's, and those of classes of one's own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from fer_stream_training.data import load_dataset, load_splits

from fer_stream.errors import ConfigError

Make = Callable[..., Path]


def _write(path: Path, height: int, width: int) -> None:
    assert cv2.imwrite(str(path), np.full((height, width), 90, np.uint8))


def _split(root: Path, make_classes: Make, names: tuple[str, ...], **options: object) -> Path:
    for part in ("train", "test"):
        make_classes(root / part, names, **options)
    return root


def test_classes_of_ones_own_are_sorted_by_name(tmp_path: Path, make_classes: Make) -> None:
    root = _split(tmp_path / "mood", make_classes, ("sleepy", "awake"), size=(64, 40), count=3)
    data = load_dataset(root)
    assert data.name == "mood"
    assert data.class_names == ("awake", "sleepy")
    assert data.size == (64, 40)
    assert data.training.images.shape == (6, 64, 40)
    assert data.training.labels.tolist() == [0, 0, 0, 1, 1, 1]
    first = cv2.imread(str(root / "train" / "awake" / "face00.png"), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(data.training.images[0], first)
    assert (data.training.name, data.validation.name) == ("train", "test")


def test_emotions_have_their_order_and_names_even_if_some_are_missing(
    tmp_path: Path, make_classes: Make
) -> None:
    root = _split(tmp_path, make_classes, ("Happy", "fear", "neutral"), count=2)
    assert load_dataset(root).class_names == ("fearful", "happy", "neutral")
    (tmp_path / "train" / "wink").mkdir()
    _write(tmp_path / "train" / "wink" / "1.png", 48, 48)
    names = load_splits(root, ("Training",))["Training"].class_names
    assert names == ("Happy", "fear", "neutral", "wink")


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(96, 32)] * 3, (96, 32)),
        ([(97, 97)] * 3, (48, 48)),
        ([(31, 40)] * 3, (48, 48)),
        ([(64, 64), (64, 64), (64, 65)], (48, 48)),
        ([(200, 180), (64, 64), (48, 48)], (48, 48)),
    ],
)
def test_small_images_of_one_size_keep_it(
    tmp_path: Path, make_classes: Make, sizes: list[tuple[int, int]], expected: tuple[int, int]
) -> None:
    root = _split(tmp_path, make_classes, ("a", "b"), size=sizes[0], count=2)
    for number, size in enumerate(sizes):
        _write(root / "test" / "b" / f"more{number}.png", *size)
    data = load_dataset(root)
    assert data.size == data.validation.size == expected
    assert np.all(data.validation.images[-3:] == 90)


def test_colour_is_read_as_grey(tmp_path: Path, make_classes: Make) -> None:
    root = _split(tmp_path, make_classes, ("a", "b"), count=2)
    green = np.zeros((48, 48, 3), np.uint8)
    green[:, :, 1] = 200
    assert cv2.imwrite(str(root / "test" / "b" / "z.bmp"), green)
    image = load_dataset(root).validation.images[-1]
    assert np.all(abs(image.astype(float) - 0.587 * 200) < 1)


@pytest.mark.parametrize("name", ["\u6620.png", "\udcff.png"])  # the second: Linux takes any bytes
def test_a_file_may_have_any_name(tmp_path: Path, make_classes: Make, name: str) -> None:
    make_classes(tmp_path, ("a", "b"), count=2)
    try:
        (tmp_path / "a" / "face00.png").rename(tmp_path / "a" / name)
    except (OSError, UnicodeError):
        pytest.skip("no file can be called so here")
    assert len(load_dataset(tmp_path).training) == 2


def test_emotions_in_another_size_are_taken_as_they_are(tmp_path: Path, make_classes: Make) -> None:
    names = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    data = load_dataset(_split(tmp_path, make_classes, names, size=(64, 64), count=1))
    assert data.size == (64, 64)
    assert data.class_names[1] == "disgusted"


def test_a_split_is_read_in_the_size_that_a_model_takes(tmp_path: Path, make_folders: Make) -> None:
    root = make_folders(tmp_path)
    _write(root / "test" / "sad" / "large.png", 200, 100)
    split = load_splits(root, ("test",), (40, 40))["test"]
    assert split.images.shape == (8, 40, 40)
    assert split.class_names[4] == "sad"


@pytest.mark.parametrize("name", ["validation", "val"])
def test_a_validation_folder_comes_before_test(
    tmp_path: Path, make_classes: Make, name: str
) -> None:
    root = _split(tmp_path, make_classes, ("a", "b"), count=2)
    make_classes(root / name, ("a", "b"), count=5)
    data = load_dataset(root)
    assert data.validation.name == name
    assert len(data.validation) == 10
    assert len(load_splits(root, ("test",))["test"]) == 4


def test_a_tenth_of_unsplit_classes_is_held_out(tmp_path: Path, make_classes: Make) -> None:
    root = make_classes(tmp_path / "faces", ("a", "b"), count=20)
    for file in sorted((root / "b").iterdir())[:15]:
        file.unlink()
    data = load_dataset(root)
    assert data.training.class_counts().tolist() == [18, 4]
    assert data.validation.class_counts().tolist() == [2, 1]
    assert (data.training.name, data.validation.name) == ("nine tenths", "held-out tenth")
    assert load_dataset(root).sha256() == data.sha256()

    everything = load_splits(root, ("all",))["all"]
    parts = [*data.training.images, *data.validation.images]
    assert sorted(map(bytes, parts)) == sorted(map(bytes, everything.images))
    # By chance, not the first ones.
    held_out = {bytes(image) for image in data.validation.images}
    assert bytes(everything.images[0]) not in held_out
    assert bytes(everything.images[1]) not in held_out

    with pytest.raises(ConfigError, match="is not split: it has no folder PrivateTest/"):
        load_splits(root, ("PrivateTest",))


def test_one_image_cannot_be_divided(tmp_path: Path, make_classes: Make) -> None:
    root = make_classes(tmp_path, ("a", "b"), count=1)
    with pytest.raises(ConfigError, match=r"/a holds one image; expected two or more"):
        load_dataset(root)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("score", "the label 'score' is called like a column"),
        ("c\nd", r"the label 'c\\nd' holds a line break"),
        ("\udce4rger", r"the label '\\udce4rger' is not in UTF-8"),
    ],
)
def test_a_folder_whose_name_is_no_label_is_refused(
    tmp_path: Path, make_classes: Make, name: str, problem: str
) -> None:
    root = _split(tmp_path, make_classes, ("a", "b"), count=2)
    for part in ("train", "test"):
        try:
            (root / part / "b").rename(root / part / name)
        except (OSError, UnicodeError):
            pytest.skip("no folder can be called so here")
    for folder in (root, root / "train"):
        with pytest.raises(ConfigError, match=f"train.*: {problem}.*; rename the folder"):
            load_dataset(folder)


def test_an_empty_class_folder_is_named(tmp_path: Path, make_classes: Make) -> None:
    root = _split(tmp_path, make_classes, ("a", "b"), count=2)
    (root / "train" / "c").mkdir()
    (root / "train" / "c" / "notes.txt").write_text("hello")
    for folder in (root, root / "train"):
        with pytest.raises(ConfigError, match=r"train.c holds no images; .* or remove it"):
            load_dataset(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are Unix's")
def test_only_files_are_images_and_links_to_nothing_are_named(
    tmp_path: Path, make_classes: Make
) -> None:
    root = _split(tmp_path, make_classes, ("a", "b"), count=2)
    os.mkfifo(root / "train" / "a" / "pipe.png")
    (root / "train" / "a" / "folder.png").mkdir()
    assert load_dataset(root).training.class_counts().tolist() == [2, 2]
    (root / "train" / "a" / "link.png").symlink_to("nothing.png")
    with pytest.raises(ConfigError, match=r"cannot read the image .*link\.png"):
        load_dataset(root)


def test_what_is_no_class_and_no_image_is_left_out(tmp_path: Path, make_classes: Make) -> None:
    root = _split(tmp_path, make_classes, ("a", "b"), count=2)
    (root / "train" / "__MACOSX" / "a").mkdir(parents=True)
    (root / "train" / "__MACOSX" / "a" / "._face00.png").write_text("a Mac's note on the file")
    (root / "train" / ".cache").mkdir()
    (root / "train" / "notes.txt").write_text("hello")
    (root / "train" / "a" / "Thumbs.db").write_text("hello")
    (root / "train" / "a" / "._face00.png").write_text("a Mac's note on the file")
    assert load_dataset(root).training.class_counts().tolist() == [2, 2]
    assert load_dataset(root / "train").class_names == ("a", "b")


def test_images_that_lie_deeper_are_not_left_out_in_silence(
    tmp_path: Path, make_classes: Make
) -> None:
    root = make_classes(tmp_path, ("a", "b"), count=3)
    (root / "a" / "anna").mkdir()
    (root / "a" / "anna" / "notes.txt").write_text("hello")
    (root / "a" / ".thumbnails").mkdir()
    _write(root / "a" / ".thumbnails" / "1.png", 48, 48)
    assert len(load_dataset(root).training) == 4
    _write(root / "a" / "anna" / "1.png", 48, 48)
    with pytest.raises(ConfigError, match=r"a holds images, and so does .*anna in it; .* move"):
        load_dataset(root)


def test_bad_folders_are_named(tmp_path: Path, make_folders: Make) -> None:
    root = make_folders(tmp_path)
    victim = root / "train" / "sad" / "im04.png"
    whole = victim.read_bytes()

    for broken in (b"no picture", b"", whole[: len(whole) // 2]):
        victim.write_bytes(broken)
        with pytest.raises(ConfigError, match=r"cannot read the image .*sad.im04\.png"):
            load_dataset(root)

    telephone = victim.with_suffix(".HEIC")
    victim.rename(telephone)
    with pytest.raises(ConfigError, match=r"cannot read the image .*im04\.HEIC; .* convert"):
        load_dataset(root)
    telephone.rename(victim)

    _write(victim, 48, 64)
    with pytest.raises(ConfigError, match=r"im04\.png is 64x48 px; expected 48x48"):
        load_dataset(root)

    victim.write_bytes(whole)
    for file in (root / "test" / "fearful").iterdir():
        file.unlink()
    with pytest.raises(ConfigError, match="test has no images of class fearful; expected"):
        load_dataset(root)

    (root / "train" / "laughing").mkdir()
    with pytest.raises(ConfigError, match=r"train.laughing holds no images; expected"):
        load_dataset(root)

    for file in (root / "test").glob("*/*.png"):
        file.unlink()
    with pytest.raises(ConfigError, match="test holds no images"):
        load_dataset(root)


def test_a_missing_split_is_named_with_the_way_out(tmp_path: Path, make_folders: Make) -> None:
    (tmp_path / "face.png").touch()  # not in a class's folder
    with pytest.raises(
        ConfigError, match=r"has no folder train/; .*, or <class>/\*\.png, as \.png"
    ):
        load_dataset(tmp_path)
    root = make_folders(tmp_path / "data")
    shutil.rmtree(root / "test")
    with pytest.raises(ConfigError, match="has no folder validation/, val/, test/") as caught:
        load_dataset(root)
    assert f"give --data {root / 'train'} to have a tenth" in str(caught.value)
    assert len(load_dataset(root / "train").validation) == 7
    expected = r"has no folder PrivateTest/; expected PrivateTest/<class>/\*\.png; check --split"
    with pytest.raises(ConfigError, match=expected):
        load_splits(root, ("PrivateTest",))


def test_one_class_cannot_be_learned(tmp_path: Path, make_classes: Make) -> None:
    with pytest.raises(ConfigError, match="1 class; expected 2 to 256 folders"):
        load_dataset(make_classes(tmp_path, ("a",)))
