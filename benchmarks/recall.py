"""How many of the labelled faces a detector finds, and what it takes for a face by mistake.

    FER_STREAM_MEDIA=FOLDER python benchmarks/recall.py [DETECTOR ...] [--run] [--clip CLIP]

A DETECTOR is named as on the command line of fer-stream: `onnx` (the default), `haar`,
`haar?detect_size=9999&scale_factor=1.3&min_neighbors=5&min_size=0&turned=no` for the plain loop's
search. It sees each labelled frame by itself, as a still picture; with `--run` the frame comes out
of a run over the whole clip with fer-stream's defaults, schedule and tracking included.
`labels/README.md` says what is labelled, `labels.py` what counts as found.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import av
import cv2
from labels import KINDS, Labels, Tally, clips, load, match, together
from media import VIDEOS

import fer_stream
from fer_stream.frames import frame_from_video
from fer_stream.plugins import Plugins
from fer_stream.spec import StageSpec, build, split_query
from fer_stream.stages import Detector
from fer_stream.types import Box, Frame, StreamInfo
from fer_stream.upright import view_of


def labelled_frames(path: Path, labels: Labels) -> Iterator[Frame]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        info = StreamInfo(path.name, stream.width, stream.height, stills=True)
        pictures = islice(container.decode(stream), max(labels) + 1)
        for index, picture in enumerate(pictures):
            if index in labels:
                view = view_of(picture, stream.sample_aspect_ratio)
                yield frame_from_video(picture, view, index, picture.time or 0.0, info)


def make_detector(text: str) -> Detector:
    head, options = split_query(text)
    name, _, target = head.partition(":")
    cls: type[Detector] = Plugins().get("detector", name)
    return build(cls, StageSpec(name, target, options))


def of_stills(path: Path, labels: Labels, text: str, tally: Tally) -> float:
    """Return the CPU seconds that detection took."""
    detector = make_detector(text)
    seconds = 0.0
    for frame in labelled_frames(path, labels):
        start = time.process_time()
        found = detector.detect(frame)
        seconds += time.process_time() - start
        add(tally, frame, [detection.box for detection in found], labels)
    return seconds


def of_run(path: Path, labels: Labels, text: str, tally: Tally) -> float:
    """Return the labelled frames' share of the CPU seconds that the whole run took."""
    start, frames = time.process_time(), 0
    for result in fer_stream.stream(path, detector=text, filter="none"):
        frames += 1
        if result.frame.index in labels:
            add(tally, result.frame, [face.box for face in result.faces], labels)
    return (time.process_time() - start) / frames * len(labels)


def add(tally: Tally, frame: Frame, found: list[Box], labels: Labels) -> None:
    tally.add(match(found, labels[frame.index], max(frame.grey.shape)))


def row(name: str, tally: Tally, seconds: float) -> str:
    shares = [tally.recall(), *(tally.recall(kind) for kind in KINDS)]
    cells = "".join(f"{'-' if share is None else format(share, '.3f'):>9}" for share in shares)
    milliseconds = 1000 * seconds / tally.frames
    return (
        f"{name:<36}{tally.frames:>7}{tally.faces['face']:>7}{cells}"
        f"{tally.false_per_frame:>9.3f}{milliseconds:>8.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("detector", nargs="*", default=["onnx"])
    parser.add_argument("--run", action="store_true", help="a whole run, not single frames")
    parser.add_argument("--clip", action="append", choices=clips(), help="only this one")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    measure = of_run if arguments.run else of_stills
    for text in arguments.detector:
        header = "".join(f"{word:>9}" for word in ("recall", *KINDS, "false/f"))
        print(f"{text}\n{'clip':<36}{'frames':>7}{'faces':>7}{header}{'CPU ms':>8}")
        tallies, seconds = [], []
        for clip in arguments.clip or clips():
            tallies.append(Tally())
            path = VIDEOS / clip
            seconds.append(measure(path, load(clip), text, tallies[-1]))
            print(row(clip, tallies[-1], seconds[-1]), flush=True)
        print(row("all", together(tallies), sum(seconds)))


if __name__ == "__main__":
    main()
