"""Compares a detector's boxes with the frames of FER-2013's pictures.

    python benchmarks/framing.py --data fer2013.csv [--detector haar] [--model model.onnx]
    python benchmarks/framing.py --data fer2013.csv --media talk.mp4 party.mp4

Sets each face of PublicTest, enlarged, into a canvas and looks for it with the detector as it
ships, as in a still picture. Prints how the box lies in FER-2013's picture, and how often the model
is right when the box grows by a margin and moves down before the face is cut out: were another
row better than margin 0, the boxes would need a correction. Larger margins show more of the
canvas, which is made up. About six minutes with Haar, two with the default detector.

Videos have no labels: for them the margins are compared with margin 0.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from fer_stream_training.data import Split, load_splits
from fer_stream_training.measuring import labels_for

import fer_stream
from fer_stream.classifiers.onnx import OnnxClassifier
from fer_stream.detectors.haar import HaarDetector
from fer_stream.detectors.onnx import OnnxDetector
from fer_stream.errors import FerStreamError
from fer_stream.frames import new_frame
from fer_stream.imaging import crop_face
from fer_stream.stages import Detector
from fer_stream.types import Box, Frame, StreamInfo

SIDE = 192
"""Of an enlarged face, px: four times FER-2013's."""
PAD = 104
"""Canvas on each side of it, px; the whole is just not shrunk before detection."""
BLUR = 12.0
"""Standard deviation of the canvas's blur, px, so that it is taken for no face."""
MARGINS = (-0.10, -0.05, 0.0, 0.05, 0.10, 0.15, 0.20, 0.30)
"""By which share of its side a box grows."""
SHIFTS = (-0.05, 0.0, 0.05, 0.10)
"""By which share of its side a box moves down."""
EVERY = 5
"""Of a video's frames one in so many is looked at."""


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="fer2013.csv or folders of images")
    parser.add_argument("--model", default="default", help="ONNX file; default: the shipped one")
    parser.add_argument("--detector", choices=("onnx", "haar"), default="onnx")
    parser.add_argument("--media", nargs="+", default=[], metavar="VIDEO", help="real videos")
    return parser.parse_args()


def on_canvas(image: npt.NDArray[np.uint8]) -> Frame:
    """Return one (48, 48) grey face, enlarged, as a still picture with blurred surroundings."""
    large = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    edges = cv2.copyMakeBorder(large, PAD, PAD, PAD, PAD, cv2.BORDER_REPLICATE)
    canvas = cv2.GaussianBlur(edges, (0, 0), BLUR)
    canvas[PAD : PAD + SIDE, PAD : PAD + SIDE] = large
    info = StreamInfo("canvas", canvas.shape[1], canvas.shape[0], stills=True)
    return new_frame(np.asarray(canvas, np.uint8), 0, 0.0, info)


def searches(detector: str) -> dict[str, Detector]:
    """The detector as it ships; a face that the upright search finds is not looked for twice."""
    if detector == "onnx":
        return {"found": OnnxDetector()}
    return {
        "found upright": HaarDetector(turned=False),
        "found turned or tilted": HaarDetector(),
    }


def find(detector: Detector, frame: Frame) -> Box | None:
    """Return the largest box about the canvas's middle."""
    boxes = [face.box for face in detector.detect(frame)]
    near = [box for box in boxes if np.abs(framing(box)[1:]).max() < 1 / 3]
    return max(near, key=lambda box: box.width, default=None)


def framing(box: Box) -> npt.NDArray[np.float64]:
    """Return (3,): the box's side, and its centre's place right and down, in picture sides."""
    centre = PAD + SIDE / 2
    x, y = box.x + box.width / 2 - centre, box.y + box.height / 2 - centre
    return np.array([max(box.width, box.height), x, y]) / SIDE


def corrected(box: Box, margin: float, shift: float, frame: Frame) -> Box:
    """Return the box grown by `margin` and moved down by `shift`, in shares of its sides."""
    width, height = box.width * (1 + margin), box.height * (1 + margin)
    x = box.x + (box.width - width) / 2
    y = box.y + (box.height - height) / 2 + shift * box.height
    return Box.inside(x, y, width, height, frame)


