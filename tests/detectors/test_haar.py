"""The Haar detector finds a face at any size, mirrored and tilted."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from fer_stream.detectors.haar import HaarDetector
from fer_stream.detectors.turned import Look, TurnedSearch, load_cascade
from fer_stream.errors import ConfigError
from fer_stream.frames import frame_from_image
from fer_stream.testing import make_frame
from fer_stream.types import Box, StreamInfo
from tests.clips import Image

FACE = (224.0, 114.0)
"""Centre of the astronaut's face, px."""
CLASSIC = {"detect_size": 9999, "scale_factor": 1.3, "min_size": 0.0, "turned": False}


def centre(box: Box) -> tuple[float, float]:
    return box.x + box.width / 2, box.y + box.height / 2


def search(detector: HaarDetector, image: np.ndarray, calls: int = 1) -> list[Box]:
    """Return what was found in any of some calls: `turned` looks in another way at each."""
    frame = make_frame(image=image)
    return [found.box for _ in range(calls) for found in detector.detect(frame)]


@pytest.mark.parametrize("options", [{}, {"turned": False}, CLASSIC])
@pytest.mark.parametrize("scale", [0.4, 1.0, 2.5])
def test_a_face_is_found_where_it_is(
    scale: float, options: dict[str, Any], astronaut: Image
) -> None:
    image = cv2.resize(astronaut, None, fx=scale, fy=scale)
    found = search(HaarDetector(**options), image)
    right = [
        box
        for box in found
        if centre(box) == pytest.approx((FACE[0] * scale, FACE[1] * scale), abs=12 * scale)
        and 80 * scale < box.width < 125 * scale
    ]
    assert len(right) == 1
    if options != CLASSIC:  # which sees faces in a space suit at full size
        assert found == right


def test_a_mirrored_face_is_found(astronaut: Image) -> None:
    (box,) = search(HaarDetector(), np.ascontiguousarray(astronaut[:, ::-1]))
    assert centre(box) == pytest.approx((512 - FACE[0], FACE[1]), abs=12)


@pytest.mark.parametrize("degrees", [-28, 28])
def test_a_tilted_head_is_found_only_when_turned_heads_are_looked_for(
    degrees: int, astronaut: Image
) -> None:
    turn = cv2.getRotationMatrix2D(FACE, degrees, 1.0)
    tilted = cv2.warpAffine(astronaut, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    assert search(HaarDetector(turned=False), tilted, 6) == []
    found = search(HaarDetector(turned=True), tilted, 6)
    assert found
    for box in found:
        assert centre(box) == pytest.approx(FACE, abs=25)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("tilt", [-10.0, 0.0, 10.0])
def test_a_place_in_a_turned_frame_leads_back(
    tilt: float, mirrored: bool, astronaut: Image
) -> None:
    search = TurnedSearch(load_cascade("haarcascade_frontalface_default.xml"))
    look = Look(profile=False, mirrored=mirrored, tilt=tilt)
    heads = list(search._heads(make_frame(image=astronaut[:300, 50:]).grey, look))
    assert any(
        (x, y) == pytest.approx((FACE[0] - 50, FACE[1]), abs=15) and 70 < side < 130
        for x, y, side in heads
    )


def test_nothing_is_found_where_nobody_is(astronaut: Image) -> None:
    assert search(HaarDetector(), astronaut[200:, :].copy(), 6) == []
    assert search(HaarDetector(), np.zeros((480, 640), np.uint8), 6) == []


def test_a_face_smaller_than_min_size_is_left_out(astronaut: Image) -> None:
    assert search(HaarDetector(min_size=0.25, turned=False), astronaut) == []
    assert len(search(HaarDetector(min_size=0.15, turned=False), astronaut)) == 1


def test_more_neighbours_are_stricter(astronaut: Image) -> None:
    counts = [
        len(search(HaarDetector(min_neighbors=n, turned=False), astronaut)) for n in (0, 3, 500)
    ]
    assert counts[0] > counts[1] >= 1
    assert counts[2] == 0


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"scale_factor": 1.0}, "scale_factor must be 1.01 to 10, got 1.0; 1.1 to 1.3 is usual"),
        ({"scale_factor": 1.0000001}, "scale_factor must be 1.01 to 10, got 1.0000001"),
        ({"scale_factor": 1e30}, r"scale_factor must be 1.01 to 10, got 1e\+30"),
        ({"min_size": 1.5}, "min_size is a share of the frame, 0 to 1, got 1.5"),
        ({"min_size": -0.1}, "min_size is a share"),
        ({"min_neighbors": -1}, "min_neighbors must be 0 to 10000, got -1"),
        ({"min_neighbors": 10**10}, "min_neighbors must be 0 to 10000, got 10000000000"),
        ({"detect_size": 23}, "detect_size must be at least 24, got 23"),
        ({"target": "eyes"}, r"haar takes no target, got 'eyes'; options follow a '\?'"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        HaarDetector(**options)


@pytest.mark.parametrize("step", [1.01, 10.0])
def test_the_smallest_and_the_largest_step_work(step: float) -> None:
    detector = HaarDetector(scale_factor=step, turned=False)
    assert detector.detect(make_frame(image=np.zeros((480, 640), np.uint8))) == []


def test_a_still_picture_is_searched_the_same_whatever_came_before(astronaut: Image) -> None:
    height, width = astronaut.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 20, 1.0)
    tilted = cv2.warpAffine(astronaut, turn, (width, height))
    info = StreamInfo("stills", width, height, stills=True)
    frame = frame_from_image(tilted, 0, 0.0, info)
    alone = HaarDetector().detect(frame)
    assert alone, "a lone picture gets every look"
    used = HaarDetector()
    for _ in range(4):
        used.detect(frame_from_image(astronaut, 0, 0.0, info))
        assert used.detect(frame) == alone
