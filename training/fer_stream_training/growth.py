"""Weights of a narrow network put into a wider one of the same build, which then computes the same.

After Chen et al., "Net2Net", arXiv:1511.05641, but with new channels that start at random and that
nothing old listens to, instead of copies of old ones: they need no noise to become different.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .checkpoint import Arrays


def grown(weights: Sequence[np.ndarray], wider: Sequence[np.ndarray]) -> Arrays | None:
    """``weights`` in the shapes of ``wider``, or None if they do not fit into those.

    Both are lists of arrays in Keras's order; kernels (..., in, out), all others (channels,). What
    is new keeps the values of ``wider``, but for the kernels' shares from new channels into old
    ones: those are 0, so that the old channels hold what they held.
    """
    if len(weights) != len(wider) or not all(map(_fits, weights, wider)):
        return None
    result = [value.copy() for value in wider]
    for old, new in zip(weights, result, strict=True):
        if old.ndim > 1:
            new[..., old.shape[-2] :, : old.shape[-1]] = 0
        new[tuple(slice(side) for side in old.shape)] = old
    return result


def _fits(old: np.ndarray, new: np.ndarray) -> bool:
    """Whether only channels are added, and none are missing."""
    return (
        old.ndim == new.ndim
        and old.shape[:-2] == new.shape[:-2]
        and all(before <= after for before, after in zip(old.shape, new.shape, strict=True))
    )
