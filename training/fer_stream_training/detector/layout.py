"""The network's grids: which cell answers for which face, and what its four numbers mean."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fer_stream.detectors.squares import cell_centres as cells_of

from .pictures import Picture, Squares


class Level(NamedTuple):
    """A grid of cells, each `stride` px wide, for faces of a range of sides in px."""

    stride: int
    smallest: float
    largest: float


LEVELS = (Level(8, 0, 44), Level(16, 32, 92), Level(32, 70, math.inf))
SIDE_UNIT = 4.0
"""A cell's fourth number is the natural logarithm of side / (SIDE_UNIT * stride)."""
_CORE = 0.18
"""Of a face's side: cells whose centres lie so near to the face's answer for it."""
_MARGIN = 0.34
"""Of a face's side: cells so near to its centre need not answer that there is none."""


def cell_centres(height: int, width: int) -> npt.NDArray[np.float32]:
    """The cells of a picture, whose sides are multiples of 32, as the runtime counts them."""
    return cells_of(height, width, tuple(level.stride for level in LEVELS))


def targets(scene: Picture) -> npt.NDArray[np.float32]:
    """What each cell should say: (C, 4) float32: 1 face, 0 none, -1 either; then the box.

    The box is as the network gives it: how far the face's centre lies right of and below the
    cell's, in strides, and the logarithm of its side.
    """
    height, width = scene.image.shape
    cells = cell_centres(height, width)
    result = np.zeros((len(cells), 4), np.float32)
    for x, y, side in _largest_first(scene.unsure):
        result[_near(cells, x, y, 0.5 * side), 0] = -1
    for x, y, side in _largest_first(scene.faces):
        fits = _levels_for(cells, side)
        near = _near(cells, x, y, _MARGIN * side)
        result[near & (_levels_for(cells, side, 1.35) | fits) & (result[:, 0] == 0), 0] = -1
        own = fits & _answers(cells, x, y, side)
        result[own, 0] = 1
        stride = cells[own, 2]
        result[own, 1] = (x - cells[own, 0]) / stride
        result[own, 2] = (y - cells[own, 1]) / stride
        result[own, 3] = np.log(side / (SIDE_UNIT * stride))
    return result


def _largest_first(squares: Squares) -> Squares:
    return squares[np.argsort(-squares[:, 2])]


def _levels_for(cells: np.ndarray, side: float, slack: float = 1.0) -> np.ndarray:
    fits = {s: low / slack <= side <= high * slack for s, low, high in LEVELS}
    return np.isin(cells[:, 2], [stride for stride, fit in fits.items() if fit])


def _near(cells: np.ndarray, x: float, y: float, reach: float) -> np.ndarray:
    return np.maximum(np.abs(cells[:, 0] - x), np.abs(cells[:, 1] - y)) <= reach


def _answers(cells: np.ndarray, x: float, y: float, side: float) -> np.ndarray:
    """The cells near a face's centre; the one that it lies in at least."""
    reach = np.maximum(_CORE * side, 0.501 * cells[:, 2])
    return np.maximum(np.abs(cells[:, 0] - x), np.abs(cells[:, 1] - y)) <= reach
