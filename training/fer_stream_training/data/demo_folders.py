"""Kaggle's table as folders of PNG files, named as the widely copied webcam demo names them."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from fer_stream.errors import ConfigError

from ..fer2013 import EMOTIONS
from .table import TableRow

FOLDER_OF_SPLIT = {"Training": "train", "PublicTest": "test", "PrivateTest": "test"}
"""The demo takes both of FER-2013's test splits for its test images."""

_UNFINISHED = "unfinished"  # holds the folders until all files are there


def write_demo_folders(rows: Iterable[TableRow], out: Path) -> Counter[str]:
    """Write ``train/<emotion>/im<N>.png`` and ``test/<emotion>/im<N>.png`` into ``out``.

    Every folder counts from im0.png. ``out`` must be new or empty; it gets its two folders when
    all files are written, and nothing if anything fails. Returns the images of each split.

    Raises ConfigError for an ``out`` that holds something or cannot be written in, and without
    rows for both folders.
    """
    _require_empty(out)
    is_new = not out.exists()
    try:
        out.mkdir(parents=True, exist_ok=True)
        try:
            written = _write_images(rows, out / _UNFINISHED)
            # test/ first: no training takes it for whole without train/
            for name in ("test", "train"):
                (out / _UNFINISHED / name).rename(out / name)
        finally:
            shutil.rmtree(out / _UNFINISHED, ignore_errors=True)
            if is_new:
                with suppress(OSError):  # it is not empty if all went well
                    out.rmdir()
    except OSError as error:
        raise ConfigError(
            f"cannot write in {out} ({error.strerror or error}); expected a folder to write in "
            "with 200 MB free; make room or choose another --out"
        ) from error
    return written


def _require_empty(out: Path) -> None:
    if out.is_dir() and any(out.iterdir()):
        raise ConfigError(
            f"{out} is not empty; expected a new or an empty folder; choose another --out or "
            "remove what is in it"
        )


def _write_images(rows: Iterable[TableRow], folder: Path) -> Counter[str]:
    import cv2

    per_folder: Counter[Path] = Counter()
    per_split: Counter[str] = Counter()
    for split in ("train", "test"):
        for emotion in EMOTIONS:
            (folder / split / emotion).mkdir(parents=True)
    for row in rows:
        target = folder / FOLDER_OF_SPLIT[row.usage] / EMOTIONS[row.label]
        _, png = cv2.imencode(".png", row.image)
        # Not imwrite, which says nothing of why it fails.
        (target / f"im{per_folder[target]}.png").write_bytes(png.tobytes())
        per_folder[target] += 1
        per_split[row.usage] += 1
    for split, usages in (("train", "Training"), ("test", "PublicTest or PrivateTest")):
        if not any(per_split[usage] for usage in usages.split(" or ")):
            raise ConfigError(
                f"the table has no rows with Usage {usages}, so {split}/ would be empty; expected "
                "Kaggle's fer2013.csv; check the Usage column"
            )
    return per_split
