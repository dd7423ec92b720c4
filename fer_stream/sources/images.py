"""Source `images`: one picture, a folder of pictures or a glob."""

from __future__ import annotations

import glob
import logging
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from fer_stream.errors import ConfigError, IncompleteError, SourceError
from fer_stream.frames import frame_from_image
from fer_stream.sources import FILM_ENDINGS, IMAGE_ENDINGS, OTHER_PICTURES, is_named
from fer_stream.stages import Source
from fer_stream.types import BgrImage, Frame, StreamInfo
from fer_stream.urls import path_target
from fer_stream.words import counted

logger = logging.getLogger("fer_stream")

_MOST_FPS = 10_000  # faster than any camera for faces; films cannot hold just any rate


class ImagesSource(Source):
    """Reads pictures in the order of their names: `images:holiday/`, `images:frame_*.png?fps=25`.

    `images:holiday/**/*.jpg` reads what is in the folders within too. Numbers in names count as
    numbers: 9.png comes before 10.png. Of a picture that moves (WebP, PNG) the first is read.
    Without `fps` the pictures have nothing to do with each other: each one is searched for faces,
    is its own source in the rows (its path), and its time is its number in seconds. With `fps`
    they are the frames of one film, tracked and smoothed like any other.
    """

    name = "images"

    def __init__(self, target: str = "", *, fps: float | None = None) -> None:
        if fps is not None and not 0 < fps <= _MOST_FPS:
            raise ConfigError(f"images: fps must be above 0, at most {_MOST_FPS}, got {fps:g}")
        expected = "a picture, a folder or a glob, e.g. images:holiday/"
        self._target = self.source_id = path_target(self.name, target, expected)
        self._fps = fps

    def open(self) -> StreamInfo:
        """List the pictures and read the first that can be read."""
        expected = "expected a picture, a folder with pictures or a glob that matches some"
        try:
            self._paths = self._list()
        except OSError as error:
            reason = error.strerror
            raise SourceError(f"cannot read {self._target}: {reason}; {expected}") from None
        if not self._paths:
            raise SourceError(
                f"no pictures at {self._target}; {expected}; videos are given one by one"
            )
        height, width = self._first().shape[:2]
        self._info = StreamInfo(
            source_id=self._target,
            width=width,
            height=height,
            fps=self._fps,
            frame_count=len(self._paths),
            stills=self._fps is None,
        )
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Yield the pictures; unreadable ones are left out, each is named, and the end says so."""
        info, unreadable = self._info, []
        for index, path in enumerate(self._paths):
            try:
                image = _read(path)
            except SourceError as error:
                logger.warning(f"{error}; left out")
                unreadable.append(path)
                continue
            height, width = image.shape[:2]
            if (width, height) != (info.width, info.height):
                info = replace(info, width=width, height=height, session=info.session + 1)
            own = replace(info, source_id=str(path)) if info.stills else info
            yield frame_from_image(image, index, index / (self._fps or 1.0), own)
        if unreadable:
            raise IncompleteError(
                f"{self._target} is incomplete: {len(unreadable)} of {len(self._paths)} pictures "
                f"cannot be read, the first is {unreadable[0]}"
            )

    def _first(self) -> BgrImage:
        for path in self._paths[:-1]:
            with suppress(SourceError):
                return _read(path)
        return _read(self._paths[-1])

    def _list(self) -> list[Path]:
        path = Path(self._target)
        if path.is_dir():
            inside = [p for p in path.iterdir() if not p.is_dir()]
            found = [p for p in inside if is_named(p, IMAGE_ENDINGS)]
            expected = f"expected {', '.join(IMAGE_ENDINGS)}; convert what is to be read"
            self._tell_left_out(inside, "picture", OTHER_PICTURES, expected)
            if found:
                self._tell_left_out(inside, "video", FILM_ENDINGS, "give videos one by one")
        elif path.exists():
            found = [path]
        else:
            matching = glob.glob(self._target, recursive=True)  # noqa: PTH207 - may be absolute
            found = [p for p in map(Path, matching) if not p.is_dir()]
            # Each would be read whole to see that it is no picture.
            if all(p.suffix.lower() in FILM_ENDINGS for p in found):
                found = []
        return sorted(found, key=_in_order)

    def _tell_left_out(
        self, inside: list[Path], kind: str, endings: tuple[str, ...], todo: str
    ) -> None:
        others = [p for p in inside if is_named(p, endings)]
        if others:
            left_out, example = counted(len(others), kind), min(others).name
            logger.warning(f"{self._target}: {left_out} left out, such as {example}; {todo}")


def _in_order(path: Path) -> tuple[list[tuple[str, int]], Path]:
    """Return what sorts paths by name, and by number where names have numbers."""
    parts = re.findall(r"([^0-9]*)([0-9]*)", str(path.with_suffix("")))
    return [(text, int(number or -1)) for text, number in parts], path


def _read(path: Path) -> BgrImage:
    # Not cv2.imread: it prints its own warning and cannot open non-ASCII paths on Windows.
    try:
        image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error):
        image = None
    if image is None:
        raise SourceError(f"{path} is not a picture that can be read")
    return image  # type: ignore[return-value]
