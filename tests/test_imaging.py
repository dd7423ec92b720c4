"""Cutting and shrinking keep a face's proportions, at every edge."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fer_stream.imaging import crop_face, padded, shrink
from fer_stream.testing import make_frame
from fer_stream.types import Box, Frame
from tests.clips import Image


def ramp(height: int = 60, width: int = 80) -> np.ndarray:
    """Return (height, width) uint8 in which a pixel's value is 100 + row - column."""
    rows, columns = np.mgrid[:height, :width]
    return (100 + rows - columns).astype(np.uint8)


def expected(grey: np.ndarray, left: int, top: int, width: int, height: int) -> np.ndarray:
    """Cut with repeated edges, in the plainest way."""
    rows = np.clip(np.arange(top, top + height), 0, grey.shape[0] - 1)
    columns = np.clip(np.arange(left, left + width), 0, grey.shape[1] - 1)
    return grey[np.ix_(rows, columns)]


@pytest.mark.parametrize(
    "where",
    [
        (10, 10, 20, 20),
        (-5, 10, 20, 20),
        (70, 10, 20, 20),
        (10, -5, 20, 20),
        (10, 50, 20, 20),
        (-5, -7, 20, 20),
        (70, 55, 20, 20),
        (-10, -10, 200, 200),
        (-19, 0, 20, 20),
        (79, 59, 20, 20),
        (0, 0, 80, 60),
        # Wholly outside.
        (-500, 10, 20, 20),
        (500, 500, 7, 9),
        (10, -500, 5, 5),
    ],
)
def test_what_reaches_out_repeats_the_edge(where: tuple[int, int, int, int]) -> None:
    grey = ramp()
    assert np.array_equal(padded(grey, *where), expected(grey, *where))


@pytest.mark.parametrize(
    "box", [Box(30, 20, 20, 20), Box(0, 0, 20, 20), Box(60, 40, 20, 20), Box(0, 40, 20, 20)]
)
def test_a_square_face_is_cut_as_it_is(box: Box) -> None:
    grey = ramp()
    crop = crop_face(make_frame(image=grey), box, (20, 20))
    assert np.array_equal(crop, grey[box.y : box.y + 20, box.x : box.x + 20])


@pytest.mark.parametrize(
    "box",
    [
        Box(30, 10, 20, 40),
        Box(10, 30, 40, 20),
        Box(0, 0, 10, 40),
        Box(70, 20, 10, 40),
        Box(40, 40, 40, 20),
    ],
)
def test_a_box_is_made_square_about_its_centre(box: Box) -> None:
    grey = ramp()
    side = max(box.width, box.height)
    left, top = box.x + (box.width - side) // 2, box.y + (box.height - side) // 2
    crop = crop_face(make_frame(image=grey), box, (side, side))
    assert np.array_equal(crop, expected(grey, left, top, side, side))


@pytest.mark.parametrize("box", [Box(60, 60, 80, 80), Box(75, 60, 50, 80), Box(60, 75, 80, 50)])
def test_a_circle_stays_round_whatever_the_box(box: Box) -> None:
    image = np.zeros((200, 200), np.uint8)
    cv2.circle(image, (100, 100), 24, 255, cv2.FILLED)
    crop = crop_face(make_frame(image=image), box, (48, 48))
    rows, columns = np.nonzero(crop > 127)
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert abs(height - width) <= 1
    assert abs(height - 48 * 48 / 80) <= 2


@pytest.mark.parametrize("size", [(96, 48), (48, 96), (48, 60), (40, 30), (120, 17)])
@pytest.mark.parametrize("box", [Box(60, 60, 80, 80), Box(75, 60, 50, 80), Box(60, 75, 80, 50)])
def test_a_circle_stays_round_in_a_crop_that_is_not_square(box: Box, size: tuple[int, int]) -> None:
    image = np.zeros((200, 200), np.uint8)
    cv2.circle(image, (100, 100), 24, 255, cv2.FILLED)
    crop = crop_face(make_frame(image=image), box, size)
    assert crop.shape == size
    rows, columns = np.nonzero(crop > 127)
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert abs(height - width) <= 2
    # All of the box is in the crop, and no more of its surroundings than the proportions need.
    scale = max(box.width / size[1], box.height / size[0])
    assert abs(height - 48 / scale) <= 2
    assert abs(rows.mean() - (size[0] - 1) / 2) <= 1
    assert abs(columns.mean() - (size[1] - 1) / 2) <= 1


