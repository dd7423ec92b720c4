"""Faces in videos that Haar cascades and tracking agree on: nobody has to mark them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

import fer_stream
from fer_stream.detectors.onnx import OnnxDetector
from fer_stream.errors import ConfigError
from fer_stream.imaging import shrink, widened
from fer_stream.sources import VIDEO_ENDINGS, is_named
from fer_stream.types import FrameResult

from .finding import DOUBTFUL_FROM, hits, square_of
from .pictures import Grey, Picture, Squares, stacked

_TEACHER = "haar?detect_size=640&scale_factor=1.1&min_size=0.06&min_neighbors=6"
_DETECT_EVERY = 3  # frames
_LONG_SIDE = 640  # px of what is kept of a frame
_STEP_S = 0.2  # between kept frames, at least
_SHORTEST_S = 0.8  # a track that lasts less is no proof of a face
_AROUND_S = 1.0  # before and after a track, where its face may be there unseen
_SPARED_S = 0.5  # about the frames that are to be spared
_WITNESSED_FROM = 0.2  # score of an earlier detector for what the teacher saw


Spans = dict[int, list[tuple[float, np.ndarray]]]
"""A track's number to its times, s, and squares (3,) in the frame's px."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A frame that is kept, and where the teacher saw whom."""

    index: int
    time_s: float
    image: Grey
    scale: float  # frame's px per px of the image
    squares: dict[int, np.ndarray]


def filmed_pictures(
    folders: tuple[Path, ...], spare: Path | None, earlier: Path | None
) -> list[Picture]:
    """Frames of all videos in the folders, with the faces that are sure and those that are not.

    Frames within half a second of one that `spare`/NAME.csv lists (column `frame`) are left out,
    so that they can be tested on. With a detector `earlier`, a face is what both see. Raises
    ConfigError for a folder without videos and a list that cannot be read, before any video is
    looked at; SourceError for one that is damaged.
    """
    videos = []
    for folder in folders:
        files = sorted(f for f in folder.iterdir() if is_named(f, VIDEO_ENDINGS))
        if not files:
            raise ConfigError(
                f"no video in {folder}; expected {', '.join(VIDEO_ENDINGS)} files; check --video"
            )
        for file in files:
            videos.append((file, _spared(spare / f"{file.name}.csv") if spare else set()))
    return [picture for file, spared in videos for picture in _of_video(file, spared, earlier)]


def _spared(labels: Path) -> set[int]:
    if not labels.is_file():
        return set()
    try:
        with labels.open(newline="", encoding="utf-8") as file:
            return {int(row["frame"]) for row in csv.DictReader(file)}
    except (OSError, KeyError, TypeError, ValueError, csv.Error):
        raise ConfigError(
            f"cannot read {labels}; expected a CSV file whose column frame holds a whole number in "
            "every row; check --spare"
        ) from None


def _of_video(path: Path, spared: set[int], earlier: Path | None) -> list[Picture]:
    kept: list[_Seen] = []
    times: dict[int, float] = {}
    spans: Spans = {}
    for result in fer_stream.stream(
        path, detector=_TEACHER, detect_every=_DETECT_EVERY, filter="none"
    ):
        times[result.frame.index] = result.frame.time_s
        for face in result.faces:
            if face.track_id is not None:
                spans.setdefault(face.track_id, []).append(
                    (result.frame.time_s, square_of(face.box))
                )
        if not kept or result.frame.time_s - kept[-1].time_s >= _STEP_S:
            kept.append(_seen(result))
    tests = [times[index] for index in spared if index in times]
    detector = OnnxDetector(str(earlier), threshold=_WITNESSED_FROM) if earlier else None
    return [
        _picture(seen, spans, detector)
        for seen in kept
        if all(abs(seen.time_s - time) > _SPARED_S for time in tests)
    ]


def _seen(result: FrameResult) -> _Seen:
    frame = result.frame
    image, scale = shrink(frame.grey, _LONG_SIDE)
    image = image.copy() if frame.full_range else widened(image)
    squares = {f.track_id: square_of(f.box) for f in result.faces if f.track_id is not None}
    return _Seen(frame.index, frame.time_s, image, scale, squares)


def _picture(seen: _Seen, spans: Spans, detector: OnnxDetector | None) -> Picture:
    sure: list[np.ndarray] = []
    unsure: list[np.ndarray] = []
    for track, span in spans.items():
        lasting = span[-1][0] - span[0][0] >= _SHORTEST_S
        if track in seen.squares:
            (sure if lasting else unsure).append(seen.squares[track])
        elif span[0][0] - _AROUND_S <= seen.time_s <= span[-1][0] + _AROUND_S:
            nearest = min(span, key=lambda at: abs(at[0] - seen.time_s))[1]
            unsure.append(nearest * (1, 1, 1.6))
    picture = Picture(seen.image, stacked(sure) / seen.scale, stacked(unsure) / seen.scale)
    return witnessed(picture, detector) if detector else picture


def witnessed(picture: Picture, detector: OnnxDetector) -> Picture:
    """The picture with those faces that a detector sees too; all that one alone sees is unsure."""
    seen, scores = hits(detector, picture.image)
    agreed = _any_near(picture.faces, seen)
    alone = (scores >= DOUBTFUL_FROM) & ~_any_near(seen, picture.faces)
    unsure = [picture.unsure, picture.faces[~agreed], seen[alone]]
    return Picture(picture.image, picture.faces[agreed], np.concatenate(unsure))


def _any_near(squares: Squares, others: Squares) -> npt.NDArray[np.bool_]:
    """(N,): whether each square lies about where one of the others does, and is about as large."""
    away = np.abs(squares[:, None, :2] - others[None, :, :2]).max(axis=2)
    larger = np.maximum(squares[:, None, 2], others[None, :, 2])
    smaller = np.minimum(squares[:, None, 2], others[None, :, 2])
    near: npt.NDArray[np.bool_] = ((away < 0.35 * larger) & (larger < 2 * smaller)).any(axis=1)
    return near
