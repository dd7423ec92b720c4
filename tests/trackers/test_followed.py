"""A followed face and a box: how much of one lies in the other."""

from __future__ import annotations

import numpy as np
import pytest

from fer_stream.trackers.followed import FollowedFace, Small
from fer_stream.types import Box, Detection


@pytest.mark.parametrize(
    ("box", "iou", "shared"),
    [
        (Box(100, 80, 60, 40), 1.0, 1.0),
        (Box(130, 80, 60, 40), 1 / 3, 1 / 2),
        (Box(70, 80, 60, 40), 1 / 3, 1 / 2),
        (Box(100, 100, 60, 40), 1 / 3, 1 / 2),
        (Box(100, 60, 60, 40), 1 / 3, 1 / 2),
        (Box(130, 100, 60, 40), 1 / 7, 1 / 4),
        (Box(110, 90, 30, 20), 1 / 4, 1.0),
        (Box(80, 60, 120, 80), 1 / 4, 1.0),
        (Box(160, 80, 60, 40), 0.0, 0.0),
        (Box(200, 80, 60, 40), 0.0, 0.0),
        (Box(100, 20, 60, 40), 0.0, 0.0),
        (Box(200, 160, 60, 40), 0.0, 0.0),
    ],
)
def test_its_overlap_with_a_box_is_of_both_and_of_the_smaller(
    box: Box, iou: float, shared: float
) -> None:
    small = Small(np.zeros((240, 320), np.uint8), scale=1.0, now_s=0.0)
    face = FollowedFace(Detection(Box(100, 80, 60, 40)), small, is_sure=True)
    assert face.iou(box) == pytest.approx(iou)
    assert face.shared(box) == pytest.approx(shared)
