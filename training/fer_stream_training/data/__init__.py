"""Labelled faces: FER-2013 in the forms people have it, and folders of one's own classes.

This package imports no TensorFlow, so that a model can be measured without it.
"""

from __future__ import annotations

from .loading import load_dataset, load_splits
from .splits import SPLITS, Dataset, Split

__all__ = ["SPLITS", "Dataset", "Split", "load_dataset", "load_splits"]
