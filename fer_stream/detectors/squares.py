"""A network's grids and square boxes as numbers: those that speak of the same face become one."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

_VOTES = 0.45
"""Intersection over union from which a square has a say in where the face is."""
_SAME = 0.35
"""And above which two squares are one face."""
_WITHIN = 0.75
"""Share of the smaller square that lies in the other above which they are one face."""

Squares = npt.NDArray[np.float32]
"""(N, 3) float32: centre x, centre y and side in px."""


@lru_cache(maxsize=4)
def cell_centres(height: int, width: int, strides: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """(C, 3) float32: centre x, y and stride in px of all cells, as the network orders them.

    ``height`` and ``width`` are the picture's, multiples of every one of ``strides``.
    """
    grids = []
    for stride in strides:
        y, x = np.mgrid[: height // stride, : width // stride].reshape(2, -1)
        grids.append(
            np.column_stack([(x + 0.5) * stride, (y + 0.5) * stride, np.full(x.size, stride)])
        )
    return np.concatenate(grids).astype(np.float32)


def merged(
    squares: Squares, scores: npt.NDArray[np.float32]
) -> tuple[Squares, npt.NDArray[np.float32]]:
    """Return one square for each face and its score, best first.

    A face lies where the surest square for it does and those that overlap it well, each counted
    by its score: that is steadier from frame to frame than the surest alone.

    Args:
        squares: (N, 3) float32.
        scores: (N,) float32, above 0.
    """
    left = np.argsort(-scores, kind="stable")
    places: list[npt.NDArray[np.float32]] = []
    best_scores: list[float] = []
    while left.size:
        best, others = squares[left[0]], squares[left]
        shared, within = overlaps(best, others)
        votes = left[shared >= _VOTES]
        places.append(np.average(squares[votes], axis=0, weights=scores[votes]))
        best_scores.append(float(scores[left[0]]))
        left = left[(shared <= _SAME) & (within <= _WITHIN)]
    return np.array(places, np.float32).reshape(-1, 3), np.array(best_scores, np.float32)


def overlaps(
    one: npt.NDArray[np.float32], others: Squares
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return intersection over union, and over the smaller square, of one with others, (N,)."""
    reach = (one[2] + others[:, 2:]) / 2 - np.abs(one[:2] - others[:, :2])
    sides = np.clip(np.minimum(reach, np.minimum(one[2], others[:, 2:])), 0, None)
    common = sides.prod(axis=1)
    first, second = one[2] ** 2, others[:, 2] ** 2
    return common / (first + second - common), common / np.minimum(first, second)
