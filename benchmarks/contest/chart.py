"""The bar chart of docs/speed.md."""

from __future__ import annotations

from pathlib import Path

from contest.report import Contest

_WIDTH = 0.8  # of a group of bars
_GREYS = ("#c8c8c8", "#a8a8a8", "#8fa7c4", "#6f8fb8", "#c9a58f", "#b98a6b")
_OURS = ("#2b8a3e", "#125222")


def draw(contest: Contest, path: Path) -> None:
    """Write frames per second of everybody on every clip as a PNG."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(11, 5), layout="constrained")
    greys, ours = iter(_GREYS), iter(_OURS)
    step = _WIDTH / len(contest.entrants)
    for number, entrant in enumerate(contest.entrants):
        rates = [times[entrant.name].frames_per_s for times in contest.times.values()]
        places = [group + number * step for group in range(len(rates))]
        color = next(ours) if entrant.name.startswith("ours-") else next(greys)
        title = entrant.title.strip("*").replace("`", "")
        bars = axes.bar(places, rates, step * 0.95, label=title, color=color)
        labels = [f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}" for rate in rates]
        axes.bar_label(bars, labels, fontsize=6, rotation=90, padding=2)
    axes.set_yscale("log")
    axes.set_ylim(top=8 * axes.get_ylim()[1])
    axes.set_ylabel("frames per second (each step of the scale is 10 times)")
    groups = [group + _WIDTH / 2 - step / 2 for group in range(len(contest.times))]
    axes.set_xticks(groups, [title.replace(", ", "\n", 1) for title in contest.times])
    axes.legend(fontsize=8, ncols=4, loc="upper center")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)
