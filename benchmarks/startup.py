"""How long fer-stream takes to start, beside what it is made of.

    python benchmarks/startup.py [--rounds N]

Each round starts, in turn, one process for each row: Python that does nothing, Python that imports
click, `fer-stream --help`, Python that imports the four libraries a run cannot do without, and a
run over a short clip made from the demo source, timed until its first CSV row is there. Medians
over the rounds are printed, with the least, as one Markdown table.
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
from contest.clips import demo_images

CLIP_FRAMES = 50

Started = tuple[float, float]
"""Milliseconds by the clock on the wall until the row's moment, and of CPU until the end."""


def whole(*command: str) -> Started:
    """Time a process from start to end."""
    return timed(command, subprocess.Popen.wait)


def until_first_row(*command: str) -> Started:
    """Time a process until it has printed a header and a row."""
    return timed(command, read_two_lines)


def read_two_lines(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    header, row = process.stdout.readline(), process.stdout.readline()
    assert header.startswith(b"source,"), header
    assert row, "no face was found in the clip"


def timed(command: tuple[str, ...], wait: Callable[[subprocess.Popen[bytes]], object]) -> Started:
    before = children_cpu_s()
    # numpy's threads would count against the libraries; fer-stream starts none.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as process:
        wait(process)
        wall_s = time.perf_counter() - start
        process.communicate()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return wall_s * 1e3, (children_cpu_s() - before) * 1e3


def children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def short_clip(folder: Path) -> Path:
    path = folder / "short.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for image in itertools.islice(demo_images(), CLIP_FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def measure(clip: Path, rounds: int) -> dict[str, list[Started]]:
    run = ("-m", "fer_stream", "run", "--source", str(clip), "--sink", "csv:-")
    rows: dict[str, Callable[[], Started]] = {
        "`python -c pass`": lambda: whole("-c", "pass"),
        "`import click`": lambda: whole("-c", "import click"),
        "`fer-stream --help`": lambda: whole("-m", "fer_stream", "--help"),
        "`import numpy, cv2, av, onnxruntime`": lambda: whole(
            "-c", "import numpy, cv2, av, onnxruntime"
        ),
        "first CSV row of a file": lambda: until_first_row(*run),
    }
    for row in rows.values():  # from now on the files are in memory
        row()
    times: dict[str, list[Started]] = {name: [] for name in rows}
    for _ in range(rounds):
        for name, row in rows.items():
            times[name].append(row())
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        times = measure(short_clip(Path(folder)), arguments.rounds)
    click_ms = [wall for wall, _ in times["`import click`"]]
    print("| | ms | least | CPU ms | times `import click` |")
    print("|---|---:|---:|---:|---:|")
    for name, rows in times.items():
        wall, cpu = ([row[column] for row in rows] for column in (0, 1))
        ratio = statistics.median(mine / other for mine, other in zip(wall, click_ms, strict=True))
        # The rest of a run is no part of its start.
        used = "" if name.startswith("first") else f"{statistics.median(cpu):.0f}"
        print(
            f"| {name} | {statistics.median(wall):.0f} | {min(wall):.0f} | {used} | {ratio:.1f} |"
        )


if __name__ == "__main__":
    main()
