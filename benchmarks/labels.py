"""Faces that people marked in frames of real clips, and what a detector makes of them.

`labels/README.md` says what was marked and how. Matching: found boxes and marked faces are paired
by their overlap (intersection over union), the best pairs first, each at most once, down to an
overlap of 0.4. A marked face without a partner is missed. A found box without one is false, unless
its centre lies in a region marked `ignore` or it is too small to be judged.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from fer_stream.types import Box

LABELS = Path(__file__).parent / "labels"
LEAST_OVERLAP = 0.4
"""Intersection over union; the marks themselves are right to about 8 % of a side."""
SMALLEST_JUDGED = 0.03
"""Of the frame's long side: narrower found boxes are not counted, as faces under 4 % are not."""
KINDS = ("frontal", "turned", "profile", "small", "occluded")


@dataclass(frozen=True, slots=True)
class Label:
    """A face marked in a frame, or a region where a found box counts neither way."""

    box: Box
    kinds: tuple[str, ...]
    """Of `KINDS`; or `("ignore",)`."""

    @property
    def ignored(self) -> bool:
        return self.kinds == ("ignore",)


Labels = dict[int, list[Label]]
"""Frame's index, from 0 in decoding order, to what is marked there: nothing if nobody is there."""


class Matched(NamedTuple):
    """One frame's found boxes set against its labels."""

    hits: list[Label]
    missed: list[Label]
    false: list[Box]


@dataclass(slots=True)
class Tally:
    """Adds up matched frames."""

    frames: int = 0
    false: int = 0
    """Found boxes where no face is marked."""
    hits: Counter[str] = field(default_factory=Counter)
    """Per kind, and all of them as `face`."""
    faces: Counter[str] = field(default_factory=Counter)

    def add(self, matched: Matched) -> None:
        self.frames += 1
        self.false += len(matched.false)
        for label in matched.hits:
            self.hits.update(("face", *label.kinds))
        for label in (*matched.hits, *matched.missed):
            self.faces.update(("face", *label.kinds))

    def recall(self, kind: str = "face") -> float | None:
        """Share of the marked faces that were found, 0..1; None if none of the kind is marked."""
        return self.hits[kind] / self.faces[kind] if self.faces[kind] else None

    @property
    def false_per_frame(self) -> float:
        return self.false / self.frames if self.frames else 0.0


def together(tallies: Iterable[Tally]) -> Tally:
    """Add up the tallies of several clips."""
    every = Tally()
    for tally in tallies:
        every.frames += tally.frames
        every.false += tally.false
        every.hits.update(tally.hits)
        every.faces.update(tally.faces)
    return every


def clips() -> list[str]:
    """Return the file names of the labelled clips."""
    return sorted(path.stem for path in LABELS.glob("*.csv"))


def load(clip: str) -> Labels:
    """Return a clip's labels, for all frames that were looked at and no others."""
    labels: Labels = {}
    with (LABELS / f"{clip}.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            marked = labels.setdefault(int(row["frame"]), [])
            if row["kind"] != "none":
                x, y, width, height = (int(row[name]) for name in ("x", "y", "width", "height"))
                marked.append(Label(Box(x, y, width, height), tuple(row["kind"].split("+"))))
    return labels


def overlap(one: Box, other: Box) -> float:
    """Return the intersection over the union of two boxes, 0..1."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    common = max(width, 0) * max(height, 0)
    return common / (one.width * one.height + other.width * other.height - common)


def match(found: Sequence[Box], labels: Sequence[Label], long_side: int) -> Matched:
    """Set one frame's found boxes against its labels; `long_side` is the frame's, in px."""
    faces = [label for label in labels if not label.ignored]
    ignored = [label.box for label in labels if label.ignored]
    pairs = sorted(
        (
            (overlap(box, face.box), i, j)
            for i, box in enumerate(found)
            for j, face in enumerate(faces)
        ),
        reverse=True,
    )
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for share, i, j in pairs:
        if share >= LEAST_OVERLAP and i not in partner and j not in taken:
            partner[i] = j
            taken.add(j)
    false = [
        box
        for i, box in enumerate(found)
        if i not in partner
        and max(box.width, box.height) >= SMALLEST_JUDGED * long_side
        and not any(_centre_inside(box, region) for region in ignored)
    ]
    return Matched(
        [faces[j] for j in sorted(taken)],
        [face for j, face in enumerate(faces) if j not in taken],
        false,
    )


def _centre_inside(box: Box, region: Box) -> bool:
    x, y = box.x + box.width / 2, box.y + box.height / 2
    return region.x <= x < region.x + region.width and region.y <= y < region.y + region.height
