"""Reading labelled images from wherever ``--data`` points."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fer_stream.errors import ConfigError

from ..fer2013 import IMAGE_SIZE
from .folders import read_folder_splits
from .images import Size, resized
from .splits import Dataset, ImageArray, Split
from .table import table_rows


def load_dataset(path: Path, size: Size | None = None) -> Dataset:
    """Read the images to train on and those to check on (Training and PublicTest) from ``path``.

    ``size`` is as for ``load_splits``.
    Raises ConfigError for anything unreadable, and for a class without images.
    """
    splits = load_splits(path, ("Training", "PublicTest"), size)
    for split in splits.values():
        _require_every_class(split, path)
    name = path.resolve().name if path.is_dir() else "FER-2013"
    return Dataset(name, splits["Training"], splits["PublicTest"])


def load_splits(path: Path, names: tuple[str, ...], size: Size | None = None) -> dict[str, Split]:
    """Read the named splits from Kaggle's CSV (Training, PublicTest, PrivateTest) or from folders.

    ``read_folder_splits`` says what the names mean for folders. ``size`` is the (height, width) in
    px to resize all images to; without it FER-2013 is 48x48, and ``read_images`` says what else is.

    Raises ConfigError when a split has no images or anything in it cannot be read.
    """
    if path.is_dir():
        try:
            return read_folder_splits(path, names, size)
        except OSError as error:
            raise ConfigError(
                f"cannot read the folder {error.filename or path} ({error.strerror or error}); "
                "expected folders of images; check who may read it"
            ) from error
    if not path.is_file():
        raise ConfigError(
            f"no data at {path}; expected fer2013.csv or a folder with train/ and test/; "
            "give its path with --data"
        )
    return _read_table(path, names, size or (IMAGE_SIZE, IMAGE_SIZE))


def _require_every_class(split: Split, path: Path) -> None:
    counts = zip(split.class_names, split.class_counts(), strict=True)
    missing = [name for name, count in counts if count == 0]
    if missing:
        raise ConfigError(
            f"{path}: {split.name} has no images of class {', '.join(missing)}; expected images "
            f"of each of {', '.join(split.class_names)}; check that the data is complete"
        )


def _read_table(path: Path, names: tuple[str, ...], size: Size) -> dict[str, Split]:
    images: dict[str, list[ImageArray]] = {name: [] for name in names}
    labels: dict[str, list[int]] = {name: [] for name in names}
    for row in table_rows(path, names):
        images[row.usage].append(resized(row.image, size))
        labels[row.usage].append(row.label)
    for name in names:
        if not labels[name]:
            raise ConfigError(
                f"{path} has no rows with Usage {name}; expected Kaggle's fer2013.csv; "
                "check the Usage column, and --split where you gave one"
            )
    return {
        name: Split(name, np.stack(images[name]), np.array(labels[name], dtype=np.uint8))
        for name in names
    }
