"""FER-2013 is read alike however it is packed, and a bad table is named in one line."""

from __future__ import annotations

import csv
import gzip
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fer_stream_training.data import load_dataset, load_splits

from fer_stream.errors import ConfigError

Make = Callable[..., Path]


def test_csv_gives_every_pixel_and_label(tmp_path: Path, make_csv: Make) -> None:
    path = make_csv(tmp_path, training=14, validation=7)
    data = load_dataset(path)
    assert data.training.images.shape == (14, 48, 48)
    assert data.training.images.dtype == data.training.labels.dtype == np.uint8
    assert (len(data.training), len(data.validation)) == (14, 7)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    for row, image, label in zip(
        rows, [*data.training.images, *data.validation.images],
        [*data.training.labels, *data.validation.labels], strict=True,
    ):  # fmt: skip
        assert [int(value) for value in row["pixels"].split()] == image.ravel().tolist()
        assert int(row["emotion"]) == label


def test_folders_hold_the_same_faces_as_the_csv(
    tmp_path: Path, make_csv: Make, make_folders: Make
) -> None:
    from_csv = load_dataset(make_csv(tmp_path, training=14, validation=7))
    from_folders = load_dataset(make_folders(tmp_path / "png"))
    for one, other in (
        (from_csv.training, from_folders.training),
        (from_csv.validation, from_folders.validation),
    ):
        order = np.argsort(one.labels, kind="stable")  # folders come class by class
        assert one.labels[order].tolist() == other.labels.tolist()
        np.testing.assert_array_equal(one.images[order], other.images)


def test_the_other_folder_names_mean_the_same(tmp_path: Path, make_folders: Make) -> None:
    names = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    data = load_dataset(make_folders(tmp_path / "other", names))
    usual = load_dataset(make_folders(tmp_path / "usual"))
    assert data.sha256() == usual.sha256()


def _kaggles_other_spelling(text: str) -> str:
    """What `icml_face_data.csv` makes of a fer2013.csv: other order, spaces about the names."""
    rows = [line.split(",") for line in text.splitlines()[1:]]
    lines = [f"{label},{usage},{pixels}" for label, pixels, usage in rows]
    return "\n".join(["emotion, Usage, pixels", *lines]) + "\n"


def _zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_every_packing_gives_the_same_faces(tmp_path: Path, make_csv: Make) -> None:
    plain = make_csv(tmp_path, training=14, validation=7)
    content = plain.read_bytes()
    packings = {
        "fer2013.csv.gz": gzip.compress(content),
        "icml_face_data.csv": _kaggles_other_spelling(plain.read_text()).encode(),
        "from_a_spreadsheet.csv": b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"),
        "gzip_under_another_name.csv": gzip.compress(content),
    }
    for name, packed in packings.items():
        (tmp_path / name).write_bytes(packed)
    archive = _zipped(
        tmp_path / "archive.zip",
        {"fer2013/fer2013.csv": content, "fer2013/README": b"", "__MACOSX/._fer2013.csv": b"\0"},
    )
    digest = load_dataset(plain).sha256()
    for path in (*(tmp_path / name for name in packings), archive):
        data = load_dataset(path)
        assert data.sha256() == digest, path
        assert (data.name, data.size) == ("FER-2013", (48, 48))
        assert data.class_names[3] == "happy"


