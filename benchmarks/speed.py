"""fer-stream beside decoding alone and what people use today, side by side in one run.

    python benchmarks/speed.py [--quick] [--write] [--rounds N] [--only NAME,NAME] [--seconds S]

Everybody has a process of its own and takes turns: one after the other on each clip, round after
round. Tables are printed; `--write` (`make bench`) puts them, and a chart, into docs/speed.md.
`--quick` takes a minute or two: two short clips, one round, no recall. README.md says how to read
it.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

from contest import quality, timing
from contest.chart import draw
from contest.clips import clips
from contest.entrants import Entrant, Worker, entrants
from contest.report import Contest, as_markdown
from fer_stream_training.processor import processor_name
from labels import clips as labelled_clips
from markers import SPEED, put
from media import VIDEOS


def run(arguments: argparse.Namespace) -> Contest:
    wanted = [e for e in entrants() if not arguments.only or e.name in arguments.only]
    refused: dict[str, str] = {}
    workers = timing.start(wanted, lambda entrant, why: refused.update({entrant.title: why}))
    shown = clips(VIDEOS, arguments.quick)
    rounds = arguments.rounds or (1 if arguments.quick else 5)
    seconds = arguments.seconds or (4.0 if arguments.quick else 20.0)
    try:
        with tempfile.TemporaryDirectory() as folder:
            times = timing.measure(shown, workers, Path(folder), seconds, rounds)
        found = {} if arguments.quick else look_for_faces(workers)
    finally:
        for _, worker in workers:
            worker.close()
    taking_part = [entrant for entrant, _ in workers]
    return Contest(taking_part, times, found, refused, setting(seconds, rounds))


def setting(seconds: float, rounds: int) -> str:
    """Return in words on what clips of so many seconds were timed, and how often."""
    how_often = f"medians of {rounds} rounds" if rounds > 1 else "one round"
    return (
        f"{os.cpu_count()} cores, {processor_name()}, {platform.system()}, Python "
        f"{platform.python_version()}; clips of {seconds:g} s, {how_often}."
    )


def look_for_faces(workers: list[tuple[Entrant, Worker]]) -> dict[str, quality.Quality]:
    labelled = [clip for clip in labelled_clips() if (VIDEOS / clip).exists()]
    steady = all((VIDEOS / clip).exists() for clip in quality.STEADY)
    found = {}
    for entrant, worker in workers if labelled else ():
        if entrant.sees and not entrant.searches_like:
            print(f"{entrant.title}: looks at the labelled frames", file=sys.stderr)
            found[entrant.name] = quality.measure(worker, VIDEOS, labelled, steady)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true", help="into docs/speed.md and speed.png")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="length of the clips")
    parser.add_argument("--only", type=lambda text: text.split(","), help="these, by name")
    arguments = parser.parse_args()
    if arguments.only:  # what the others are compared with
        arguments.only += ["decode", "plain"]
    contest = run(arguments)
    tables = as_markdown(contest)
    print(tables)
    if arguments.write:
        put(SPEED, "speed", tables)
        draw(contest, SPEED.with_suffix(".png"))


if __name__ == "__main__":
    main()
