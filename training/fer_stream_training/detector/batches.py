"""Scenes and their targets in batches, made beside the training."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from .layout import targets
from .scenes import Composer, Material
from .settings import DetectorSettings

Batch = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
"""(N, H, W, 1) float32 grey 0..255, and (N, C, 4) float32 as `layout.targets` gives it."""

_AHEAD = 8  # batches made in advance


@contextmanager
def batches(
    material: Material, settings: DetectorSettings, first: int
) -> Iterator[Iterator[Batch]]:
    """An endless iterator of batches from number `first` on, the same whenever it is made anew."""
    usual = Composer(material, settings.height, settings.width)
    large = Composer(material, settings.large, settings.large)
    pixels = settings.batch_size * settings.height * settings.width

    def make(number: int) -> Batch:
        is_large = number % 3 == 2
        composer = large if is_large else usual
        size = max(pixels // settings.large**2, 1) if is_large else settings.batch_size
        scenes = [composer.scene((settings.seed, number, place)) for place in range(size)]
        images = np.stack([scene.image for scene in scenes])[..., None].astype(np.float32)
        return images, np.stack([targets(scene) for scene in scenes])

    # A thread is enough: TensorFlow computes without Python's lock.
    with ThreadPoolExecutor(1) as pool:

        def endless() -> Iterator[Batch]:
            number = first
            waiting: deque[Future[Batch]] = deque()
            while True:
                while len(waiting) < _AHEAD:
                    waiting.append(pool.submit(make, number))
                    number += 1
                yield waiting.popleft().result()

        try:
            yield endless()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
