"""What the readers give: labelled images, and the pair of them that a training needs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..fer2013 import EMOTIONS

SPLITS = ("Training", "PublicTest", "PrivateTest")
"""FER-2013's own names of its parts."""

ImageArray = npt.NDArray[np.uint8]
LabelArray = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Split:
    """Labelled images of one size.

    ``images`` is (N, H, W) uint8, grey 0..255; ``labels`` is (N,) uint8, indices into
    ``class_names``, which are in the order of a network's outputs. FER-2013's images are 48x48
    and its classes are the seven emotions in code order.
    """

    name: str
    images: ImageArray
    labels: LabelArray
    class_names: tuple[str, ...] = EMOTIONS

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of every image in px."""
        height, width = self.images.shape[1:]
        return height, width

    def class_counts(self) -> npt.NDArray[np.int64]:
        """Images per class, (K,) int64."""
        return np.bincount(self.labels, minlength=len(self.class_names)).astype(np.int64)

    def sha256(self) -> str:
        """Digest of the pixels and labels as read, in hexadecimal."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a training run needs: the images to learn from and the images to check on.

    Both have the same classes and the same size. ``name`` is what people call the data.
    """

    name: str
    training: Split
    validation: Split

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes in the order of a network's outputs."""
        return self.training.class_names

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of every image in px."""
        return self.training.size

    def sha256(self) -> str:
        """Digest of both splits, in hexadecimal; the CSV and the folders have different ones."""
        both = self.training.sha256() + self.validation.sha256()
        return hashlib.sha256(both.encode("ascii")).hexdigest()
