"""Sources: one file per way that frames come in."""

from __future__ import annotations

import glob
import os
from pathlib import Path

IMAGE_ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm"),
)
"""File names that the images source takes from a folder, lower case."""

VIDEO_ENDINGS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")
"""File names that surely are recordings, lower case."""

FILM_ENDINGS = (
    *VIDEO_ENDINGS,
    *(".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp", ".ogv"),
)
"""File names of films; some of them name streams too, lower case."""

OTHER_PICTURES = (".heic", ".heif", ".avif", ".gif", ".jxl", ".dng", ".cr2", ".nef", ".arw")
"""File names of pictures that it does not take from a folder, lower case."""


def is_hidden(path: Path) -> bool:
    """Return whether a folder's file or folder is none to a person: hidden, or one of macOS's own.

    macOS puts a hidden "._a.jpg", which is no picture, beside an "a.jpg" on a stick, and a folder
    of such files into an archive.
    """
    return path.name.startswith(".") or path.name == "__MACOSX"


def is_named(path: Path, endings: tuple[str, ...]) -> bool:
    """Return whether a file in a folder ends as its kind does; a hidden one is none, as in a glob.

    Nor is a folder, or a pipe, which nobody may ever write to. A link to nothing is one, for it
    is to be named where it cannot be read.
    """
    if path.suffix.lower() not in endings or is_hidden(path):
        return False
    return os.path.isfile(path) or not os.path.exists(path)  # noqa: PTH110, PTH113 - never raise


def is_picture_of(target: str, file: str) -> bool:
    """Return whether a file is there, and one of the pictures of a folder or glob."""
    path = Path(file)
    if not is_named(path, IMAGE_ENDINGS) or not os.path.isfile(file):  # noqa: PTH113 - never raises
        return False
    if os.path.isdir(target):  # noqa: PTH112
        return path.parent.samefile(target)
    found = glob.glob(target, recursive=True)  # noqa: PTH207 - may be absolute
    return any(path.samefile(one) for one in found if os.path.exists(one))  # noqa: PTH110
