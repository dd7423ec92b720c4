"""What a camera costs while nobody is there, beside the loop that people write.

    python -m benchmarks.idle [--seconds 30]

A real RTSP camera (GStreamer) shows an empty room, 1280x720 px at 25 frames/s, with a sensor's
noise. CPU is that of the whole process, in percent of one core, from 5 s after it began. Where the
plain loop falls behind, it would take more than it gets.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.faults.camera import RtspCamera

WIDTH, HEIGHT, FPS, SECONDS = 1280, 720, 25, 8
WARM_S = 5.0
NOISE = 3.0  # grey levels: a camera by day, before the encoder


def empty_room(path: Path) -> Path:
    """Write an empty room as raw H.264 without B-frames."""
    random = np.random.default_rng(0)
    room = np.full((HEIGHT, WIDTH), 130, np.float32)
    room[HEIGHT * 2 // 3 :] = 80
    room[HEIGHT // 4 : HEIGHT // 2, WIDTH // 8 : WIDTH // 3] = 200
    room[HEIGHT // 3 :, WIDTH * 2 // 3 : WIDTH * 3 // 4] = 50
    with av.open(str(path), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.gop_size = FPS
        stream.options = {"bf": "0", "preset": "veryfast"}
        for _ in range(SECONDS * FPS):
            noisy = room + random.normal(0, NOISE, room.shape).astype(np.float32)
            grey = np.clip(noisy, 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="gray")))
        container.mux(stream.encode(None))
    return path


def plain_loop(url: str) -> None:
    """Read, and search every whole frame for faces; there is nothing to classify."""
    folder = Path(cv2.__file__).parent / "data"
    cascade = cv2.CascadeClassifier(str(folder / "haarcascade_frontalface_default.xml"))
    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
    while True:
        ok, image = capture.read()
        if ok:
            cascade.detectMultiScale(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), 1.3, 5)


def cpu_share(command: list[str], seconds: float) -> float:
    """Return the CPU that a command takes, 1.0 for one core."""
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as program:
        time.sleep(WARM_S)
        start_s, before_s = time.monotonic(), cpu_s(program.pid)
        time.sleep(seconds)
        share = (cpu_s(program.pid) - before_s) / (time.monotonic() - start_s)
        if program.poll() is not None:
            raise SystemExit(f"{' '.join(command)} ended with {program.returncode}")
        program.terminate()
    return share


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has taken, all threads."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure both in turn and print a Markdown table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--plain", metavar="URL", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.plain:
        plain_loop(arguments.plain)
    try:
        camera = RtspCamera()
    except pytest.skip.Exception as missing:
        sys.exit(str(missing))
    url = camera.url()
    rows = {
        "plain loop": ["-m", "benchmarks.idle", "--plain", url],
        "fer-stream": ["-m", "fer_stream", "run", "--source", url, "--sink", f"csv:{os.devnull}"],
    }
    print("| nobody there, 720p at 25 frames/s | CPU, % of a core |")
    print("|---|--:|")
    with tempfile.TemporaryDirectory() as folder:
        camera.start(empty_room(Path(folder) / "room.h264"))
        try:
            for name, command in rows.items():
                print(f"| {name} | {cpu_share(command, arguments.seconds):.0%} |", flush=True)
        finally:
            camera.kill()


if __name__ == "__main__":
    main()
