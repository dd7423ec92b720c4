"""Kaggle's table of FER-2013, row by row: plain, gzipped or zipped."""

from __future__ import annotations

import csv
import gzip
import io
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from fer_stream.errors import ConfigError
from fer_stream.words import counted

from ..fer2013 import EMOTIONS, IMAGE_SIZE
from .splits import SPLITS, ImageArray

_COLUMNS = ("emotion", "pixels", "Usage")
_ZIP_FAULTS = (zipfile.BadZipFile, NotImplementedError, RuntimeError)  # the last: a password
_FAULTS = (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error, *_ZIP_FAULTS)


@dataclass(frozen=True, slots=True)
class TableRow:
    """One face: its split, its FER code 0..6, and its (48, 48) uint8 grey image."""

    usage: str
    label: int
    image: ImageArray


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


def table_rows(
    path: Path, wanted: tuple[str, ...], opened: Callable[[Path], IO[bytes]] = _open
) -> Iterator[TableRow]:
    """Yield the rows of the ``wanted`` splits one by one; ``opened`` opens the file for reading.

    The columns may come in any order and with spaces about their names, as in Kaggle's
    ``icml_face_data.csv``. Raises ConfigError naming the row of the first fault.
    """
    for line, row in _text_rows(path, opened):
        where = f"{path}, line {line}"
        usage = (row["Usage"] or "").strip()
        if usage not in SPLITS:
            raise ConfigError(
                f"{where}: Usage is {_quoted(usage)}; expected {', '.join(SPLITS)}; "
                "correct or remove the row"
            )
        if usage in wanted:
            label = _parse_label(row["emotion"] or "", where)
            yield TableRow(usage, label, _parse_pixels(row["pixels"] or "", where))


def _text_rows(
    path: Path, opened: Callable[[Path], IO[bytes]]
) -> Iterator[tuple[int, dict[str, str | None]]]:
    """Yield (line number from 1, row) after checking the header."""
    try:
        with (
            opened(path) as file,
            _unpacked(path, file) as content,
            # -sig: spreadsheets put a mark in front
            io.TextIOWrapper(content, encoding="utf-8-sig", newline="") as text,
        ):
            reader = csv.DictReader(text)
            reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
            missing = [name for name in _COLUMNS if name not in reader.fieldnames]
            if missing:
                raise ConfigError(
                    f"{path} has no column {', '.join(missing)}; expected the header "
                    f"{','.join(_COLUMNS)}; use Kaggle's fer2013.csv"
                )
            twice = [name for name in _COLUMNS if reader.fieldnames.count(name) > 1]
            if twice:
                raise ConfigError(
                    f"{path} has more than one column {', '.join(twice)}; expected one of each of "
                    f"{', '.join(_COLUMNS)}; rename or remove the others"
                )
            for row in reader:
                yield reader.line_num, row
    except _FAULTS as error:
        raise ConfigError(
            f"cannot read {path} as CSV ({error}); expected Kaggle's fer2013.csv; check the file"
        ) from error


def _unpacked(path: Path, file: IO[bytes]) -> IO[bytes] | gzip.GzipFile:
    """The CSV in ``file``, whatever its name says of how it is packed."""
    start = file.read(4)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return gzip.open(file)
    if start != b"PK\x03\x04":
        return file
    archive = zipfile.ZipFile(file)
    names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
    # A Mac adds its notes on every file under the same ending.
    names = [name for name in names if not name.rpartition("/")[2].startswith("._")]
    if len(names) != 1:
        raise ConfigError(
            f"{path} holds {', '.join(names) or 'no CSV file'}; expected one CSV file; "
            "unpack it and give --data the file or folder in it"
        )
    return archive.open(names[0])


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}...")


def _parse_label(text: str, where: str) -> int:
    try:
        label = int(text)
    except ValueError:
        label = -1
    if not 0 <= label < len(EMOTIONS):
        raise ConfigError(
            f"{where}: emotion is {_quoted(text)}; expected a code 0..6; correct or remove the row"
        )
    return label


def _parse_pixels(text: str, where: str) -> ImageArray:
    """Parse 2,304 numbers 0..255 separated by spaces into (48, 48) uint8."""
    count = IMAGE_SIZE * IMAGE_SIZE
    try:
        # numpy's text parser: five times as fast as int() over split(), 2 s for the whole file.
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            values = np.fromstring(text, dtype=np.int64, sep=" ")  # int32 would wrap
        valid = not len(values) or bool(values.min() >= 0 and values.max() <= 255)
    except (ValueError, DeprecationWarning):  # older numpys warn of what they leave out
        valid = False
    if not valid:
        raise ConfigError(
            f"{where}: a pixel is not a whole number 0..255; expected {count} such numbers; "
            "correct or remove the row"
        )
    if len(values) != count:
        raise ConfigError(
            f"{where}: {counted(len(values), 'pixel')}; "
            f"expected {count} ({IMAGE_SIZE}x{IMAGE_SIZE}); correct or remove the row"
        )
    return values.astype(np.uint8).reshape(IMAGE_SIZE, IMAGE_SIZE)
