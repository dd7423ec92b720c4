"""What a soak has shown, and what of it is wrong."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from tests.faults.running import Entry

MOST_GROWTH = {"memory": 16.0, "threads": 4.0, "files": 4.0}
"""What may be between the medians of a run's third and last quarter: MB of noise, and what one
camera that is being opened takes."""
_FIRST_MINUTE, _LAST_MINUTE = slice(0, 60), slice(-60, None)


def report(
    frames: Sequence[Entry],
    used: Mapping[str, Sequence[float]],
    recoveries: Mapping[str, Sequence[float]],
) -> tuple[list[str], list[str]]:
    """Return what was seen, as lines of Markdown, and what is wrong with it.

    Args:
        frames: The diary's results.
        used: Memory (MB), threads and open files of the run, one of each a second.
        recoveries: By kind of fault: how long each took to be recovered from, in s.
    """
    ages = [1e3 * frame["age_s"] for frame in frames]
    dropped = {frame["source"]: frame["dropped"] for frame in frames}
    sessions = {(frame["source"], frame["session"]) for frame in frames}
    lines = [
        f"{len(frames)} results in {len(used['memory']) / 60:.1f} minutes, of {len(sessions)} "
        f"sessions; {sum(dropped.values())} frames were replaced by newer ones. Latency from "
        f"capture to written: p50 {quantile(ages, 0.5):.0f} ms, p99 {quantile(ages, 0.99):.0f} ms, "
        f"worst {max(ages):.0f} ms.",
        "",
        "| fault | times | recovered after, median | worst |",
        "|---|--:|--:|--:|",
    ]
    for kind, times in sorted(recoveries.items()):
        median, worst = statistics.median(times), max(times)
        lines.append(f"| {kind} | {len(times)} | {median:.1f} s | {worst:.1f} s |")
    table, problems = usage(used)
    problems += [f"no recovery from: {k}" for k, times in recoveries.items() if max(times) > 1e9]
    return [*lines, "", *table], problems


def usage(used: Mapping[str, Sequence[float]]) -> tuple[list[str], list[str]]:
    """Return a table of what the run took, and what of it grew."""
    lines = ["| of the run | first minute | last minute | growth in the last half | may be |"]
    lines.append("|---|--:|--:|--:|--:|")
    problems = []
    for what, values in used.items():
        first, last = (statistics.median(values[part]) for part in (_FIRST_MINUTE, _LAST_MINUTE))
        grown, most = growth(values), MOST_GROWTH[what]
        unit = "memory, MB" if what == "memory" else what
        lines.append(f"| {unit} | {first:.0f} | {last:.0f} | {grown:+.1f} | {most:.0f} |")
        if grown > most:
            problems.append(f"{what} grew by {grown:.1f}")
    return lines, problems


def growth(values: Sequence[float]) -> float:
    """Return how much more the last quarter's median is than the third one's."""
    quarter = max(len(values) // 4, 1)
    return statistics.median(values[-quarter:]) - statistics.median(values[-2 * quarter : -quarter])


def quantile(values: Sequence[float], share: float) -> float:
    """Return what `share` (0..1) of the values stay under."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]