def test_damaged_packings_are_named_in_one_line(tmp_path: Path, make_csv: Make) -> None:
    content = make_csv(tmp_path, training=14, validation=7).read_bytes()
    packed = gzip.compress(content)
    zipped = _zipped(tmp_path / "whole.zip", {"fer2013.csv": content}).read_bytes()
    checksum = zlib.crc32(content).to_bytes(4, "little")
    damaged = {
        "half.csv.gz": packed[: len(packed) // 2],
        "wrong.csv.gz": packed.replace(checksum, b"oops"),
        "half.zip": zipped[: len(zipped) // 2],
        "wrong.zip": zipped.replace(checksum, b"oops"),
        "start.zip": zipped[:4],
    }
    for name, broken in damaged.items():
        (tmp_path / name).write_bytes(broken)
        with pytest.raises(ConfigError, match=f"cannot read .*{name} as CSV") as caught:
            load_dataset(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_an_archive_without_the_one_table_is_named(tmp_path: Path) -> None:
    none = _zipped(tmp_path / "none.zip", {"train/happy/im0.png": b""})
    with pytest.raises(ConfigError, match=r"none\.zip holds no CSV file; .*unpack it"):
        load_dataset(none)
    two = _zipped(tmp_path / "two.zip", {"train.csv": b"", "test.csv": b""})
    with pytest.raises(ConfigError, match=r"two\.zip holds train\.csv, test\.csv; expected one"):
        load_dataset(two)


def test_the_digest_depends_on_every_pixel_and_label(tmp_path: Path, make_csv: Make) -> None:
    path = make_csv(tmp_path, training=14, validation=7)
    before = load_dataset(path).sha256()
    assert load_dataset(path).sha256() == before
    *rows, one, two = path.read_text().splitlines()
    (label, pixels, usage), (other_label, *rest) = one.split(","), two.split(",")
    first, others = pixels.split(" ", 1)
    for changed in (
        (f"{label},{(int(first) + 1) % 256} {others},{usage}", two),
        (f"{other_label},{pixels},{usage}", ",".join([label, *rest])),
    ):
        path.write_text("\n".join([*rows, *changed]))
        assert load_dataset(path).sha256() != before


def test_a_split_is_read_by_its_name(tmp_path: Path, make_csv: Make) -> None:
    path = make_csv(tmp_path, training=14, validation=7)
    path.write_text(path.read_text().replace("Training", "PrivateTest"))
    splits = load_splits(path, ("PrivateTest",))
    assert list(splits) == ["PrivateTest"]
    assert len(splits["PrivateTest"]) == 14


def test_a_table_is_read_in_the_size_that_a_model_takes(tmp_path: Path, make_csv: Make) -> None:
    path = make_csv(tmp_path, training=14, validation=7)
    split = load_splits(path, ("PublicTest",), (64, 40))["PublicTest"]
    assert split.images.shape == (7, 64, 40)
    assert split.size == (64, 40)
    usual = load_splits(path, ("PublicTest",))["PublicTest"]
    levels = [split.images.mean(axis=(1, 2)) for split in (usual, split)]
    np.testing.assert_allclose(*levels, atol=2)


FLAT = " ".join(["7"] * 2304)


def _row(label: object = 3, pixels: str = FLAT, usage: str = "Training") -> str:
    return f"{label},{pixels},{usage}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("emotion,Usage\n3,Training\n", "has no column pixels"),
        ("", "has no column emotion, pixels, Usage"),
        ("emotion,pixels,Usage, emotion\n", "has more than one column emotion; expected one of"),
        ("emotion,pixels,Usage\n" + _row(pixels="1 2 3"), r"line 2: 3 pixels; expected 2304"),
        ("emotion,pixels,Usage\n" + _row() + _row(pixels=FLAT + " 7"), "line 3: 2305 pixels"),
        ("emotion,pixels,Usage\n" + _row(pixels=""), "line 2: 0 pixels"),
        (
            "emotion,pixels,Usage\n" + _row(usage=FLAT),
            "line 2: Usage is '7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 ...'; expected Training",
        ),
        ("emotion,pixels,Usage\n3\n", "line 2: Usage is ''; expected Training, PublicTest"),
        ("emotion,pixels,Usage\n" + _row(pixels="256" + FLAT[1:]), "line 2: a pixel is not a"),
        ("emotion,pixels,Usage\n" + _row(pixels="4294967300" + FLAT[1:]), "line 2: a pixel is"),
        ("emotion,pixels,Usage\n" + _row(pixels="-1" + FLAT[1:]), "line 2: a pixel is not a"),
        ("emotion,pixels,Usage\n" + _row(pixels="x" + FLAT[1:]), "line 2: a pixel is not a"),
        ("emotion,pixels,Usage\n" + _row(pixels=FLAT[:9] + "x" + FLAT[10:]), "line 2: "),
        ("emotion,pixels,Usage\n" + _row(pixels="7.5" + FLAT[1:]), "line 2: "),
        ("emotion, pixels\n3, 7 7\n", "has no column Usage"),  # Kaggle's train.csv
        ("emotion,pixels,Usage\n" + _row(label=7), "line 2: emotion is '7'; expected a code 0..6"),
        ("emotion,pixels,Usage\n" + _row(label=-1), "line 2: emotion is '-1'"),
        ("emotion,pixels,Usage\n" + _row(label="happy"), "line 2: emotion is 'happy'"),
        ("emotion,pixels,Usage\n" + _row(usage="PublicTest"), "no rows with Usage Training"),
        ("emotion,pixels,Usage\n" + _row(), "no rows with Usage PublicTest"),
        (
            "emotion,pixels,Usage\n" + _row() + _row(usage="PublicTest"),
            "Training has no images of class angry, disgusted, fearful, sad",
        ),
    ],
)
def test_bad_csv_is_named_in_one_line(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=expected) as caught:
        load_dataset(path)
    assert "\n" not in str(caught.value)
    assert "fer2013.csv" in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_bytes(b"\x89PNG\r\n\xff\xfe\x00" * 50)
    with pytest.raises(ConfigError, match=r"cannot read .*fer2013\.csv as CSV"):
        load_dataset(path)


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no data at .*nowhere"):
        load_dataset(tmp_path / "nowhere")
