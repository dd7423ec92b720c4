"""Folders of image files, one folder per class: split by its owner, or not at all.

The demo's form of FER-2013 is ``train/<emotion>/*.png`` and ``test/<emotion>/*.png``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from fer_stream.errors import ConfigError
from fer_stream.labels import naming_problem
from fer_stream.sources import IMAGE_ENDINGS, OTHER_PICTURES, is_hidden, is_named
from fer_stream.words import counted

from ..fer2013 import EMOTIONS
from .images import Size, read_images
from .splits import Split

_TRAIN = "train"
_VALIDATION = ("validation", "val", "test")  # the first that is there
OTHER_NAMES = {"disgust": "disgusted", "fear": "fearful", "surprise": "surprised"}  # of emotions
_MOST_CLASSES = 256  # labels are bytes


@dataclass(frozen=True, slots=True)
class _Listing:
    """The image files of one split, in a fixed order; each lies in its class's folder."""

    name: str
    files: list[Path]


def read_folder_splits(root: Path, names: Iterable[str], size: Size | None) -> dict[str, Split]:
    """Read the named splits below ``root``, all as images of one size (see ``read_images``).

    ``Training`` is ``train/``; ``PublicTest`` is ``validation/``, ``val/`` or ``test/``, the first
    that is there; any other name is the folder of that name. A folder of class folders has no
    splits: its ``Training`` and ``PublicTest`` are nine tenths and a tenth of each class, always
    the same ones, and ``all`` is everything.

    The classes are the names of the class folders, sorted. Where all of them are emotions, they
    have FER-2013's names and order instead (``fear`` is ``fearful``). Raises ConfigError for
    missing folders and for files that are no images.
    """
    if _is_split(root):
        folders = {name: _split_folder(root, name) for name in names}
        listings = {
            name: _Listing(folder.name, _image_files(folder)) for name, folder in folders.items()
        }
        codes, class_names = _classes({root / _TRAIN, *folders.values()})
    else:
        listings = {name: _part(root, name) for name in names}
        codes, class_names = _classes({root})
    files = [file for listing in listings.values() for file in listing.files]
    _require_flat({file.parent for file in files})
    images = iter(read_images(files, size, fer2013=class_names == EMOTIONS))
    splits = {}
    for name, listing in listings.items():
        labels = np.array([codes[file.parent.name] for file in listing.files], dtype=np.uint8)
        order = np.argsort(labels, kind="stable")
        stack = np.stack([next(images) for _ in listing.files])
        splits[name] = Split(listing.name, stack[order], labels[order], class_names)
    return splits


def _is_split(root: Path) -> bool:
    """Whether ``root`` is to be split by its folders; else it is a folder of class folders."""
    return any((root / name).is_dir() for name in (_TRAIN, *_VALIDATION)) or not any(
        _image_files(root)
    )


def _split_folder(root: Path, name: str) -> Path:
    choices = {"Training": (_TRAIN,), "PublicTest": _VALIDATION}.get(name, (name,))
    for choice in choices:
        if (root / choice).is_dir():
            if not _image_files(root / choice):
                raise ConfigError(
                    f"{root / choice} holds no images; expected {choice}/<class>/*.png; "
                    "check --data"
                )
            return root / choice
    expected, advice = "train/<class>/*.png and test/<class>/*.png", "check --data"
    if name == "PublicTest":
        advice = f"add one, or give --data {root / _TRAIN} to have a tenth of its images held out"
    elif name != "Training":
        expected, advice = f"{name}/<class>/*.png", "check --split"
    elif not any((root / other).is_dir() for other in _VALIDATION):
        expected += f", or <class>/*.png, as {', '.join(IMAGE_ENDINGS)}"
    raise ConfigError(f"{root} has no folder {'/, '.join(choices)}/; expected {expected}; {advice}")


def _part(root: Path, name: str) -> _Listing:
    """The part of a folder of class folders that stands for the split ``name``."""
    files = _image_files(root)
    if name == "all":
        return _Listing(name, files)
    if name not in ("Training", "PublicTest"):
        raise ConfigError(
            f"{root} is not split: it has no folder {name}/; expected Training or PublicTest, "
            "a tenth of its images that is held out, or all; choose one of these"
        )
    held_out = _held_out(files)
    if name == "PublicTest":
        return _Listing("held-out tenth", [file for file in files if file in held_out])
    return _Listing("nine tenths", [file for file in files if file not in held_out])


def _held_out(files: list[Path]) -> set[Path]:
    """A tenth of each class, at least one file, chosen by chance but always the same."""
    chosen: set[Path] = set()
    for folder, group in groupby(files, lambda file: file.parent):
        own = list(group)
        if len(own) == 1:
            raise ConfigError(
                f"{folder} holds one image; expected two or more, of which a tenth is held out; "
                "add some or remove the folder"
            )
        order = np.random.default_rng(0).permutation(len(own))
        chosen.update(own[index] for index in order[: max(1, round(len(own) / 10))])
    return chosen


def _classes(splits: set[Path]) -> tuple[dict[str, int], tuple[str, ...]]:
    """The label of each class folder's name in ``splits``, and the names of the classes."""
    folders = sorted({folder.name for split in splits for folder in _visible_folders(split)})
    places = ", ".join(sorted(str(split) for split in splits))
    emotions = [OTHER_NAMES.get(name.lower(), name.lower()) for name in folders]
    names, order = folders, folders
    if set(emotions) <= set(EMOTIONS):
        names, order = emotions, [name for name in EMOTIONS if name in emotions]
    if not 2 <= len(order) <= _MOST_CLASSES:
        raise ConfigError(
            f"{places}: {counted(len(order), 'class')}; expected 2 to {_MOST_CLASSES} folders, "
            "one for each class; check --data"
        )
    if problem := naming_problem(order):
        raise ConfigError(f"class folders of {places}: {problem}; rename the folder")
    _require_filled(splits)
    codes = {folder: order.index(name) for folder, name in zip(folders, names, strict=True)}
    return codes, tuple(order)


def _require_filled(splits: set[Path]) -> None:
    """Raise ConfigError for a class folder that holds no images in any of ``splits``."""
    found = [folder for split in sorted(splits) for folder in _visible_folders(split)]
    filled = {folder.name for folder in found if any(map(_is_image, folder.iterdir()))}
    if empty := next((folder for folder in found if folder.name not in filled), None):
        raise ConfigError(
            f"{empty} holds no images; expected those of one class, right in that folder; add some "
            "or remove it"
        )


def _image_files(split: Path) -> list[Path]:
    """The image files of all classes, in name order so that a run can be repeated."""
    return sorted(
        file for folder in _visible_folders(split) for file in folder.iterdir() if _is_image(file)
    )


def _is_image(file: Path) -> bool:
    # Of the other kinds, too: one that cannot be read is named then, not left out in silence.
    return is_named(file, (*IMAGE_ENDINGS, *OTHER_PICTURES))


def _require_flat(folders: set[Path]) -> None:
    """Raise ConfigError where images would be left out, for they lie deeper than the others."""
    for folder in sorted(folders):
        for inner in _visible_folders(folder):
            if deeper := next(filter(_is_image, inner.rglob("*")), None):
                raise ConfigError(
                    f"{folder} holds images, and so does {deeper.parent} in it; expected all "
                    f"images of a class in its own folder; move them to {folder}, or elsewhere"
                )


def _visible_folders(place: Path) -> list[Path]:
    if not place.is_dir():
        return []
    return [item for item in place.iterdir() if item.is_dir() and not is_hidden(item)]
