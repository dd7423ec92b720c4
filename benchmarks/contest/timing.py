"""Everybody's times on every clip, taken in turns."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from contest.clips import Clip, write
from contest.entrants import Entrant, Worker

_WARM_UP = 3  # frames


@dataclass(slots=True)
class Times:
    """One entrant's seconds a frame on one clip, a value for each round."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    @property
    def frames_per_s(self) -> float:
        return 1 / statistics.median(self.wall_s)

    @property
    def frames_per_cpu_s(self) -> float:
        return 1 / statistics.median(self.cpu_s)

    def times_as_fast(self, other: Times, kind: str = "wall_s") -> float:
        """Return the median over the rounds of how much faster it was than another."""
        pairs = zip(getattr(other, kind), getattr(self, kind), strict=True)
        return float(statistics.median(theirs / own for theirs, own in pairs))


Clips = dict[str, dict[str, Times]]
"""By clip's title and entrant's name."""


def measure(
    clips: list[Clip],
    workers: list[tuple[Entrant, Worker]],
    folder: Path,
    seconds: float,
    rounds: int,
) -> Clips:
    """Make each clip, and let all look at it, one after the other, round after round."""
    measured: Clips = {}
    for number, clip in enumerate(clips):
        path = folder / f"{number}.mp4"
        write(clip, path, round(seconds * clip.fps))
        times = {entrant.name: Times() for entrant, _ in workers}
        for _, worker in workers:
            worker.look(path, most=_WARM_UP)
        for turn in range(rounds):
            print(f"{clip.title}: round {turn + 1} of {rounds}", file=sys.stderr)
            for entrant, worker in workers:
                done = worker.look(path, most=entrant.most)
                times[entrant.name].wall_s.append(done["wall_s"] / done["frames"])
                times[entrant.name].cpu_s.append(done["cpu_s"] / done["frames"])
        measured[clip.title] = times
        path.unlink()
    return measured


def start(
    wanted: list[Entrant], refused: Callable[[Entrant, str], None]
) -> list[tuple[Entrant, Worker]]:
    """Start everybody's process; tell who cannot take part, and why."""
    workers = []
    for entrant in wanted:
        try:
            workers.append((entrant, Worker(entrant)))
        except RuntimeError as error:
            refused(entrant, str(error))
    return workers
