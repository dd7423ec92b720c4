"""The tables of docs/speed.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from contest.entrants import Entrant
from contest.quality import Quality
from contest.timing import Clips, Times


@dataclass(frozen=True, slots=True)
class Contest:
    """All that was measured."""

    entrants: list[Entrant]
    times: Clips
    quality: dict[str, Quality]
    refused: dict[str, str]
    """Who could not take part, and why."""
    setting: str
    """On what, in words."""


def as_markdown(contest: Contest) -> str:
    """Return all tables."""
    parts = [contest.setting, _by_clip(contest, "wall_s"), _by_clip(contest, "cpu_s")]
    if contest.quality:
        parts += [_found(contest), _by_labelled_clip(contest)]
    parts.append(_goals(contest))
    parts += [f"Left out: {title}: {why}" for title, why in contest.refused.items()]
    return "\n\n".join(parts)


def _by_clip(contest: Contest, kind: str) -> str:
    what = "Frames per second" if kind == "wall_s" else "Frames per CPU second"
    lines = [
        f"{what} (in brackets: times as fast as the plain loop)\n",
        f"| | {' | '.join(contest.times)} |",
        "|---|" + "--:|" * len(contest.times),
    ]
    for entrant in contest.entrants:
        cells = [_cell(times, entrant, kind) for times in contest.times.values()]
        lines.append(f"| {entrant.title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(times: dict[str, Times], entrant: Entrant, kind: str) -> str:
    own = times[entrant.name]
    rate = own.frames_per_s if kind == "wall_s" else own.frames_per_cpu_s
    text = f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}"
    if not entrant.sees or entrant.name == "plain":
        return text
    ratio = own.times_as_fast(times["plain"], kind)
    return f"{text} ({ratio:.0f}x)" if ratio >= 10 else f"{text} ({ratio:.1f}x)"


def _found(contest: Contest) -> str:
    lines = [
        "On the labelled frames, and on two faces that look into the camera\n",
        "| | recall | false boxes a frame | label changes a second |",
        "|---|--:|--:|--:|",
    ]
    for entrant in contest.entrants:
        if quality := contest.quality.get(entrant.searches_like or entrant.name):
            tally = quality.all
            cells = [_number(tally.recall(), 3), f"{tally.false_per_frame:.3f}"]
            # The demo's network is untrained: what it says, and how steadily, means nothing.
            steady = None if entrant.name == "demo" else quality.changes_per_s
            lines.append(f"| {entrant.title} | {' | '.join(cells)} | {_number(steady, 2)} |")
    return "\n".join(lines)


def _by_labelled_clip(contest: Contest) -> str:
    shown = [e for e in contest.entrants if e.name in contest.quality]
    lines = [
        "Recall, clip by clip\n",
        f"| | faces | {' | '.join(e.title for e in shown)} |",
        "|---|--:|" + "--:|" * len(shown),
    ]
    for clip, tally in next(iter(contest.quality.values())).clips.items():
        if tally.faces["face"]:
            recalls = [_number(contest.quality[e.name].clips[clip].recall(), 3) for e in shown]
            lines.append(f"| `{clip}` | {tally.faces['face']} | {' | '.join(recalls)} |")
    return "\n".join(lines)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _goals(contest: Contest) -> str:
    """Set what was measured against what the project set out for."""
    ours = [e for e in contest.entrants if e.name.startswith("ours-")]
    best = ours[-1].name
    lines = ["| goal | measured | |", "|---|---|---|"]

    def add(goal: str, clip: str, name: str, other: str, kind: str, least: float) -> None:
        for title, times in contest.times.items():
            if clip in title and {name, other} <= set(times):
                got = times[name].times_as_fast(times[other], kind)
                value = f"{got:.0%}" if other == "decode" else f"{got:.1f}x"
                lines.append(f"| {goal}, {title} | {value} | {_met(got >= least)} |")

    add("Haar 10x the plain loop", "480p", "ours-haar", "plain", "wall_s", 10)
    add("Haar 20x the plain loop", "720p", "ours-haar", "plain", "wall_s", 20)
    add("Haar 20x the plain loop", "1080p", "ours-haar", "plain", "wall_s", 20)
    add("best detector 30x the plain loop", "480p", best, "plain", "wall_s", 30)
    add("best detector 40 % of decoding alone", "720p, 4 faces", best, "decode", "wall_s", 0.4)
    add("best detector 85 % of decoding alone", "1080p, 1 face", best, "decode", "wall_s", 0.85)
    add("`fer` 15x in CPU seconds", "", best, "fer", "cpu_s", 15)
    if best in contest.quality:
        lines += _quality_goals(contest.quality[best], contest.quality["plain"])
    return "\n".join(lines)


def _quality_goals(best: Quality, plain: Quality) -> Iterator[str]:
    recall, changes = best.all.recall(), best.changes_per_s
    behind = [
        f"`{clip}`: {ours:.3f}, {theirs:.3f}"
        for clip, tally in best.clips.items()
        if (ours := tally.recall()) is not None
        and (theirs := plain.clips[clip].recall()) is not None
        and ours < theirs
    ]
    if recall is not None:
        yield f"| best detector's recall 0.85 | {recall:.3f} | {_met(recall >= 0.85)} |"
        yield f"| on no clip below the plain loop's | {'; '.join(behind)} | {_met(not behind)} |"
    if changes is not None:
        yield f"| 0.3 label changes a second | {changes:.2f} | {_met(changes <= 0.3)} |"


def _met(is_met: bool) -> str:
    return "met" if is_met else "**missed**"