def scores(
    classifier: OnnxClassifier, frame: Frame, boxes: Sequence[Box]
) -> npt.NDArray[np.float32]:
    """Return (N, K) float32 probabilities for N ways to box one face."""
    crops = [crop_face(frame, box, classifier.input_size) for box in boxes]
    return np.stack([one.probabilities for one in classifier.classify(np.stack(crops))])


def tell_framing(name: str, boxes: Sequence[Box], of: int) -> None:
    print(f"\n{name}: {len(boxes):,} of {of:,} faces ({len(boxes) / of:.1%})")
    if not boxes:
        return
    quartiles = np.percentile([framing(box) for box in boxes], (25, 50, 75), axis=0)
    for label, (low, middle, high) in zip(
        ("side", "centre right by", "centre down by"), quartiles.T, strict=True
    ):
        print(f"  {label:<16} {middle:6.3f}  (quartiles {low:.3f}, {high:.3f})")


def tell_accuracy(right: npt.NDArray[np.bool_]) -> None:
    """Print (N, 1 + margins * shifts) right answers: FER-2013's frame, then those by the box."""
    whole, *boxed = right.mean(axis=0)
    print(f"  accuracy {whole:.2%} as FER-2013 frames them; by the box:")
    print("  margin " + "".join(f"{f'down {shift:.0%}':>11}" for shift in SHIFTS))
    for margin, row in zip(MARGINS, np.reshape(boxed, (len(MARGINS), -1)), strict=True):
        print(f"  {margin:+6.0%} " + "".join(f"{share:11.2%}" for share in row))


def tell_faces(classifier: OnnxClassifier, split: Split, detector: str) -> None:
    """Find the split's faces, and print how they are framed and read."""
    detectors = searches(detector)
    found: dict[str, list[tuple[Box, npt.NDArray[np.bool_]]]] = {name: [] for name in detectors}
    for image, label in zip(split.images, labels_for(classifier, split), strict=True):
        frame = on_canvas(image)
        for name, search in detectors.items():
            if (box := find(search, frame)) is None:
                continue
            ways = [Box(PAD, PAD, SIDE, SIDE)]
            ways += [corrected(box, margin, shift, frame) for margin in MARGINS for shift in SHIFTS]
            top = scores(classifier, frame, ways).argmax(axis=1)
            found[name].append((box, top == label))
            break
    for name, hits in found.items():
        tell_framing(name, [box for box, _ in hits], len(split))
        if hits:
            tell_accuracy(np.stack([right for _, right in hits]))


def tell_video(classifier: OnnxClassifier, path: Path, detector: str) -> None:
    """Print how much the margins agree with margin 0 on a real video, and how sure they are."""
    given = []
    for result in fer_stream.stream(path, detector=detector):
        if result.frame.index % EVERY:
            continue
        for face in result.faces:
            ways = [corrected(face.box, margin, 0.0, result.frame) for margin in MARGINS]
            given.append(scores(classifier, result.frame, ways))
    print(f"\n{path.name}: {len(given):,} faces in one frame of {EVERY}")
    if not given:
        return
    every = np.stack(given)
    top = every.argmax(axis=2)
    same = (top == top[:, [MARGINS.index(0.0)]]).mean(axis=0)
    sure = every.max(axis=2).mean(axis=0)
    for margin, share, score in zip(MARGINS, same, sure, strict=True):
        print(f"  {margin:+6.0%}  same label {share:6.1%}  mean top score {score:.3f}")


def main() -> None:
    arguments = parse_arguments()
    classifier = OnnxClassifier(arguments.model)
    split = load_splits(arguments.data, ("PublicTest",))["PublicTest"]
    cv2.setNumThreads(1)
    print(f"{classifier.model_name} on {split.name}: {len(split):,} faces")
    tell_faces(classifier, split, arguments.detector)
    for path in arguments.media:
        tell_video(classifier, Path(path), arguments.detector)


if __name__ == "__main__":
    try:
        main()
    except FerStreamError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
