"""What the loops of other people share: reading a video with OpenCV.

This and the modules that import it run in the `fer` package's environment too: OpenCV only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

import cv2

Seen = tuple[int, int, int, int, str]
"""A face: x, y, width, height in px of the frame, and its label."""
Look = Callable[[str, int | None, Collection[int] | None], Iterator[tuple[int, list[Seen]]]]
"""An entrant at work: a video's path, how many frames of it to read (None: all), which of them to
look at (None: all) -> each frame's index and faces."""


def pictures(
    path: str, most: int | None, only: Collection[int] | None
) -> Iterator[tuple[int, Any]]:
    """Yield the index and the (H, W, 3) uint8 BGR picture of each frame that is looked at."""
    capture = cv2.VideoCapture(path)
    index = 0
    while (most is None or index < most) and capture.grab():
        if only is None or index in only:
            yield index, capture.retrieve()[1]
        index += 1
    capture.release()
