"""How calm the shown emotion is, and how late it follows a real change: why the filter's defaults.

    FER_STREAM_MEDIA=FOLDER python benchmarks/smoothing.py [--write]

Every face of the clips is read once, unfiltered, and each row's filter gets the same readings.
Label changes a second are counted on the steady faces (as in `make bench`) and on all. A change
is real where the unfiltered label was another one for nearly all of the second before it, and is
the new one for nearly all of the second after; its delay is how long the filter shows another.
`--write` puts the table into docs/speed.md.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from contest.quality import STEADY
from labels import clips
from markers import SPEED, put
from media import VIDEOS

import fer_stream
from fer_stream.cli.process import prepare_process
from fer_stream.filters.none import NoFilter
from fer_stream.filters.smooth import SmoothFilter
from fer_stream.stages import Filter

UNFILTERED = "`none`"
AROUND_S = 1.0
NEARLY = 0.9
LATE_S = 0.5


@dataclass(slots=True)
class Readings:
    """One face's emotions over its track, as each filter shows them."""

    times: list[float] = field(default_factory=list)
    shown: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def seconds(self) -> float:
        return self.times[-1] - self.times[0]

    def changes(self, name: str) -> int:
        return sum(one != other for one, other in pairwise(self.shown[name]))

    def delays(self, name: str) -> Iterator[float]:
        """Yield, for each real change, the seconds until it shows; infinite if it never does."""
        for index, label in self._real_changes():
            later = range(index, len(self.times))
            seen = (self.times[i] for i in later if self.shown[name][i] == label)
            yield next(seen, np.inf) - self.times[index]

    def _real_changes(self) -> Iterator[tuple[int, str]]:
        times, raw = np.array(self.times), np.array(self.shown[UNFILTERED])
        for index in np.flatnonzero(raw[1:] != raw[:-1]) + 1:
            now, label = times[index], raw[index]
            if now - times[0] < AROUND_S or times[-1] - now < AROUND_S:
                continue
            before = raw[(times >= now - AROUND_S) & (times < now)] == label
            after = raw[(times >= now) & (times < now + AROUND_S)] == label
            if before.mean() <= 1 - NEARLY and after.mean() >= NEARLY:
                yield int(index), str(label)


def fresh_filters() -> dict[str, Filter]:
    """Return the rows' filters, without a memory."""
    pairs = [(0.2, 0.1), (0.3, 0.0), (0.3, 0.05), (0.3, 0.15), (0.4, 0.1), (0.5, 0.1)]
    named = {
        f"`smooth?time={t}&hysteresis={h}`": SmoothFilter(time=t, hysteresis=h) for t, h in pairs
    }
    return {"defaults (`smooth`)": SmoothFilter(), UNFILTERED: NoFilter(), **named}


def read(clip: str) -> list[Readings]:
    """Return what each filter shows of each face of a clip."""
    tracks: dict[int, Readings] = defaultdict(Readings)
    filters = fresh_filters()
    for result in fer_stream.stream(VIDEOS / clip, filter="none"):
        faces = [face for face in result.faces if face.track_id is not None]
        for face in faces:
            assert face.track_id is not None
            tracks[face.track_id].times.append(result.frame.time_s)
        for name, stage in filters.items():
            for face in stage.apply(result.frame, faces):
                assert face.track_id is not None
                tracks[face.track_id].shown[name].append(face.scores.top)
    return list(tracks.values())


def row(name: str, steady: list[Readings], every: list[Readings]) -> str:
    def rate(faces: list[Readings]) -> float:
        return sum(face.changes(name) for face in faces) / sum(face.seconds for face in faces)

    delays = np.array([delay for face in every for delay in face.delays(name)])
    return (
        f"| {name} | {rate(steady):.2f} | {rate(every):.2f} | {np.median(delays):.2f} "
        f"| {delays.max():.2f} | {(delays > LATE_S).sum()} of {len(delays)} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="into docs/speed.md")
    arguments = parser.parse_args()
    prepare_process()
    found = {clip: read(clip) for clip in sorted({*clips(), *STEADY})}
    steady = [face for clip in STEADY for face in found[clip]]
    every = [face for faces in found.values() for face in faces]
    lines = [
        f"{len(every)} faces, {sum(face.seconds for face in every):.0f} s.\n",
        "| `--filter` | changes a second, steady faces | all faces | median delay, s | longest, s "
        f"| later than {LATE_S} s |",
        "|---|--:|--:|--:|--:|--:|",
        *(row(name, steady, every) for name in fresh_filters()),
    ]
    print("\n".join(lines))
    if arguments.write:
        put(SPEED, "smoothing", "\n".join(lines))


if __name__ == "__main__":
    main()