@pytest.mark.parametrize("side", [12, 48, 200])
def test_a_crop_has_the_size_that_is_asked_for(side: int, astronaut: Image) -> None:
    crop = crop_face(make_frame(image=astronaut), Box(200, 80, side, side), (48, 48))
    assert crop.shape == (48, 48)
    assert crop.dtype == np.uint8


@pytest.mark.parametrize("side", [193, 240, 301])
def test_a_large_face_becomes_the_mean_of_its_pixels(side: int, astronaut: Image) -> None:
    frame = make_frame(image=astronaut)
    crop = crop_face(frame, Box(100, 60, side, side), (48, 48)).astype(int)
    face = frame.grey[60 : 60 + side, 100 : 100 + side]
    mean = cv2.resize(face, (48, 48), interpolation=cv2.INTER_AREA)
    assert np.abs(crop - mean).mean() < 1.5
    sampled = cv2.resize(face, (48, 48), interpolation=cv2.INTER_NEAREST)
    assert np.abs(sampled.astype(int) - mean).mean() > 3, "this face would not show a difference"


def limited(grey: np.ndarray) -> Frame:
    frame = make_frame(image=grey)
    return Frame(
        grey, 0, 0.0, frame.captured_at, frame.captured_ns, frame.info, frame.make_image, False
    )


def test_limited_range_is_widened_to_0_to_255() -> None:
    grey = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    crop = crop_face(limited(grey), Box(0, 0, 256, 256), (256, 256))[0].astype(float)
    assert list(crop[:17]) == [0] * 17
    assert list(crop[235:]) == [255] * 21
    assert np.abs(crop[16:236] - (np.arange(16, 236) - 16) * 255 / 219).max() <= 0.5


def test_full_range_is_left_alone() -> None:
    grey = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    assert np.array_equal(crop_face(make_frame(image=grey), Box(0, 0, 256, 256), (256, 256)), grey)


@pytest.mark.parametrize(
    ("size", "long_side", "small_size"),
    [
        ((480, 640), 320, (240, 320)),
        ((1080, 1920), 400, (225, 400)),
        ((1920, 1080), 400, (400, 225)),
        ((481, 641), 320, (240, 320)),
        ((300, 399), 320, (241, 320)),
        ((399, 300), 320, (320, 241)),
        ((1, 5000), 320, (1, 320)),
        ((5000, 2), 24, (24, 1)),
    ],
)
def test_shrinking_keeps_the_proportions(
    size: tuple[int, int], long_side: int, small_size: tuple[int, int]
) -> None:
    small, scale = shrink(np.zeros(size, np.uint8), long_side)
    assert small.shape == small_size
    assert scale == pytest.approx(max(size) / long_side)


@pytest.mark.parametrize("size", [(240, 320), (10, 10), (320, 1)])
def test_a_small_frame_is_not_shrunk(size: tuple[int, int]) -> None:
    grey = np.zeros(size, np.uint8)
    small, scale = shrink(grey, 320)
    assert small is grey
    assert scale == 1.0


@pytest.mark.parametrize("size", [(700, 1000), (300, 500)])
def test_a_place_in_the_shrunk_frame_leads_back(size: tuple[int, int]) -> None:
    image = np.zeros(size, np.uint8)
    cv2.circle(image, (210, 150), 20, 255, cv2.FILLED)
    small, scale = shrink(image, 200)
    rows, columns = np.nonzero(small > 127)
    assert (columns.mean() + 0.5) * scale == pytest.approx(210, abs=scale / 2)
    assert (rows.mean() + 0.5) * scale == pytest.approx(150, abs=scale / 2)
