"""How old a live frame is once a sink has written its result, alone and beside a slow sink.

    PYTHONPATH=. python benchmarks/latency.py [--seconds 60] [--write]

A real RTSP camera (GStreamer) at 1280x720 px and 25 frames/s; age is measured in the sink, from the
frame's capture (when it had come and was decoded) to its turn to be written. The slow sink sleeps
0.2 s for each result. `lost` is what the good sink was never given; `memory` the run's growth from
10 s after its first frame to its end; `stop` the time from SIGTERM to its last word.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

import pytest
from markers import FIGURES, put

from tests.faults.camera import RtspCamera, write_film
from tests.faults.running import Entry, Running

SIZE = (1280, 720)
WARM_S = 10.0
CASES = {"alone": (), "beside a slow sink": ("--sink", "diary:slow.jsonl?nap=0.2")}


def measure(folder: Path, url: str, sinks: tuple[str, ...], seconds: float) -> list[str]:
    """Run for a while; return the table's cells."""
    running = Running(folder, "--source", f"door={url}", *sinks)
    with running.program:
        running.wait_for_frames(1)
        time.sleep(WARM_S)
        warm, before_mb = len(running.frames()), memory_mb(running)
        time.sleep(seconds)
        grown_mb = memory_mb(running) - before_mb
        frames = running.frames()[warm:]
        stop_s = time.monotonic()
        running.stop()
        stop_s = time.monotonic() - stop_s
    own = f"diary-{len(sinks) // 2 + 1}" if sinks else "diary"
    lost = re.search(rf"(\d+) results? lost by {own}\b(?!-)", running.said)
    ages = sorted(1e3 * frame["age_s"] for frame in frames)
    return [
        f"{len(frames) / seconds:.1f}",
        f"{statistics.median(ages):.0f} ms",
        f"{ages[int(0.99 * len(ages))]:.0f} ms",
        f"{ages[-1]:.0f} ms",
        str(late(frames)),
        lost[1] if lost else "0",
        f"{grown_mb:+.1f} MB",
        f"{stop_s:.1f} s",
    ]


def late(frames: list[Entry]) -> int:
    """Return how many frames were replaced by newer ones before they could be analysed."""
    return int(frames[-1]["dropped"] - frames[0]["dropped"])


def memory_mb(running: Running) -> float:
    """Return how much memory a run has, in MB."""
    return int(Path(f"/proc/{running.program.pid}/statm").read_text().split()[1]) * 4096 / 1e6


def main() -> None:
    """Measure both cases and print a Markdown table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--write", action="store_true", help="into benchmarks/README.md")
    arguments = parser.parse_args()
    try:
        camera = RtspCamera()
    except pytest.skip.Exception as missing:
        sys.exit(str(missing))
    rows = ["| sink | frames/s | p50 | p99 | worst | replaced | lost | memory | stop |"]
    rows.append("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as name:
        camera.start(write_film(Path(name) / "film.h264", SIZE))
        try:
            for case, sinks in CASES.items():
                folder = Path(name) / case.replace(" ", "-")
                folder.mkdir()
                cells = measure(folder, camera.url(), sinks, arguments.seconds)
                rows.append(f"| {case} | {' | '.join(cells)} |")
        finally:
            camera.kill()
    print("\n".join(rows))
    if arguments.write:
        put(FIGURES, "latency", "\n".join(rows))


if __name__ == "__main__":
    main()
