"""How a network wants its pictures scaled, and what its first layer says of that."""

from __future__ import annotations

from typing import Any

import numpy as np

# (scale, offset) to make a range of 0..255.
INPUT_RANGES = {"0..255": (1.0, 0.0), "0..1": (1 / 255, 0.0), "-1..1": (1 / 127.5, -1.0)}

# What networks learn from lies around 0, and neither all in one place nor far out: standardised
# pictures reach to 2 or 3.
_NARROWEST, _FARTHEST = 0.5, 5.0


def ranges_of(layer: Any) -> tuple[str, ...]:
    """The keys of INPUT_RANGES that a network's first layer may be made for, the likeliest first.

    A layer that scales brings its range near to 0. None are returned for one that does not scale,
    or that fits several equally well.
    """
    match type(layer).__name__:
        case "LayerNormalization":  # whatever comes, and of the ranges only this is not scaled
            return ("0..255",)
        case "Rescaling":
            scale, offset = np.asarray(layer.scale), np.asarray(layer.offset)
        case "Normalization":
            deviation = np.sqrt(np.maximum(np.asarray(layer.variance), 1e-14))
            scale, offset = 1 / deviation, -np.asarray(layer.mean) / deviation
        case _:
            return ()
    farthest: dict[str, float] = {}
    for name, (own_scale, own_offset) in INPUT_RANGES.items():
        ends = [(255 * end * own_scale + own_offset) * scale + offset for end in (0, 1)]
        span, far = float(np.abs(ends[1] - ends[0]).max()), float(np.abs(ends).max())
        if span >= _NARROWEST and far <= _FARTHEST:
            farthest[name] = far
    best = sorted(farthest, key=farthest.__getitem__)
    is_clear = len(best) < 2 or farthest[best[0]] < 0.9 * farthest[best[1]]
    return tuple(best) if is_clear else ()
