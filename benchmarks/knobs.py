"""What `--detect-every`, `--detect-size` and `--analyse-fps` cost and bring: why their defaults.

    FER_STREAM_MEDIA=FOLDER python benchmarks/knobs.py [--write] [--detector haar]

Each row is fer-stream with its defaults but for one setting. Searching is measured on the labelled
clips (recall and false boxes of whole runs), reading on two faces that look into the camera: label
changes a second, and on how many of all frames the label that is known then is the one that
reading every frame gives. CPU is the whole process's, for each frame of the video. `--write` puts
the tables into docs/speed.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
from contest.quality import STEADY
from labels import Tally, clips, load, match, together
from markers import SPEED, put
from media import VIDEOS

import fer_stream
from fer_stream.cli.process import prepare_process

SEARCHES: dict[str, dict[str, Any]] = {
    "defaults": {},
    "`--detect-every 5`": {"detect_every": 5},
    "`--detect-every 10`": {"detect_every": 10},
    "`--detect-every 25`": {"detect_every": 25},
    "`--detect-size 320`": {"detect_size": 320},
    "`--detect-size 480`": {"detect_size": 480},
    "`--detect-size 960`": {"detect_size": 960},
}
READINGS: dict[str, dict[str, Any]] = {
    "defaults (all frames)": {},
    "`--analyse-fps 12`": {"analyse_fps": 12.0},
    "`--analyse-fps 8`": {"analyse_fps": 8.0},
    "`--analyse-fps 5`": {"analyse_fps": 5.0},
}


def searching(settings: dict[str, Any]) -> str:
    """Return a row's cells."""
    tallies, cpu_s, frames = [], 0.0, 0
    for clip in clips():
        labels, tally = load(clip), Tally()
        start_s = time.process_time()
        for result in fer_stream.stream(VIDEOS / clip, filter="none", **settings):
            frames += 1
            if result.frame.index in labels:
                boxes = [face.box for face in result.faces]
                long_side = max(result.frame.grey.shape)
                tally.add(match(boxes, labels[result.frame.index], long_side))
        cpu_s += time.process_time() - start_s
        tallies.append(tally)
    every = together(tallies)
    return f"{every.recall():.3f} | {every.false_per_frame:.3f} | {1000 * cpu_s / frames:.2f}"


def readings(settings: dict[str, Any]) -> tuple[list[list[str]], float]:
    """Return the label that is known at each frame of each steady clip, and CPU ms a frame."""
    known, cpu_s = [], 0.0
    for clip in STEADY:
        start_s = time.process_time()
        read = dict(labelled(VIDEOS / clip, settings))
        cpu_s += time.process_time() - start_s
        held, last = [], ""
        for index in range(length(clip)[0]):
            last = read.get(index, last)
            held.append(last)
        known.append(held)
    return known, 1000 * cpu_s / sum(map(len, known))


def length(clip: str) -> tuple[int, float]:
    """Return a clip's length in frames and in seconds."""
    with av.open(str(VIDEOS / clip)) as container:
        stream = container.streams.video[0]
        return stream.frames, stream.frames / float(stream.average_rate or 25)


def labelled(path: Path, settings: dict[str, Any]) -> Iterator[tuple[int, str]]:
    for result in fer_stream.stream(path, **settings):
        if result.faces:
            yield result.frame.index, max(result.faces, key=lambda f: f.box.width).scores.top


def reading_rows(more: dict[str, Any]) -> Iterator[str]:
    reference: list[list[str]] = []
    seconds = sum(length(clip)[1] for clip in STEADY)
    for name, settings in READINGS.items():
        known, ms = readings({**settings, **more})
        reference = reference or known
        pairs = [
            pair
            for one, other in zip(known, reference, strict=True)
            for pair in zip(one, other, strict=True)
        ]
        same = sum(one == other for one, other in pairs) / len(pairs)
        changes = sum(one != other for held in known for one, other in pairwise(filter(None, held)))
        yield f"| {name} | {same:.1%} | {changes / seconds:.2f} | {ms:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="into docs/speed.md")
    parser.add_argument("--detector", default="onnx", help="onnx unless given")
    arguments = parser.parse_args()
    prepare_process()
    more = {"detector": arguments.detector}
    lines = [
        f"Detector `{arguments.detector}`.\n",
        "| | recall | false boxes a frame | CPU ms a frame |",
        "|---|--:|--:|--:|",
    ]
    for name, settings in SEARCHES.items():
        lines.append(f"| {name} | {searching({**settings, **more})} |")
        print(lines[-1], flush=True)
    lines += ["", "| | same label | label changes a second | CPU ms a frame |", "|---|--:|--:|--:|"]
    lines += reading_rows(more)
    print("\n".join(lines))
    if arguments.write:
        put(SPEED, "knobs", "\n".join(lines))


if __name__ == "__main__":
    main()
