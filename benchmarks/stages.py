"""Where a run's CPU time goes, stage by stage, on two of the clips that everybody is timed on.

    python benchmarks/stages.py [--write] [--seconds S] [--detector NAME]

It is what `fer-stream bench` measures. `--write` puts the table into docs/speed.md.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from contest.clips import clips, write
from markers import SPEED, put
from media import VIDEOS

from fer_stream.cli.capacity import Capacity, measure
from fer_stream.cli.process import prepare_process
from fer_stream.config import make_config
from fer_stream.plugins import installed

CLIP_S = 8.0


def look(folder: Path, seconds: float, settings: dict[str, str]) -> dict[str, Capacity]:
    """Return what was found, by clip: small with one face, and larger with several."""
    plugins, found = installed(), {}
    for clip in clips(VIDEOS, quick=True):
        path = folder / "clip.mp4"
        write(clip, path, round(CLIP_S * clip.fps))
        config = make_config({"source": [str(path)], **settings}, plugins)
        found[clip.title] = measure(config, plugins, seconds, clip.title)
    return found


def as_markdown(found: dict[str, Capacity]) -> str:
    """Return the table: CPU ms for each frame, and the share of all."""
    several = list(found.values())
    searched = " and ".join(f"{capacity.searched:.0f}" for capacity in several)
    lines = [
        f"CPU milliseconds a frame with detector `{several[0].detector}`, which searches one frame "
        f"in {searched}:\n",
        f"| | {' | '.join(found)} |",
        "|---|" + "--:|" * len(found),
    ]
    for costs in zip(*(capacity.stages for capacity in several), strict=True):
        cells = [
            f"{cost.ms_per_frame:.2f} ({cost.ms_per_frame / capacity.ms_per_frame:.0%})"
            for cost, capacity in zip(costs, several, strict=True)
        ]
        lines.append(f"| {costs[0].name} | {' | '.join(cells)} |")
    lines.append("| all | " + " | ".join(f"{c.ms_per_frame:.2f}" for c in several) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="into docs/speed.md")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each clip")
    parser.add_argument("--detector", help="not the default one")
    arguments = parser.parse_args()
    prepare_process()
    settings = {"detector": arguments.detector} if arguments.detector else {}
    with tempfile.TemporaryDirectory() as folder:
        table = as_markdown(look(Path(folder), arguments.seconds, settings))
    print(table)
    if arguments.write:
        put(SPEED, "stages", table)


if __name__ == "__main__":
    main()
