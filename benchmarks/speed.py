"""Frames per second of the plain loop that people write today, and of fer-stream, side by side.

    python benchmarks/speed.py [VIDEO ...] [--rounds N]

Without a video it measures on a clip made from the demo source. Each round times, in turn, in one
process: decoding alone (the limit), the plain loop (full-size frontal Haar 1.3/5 on every frame,
one crop at a time through the same model with onnxruntime's defaults), and fer-stream with its
defaults to a sink that only counts. The medians over the rounds and their ratio are printed.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import onnxruntime as ort

import fer_stream
from fer_stream.models import DEFAULT_MODEL

Timed = tuple[float, float, int]
"""Wall seconds, CPU seconds, frames with a face."""


def decode_only(path: Path) -> int:
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for _ in container.decode(video=0):
            pass
    return 0


def plain_loop(path: Path) -> int:
    cascade = cv2.CascadeClassifier(
        str(Path(cv2.__file__).parent / "data/haarcascade_frontalface_default.xml")
    )
    session = ort.InferenceSession(DEFAULT_MODEL)
    name = session.get_inputs()[0].name
    capture = cv2.VideoCapture(str(path))
    with_face = 0
    while True:
        ok, image = capture.read()
        if not ok:
            return with_face
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        faces = cascade.detectMultiScale(grey, scaleFactor=1.3, minNeighbors=5)
        for x, y, width, height in faces:
            crop = cv2.resize(grey[y : y + height, x : x + width], (48, 48))
            session.run(None, {name: crop.astype(np.float32)[np.newaxis, :, :, np.newaxis]})
        with_face += len(faces) > 0


def ours(path: Path) -> int:
    return sum(bool(result.faces) for result in fer_stream.stream(path))


def timed(work: Callable[[Path], int], path: Path) -> Timed:
    wall, cpu = time.perf_counter(), time.process_time()
    with_face = work(path)
    return time.perf_counter() - wall, time.process_time() - cpu, with_face


def frame_count(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def measure(path: Path, rounds: int) -> None:
    frames = frame_count(path)
    works = {"decode only": decode_only, "plain loop": plain_loop, "fer-stream": ours}
    times: dict[str, list[Timed]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(timed(work, path))
    print(f"{path.name}: {frames} frames, medians of {rounds} rounds")
    print(f"  {'':<12} {'frames/s':>9} {'frames/CPU-s':>13} {'with a face':>12}")
    for name, rows in times.items():
        wall, cpu, with_face = (statistics.median(column) for column in zip(*rows, strict=True))
        found = "" if name == "decode only" else f"{with_face / frames:.1%}"
        print(f"  {name:<12} {frames / wall:>9.0f} {frames / cpu:>13.0f} {found:>12}")
    pairs = zip(times["plain loop"], times["fer-stream"], strict=True)
    ratios = [(plain[0] / mine[0], plain[1] / mine[1]) for plain, mine in pairs]
    wall_ratio, cpu_ratio = (statistics.median(column) for column in zip(*ratios, strict=True))
    print(f"  fer-stream over plain loop: {wall_ratio:.1f}x wall, {cpu_ratio:.1f}x CPU")


def demo_clip(folder: Path) -> Path:
    path = folder / "demo.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for image in demo_images():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def demo_images() -> Iterator[np.ndarray]:
    for result in fer_stream.stream("demo"):
        yield result.frame.image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("video", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for path in arguments.video or [demo_clip(Path(folder))]:
            measure(path, arguments.rounds)


if __name__ == "__main__":
    main()
