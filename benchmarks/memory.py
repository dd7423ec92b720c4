"""How much memory a run over a long 1080p film takes, and whether it grows.

    python benchmarks/memory.py [--frames 10000]

Runs `fer-stream run` over one H.264 film of 1920x1080 px (real people where the media are at hand)
into a CSV file, and looks at the process every quarter of a second. `peak` is the most that it ever
had resident, libraries included; `growth` is how much more it had during the last tenth of the
frames than during the tenth before their middle, both medians.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
from contest.clips import clips, write
from media import VIDEOS

FILM = 250
"""Frames that are encoded; a longer film repeats them."""
MOST_MB, MOST_GROWTH_MB = 170, 10


def long_film(folder: Path, frames: int) -> Path:
    """Write a film of so many frames: the same packets again and again."""
    short, long = folder / "short.mp4", folder / "long.mp4"
    clip = next(c for c in clips(VIDEOS, quick=False) if c.title.startswith("1080p"))
    write(clip, short, FILM)
    with av.open(str(long), "w") as film:
        stream, shift = None, 0
        while frames > 0:
            with av.open(str(short)) as source:
                if stream is None:
                    stream = film.add_stream_from_template(source.streams.video[0])
                end = shift
                for packet in source.demux(video=0):
                    if packet.dts is None or packet.pts is None or frames <= 0:
                        continue
                    packet.dts, packet.pts = packet.dts + shift, packet.pts + shift
                    end = max(end, packet.pts + (packet.duration or 0))
                    packet.stream = stream
                    film.mux(packet)
                    frames -= 1
                shift = end
    return long


def measure(film: Path, folder: Path, frames: int) -> tuple[float, float]:
    """Return the peak and the growth over the last half of the frames, in MB."""
    table = folder / "out.csv"
    command = [sys.executable, "-m", "fer_stream", "run", "--source", str(film)]
    seen: list[tuple[int, float]] = []
    peak = 0.0
    with subprocess.Popen(
        [*command, "--sink", f"csv:{table}?every_frame=true"], stderr=subprocess.DEVNULL
    ) as program:
        while program.poll() is None:
            if memory := memory_mb(program.pid):
                peak = max(peak, memory[1])
                seen.append((last_frame(table), memory[0]))
            time.sleep(0.25)
    if program.returncode:
        raise SystemExit(f"the run ended with {program.returncode}")
    middle = [mb for frame, mb in seen if 0.4 * frames <= frame < 0.5 * frames]
    end = [mb for frame, mb in seen if frame >= 0.9 * frames]
    if not middle or not end:
        raise SystemExit("the film is too short to be looked at; take more --frames")
    return peak, statistics.median(end) - statistics.median(middle)


def memory_mb(pid: int) -> tuple[float, float] | None:
    """Return what a process has resident now, and has had at most, in MB; None if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    values = {name: value for name, _, value in (line.partition(":") for line in lines)}
    if "VmRSS" not in values:
        return None
    now, most = (int(values[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "VmHWM"))
    return now, most


def last_frame(table: Path) -> int:
    """Return the index of the newest frame in a CSV file that is being written."""
    if not table.exists():
        return -1
    with table.open("rb") as file:
        columns = next(csv.reader([file.readline().decode()]), [])
        file.seek(max(table.stat().st_size - 2000, 0))
        lines = file.read().decode().splitlines()
    if len(lines) < 3:  # the first of them may be half a row, the last too
        return -1
    return int(lines[-2].split(",")[columns.index("frame")])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=10_000)
    frames = parser.parse_args().frames
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        peak, growth = measure(long_film(folder, frames), folder, frames)
    print("| | MB | goal |")
    print("|---|--:|--:|")
    print(f"| peak | {peak:.0f} | under {MOST_MB} |")
    print(f"| growth, last half of {frames} frames | {growth:+.1f} | at most {MOST_GROWTH_MB} |")


if __name__ == "__main__":
    main()
