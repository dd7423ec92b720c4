"""A face that comes into the picture is reported within 0.35 s of media time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

import fer_stream
from tests.clips import Image

WIDTH, HEIGHT = 640, 360
WITHIN_S = 0.35
MakeClip = Callable[..., Path]


def room() -> Image:
    """Return an empty room, (360, 640, 3) uint8 BGR."""
    picture = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    picture[:, ::80] = 90
    picture[250:] = 70
    return picture


def with_faces(portrait: Image, *lefts: int) -> Image:
    """Return the room with a head, 160 px wide, at each of `lefts`."""
    picture = room()
    head = cv2.resize(portrait[20:220, 130:330], (160, 160), interpolation=cv2.INTER_AREA)
    for left in lefts:
        picture[60:220, left : left + 160] = head
    return picture


def first_seen_s(path: Path, faces: int) -> float:
    results = fer_stream.stream(path)
    found = next(result.frame.time_s for result in results if len(result.faces) >= faces)
    results.close()
    return found


@pytest.mark.parametrize(("fps", "start"), [(25, 1), (25, 4), (25, 9), (25, 30), (12, 5), (15, 7)])
def test_in_an_empty_picture(astronaut: Image, clip: MakeClip, fps: int, start: int) -> None:
    images = [room()] * start + [with_faces(astronaut, 240)] * fps
    appeared_s = start / fps
    assert 0 <= first_seen_s(clip(images=images, fps=fps), 1) - appeared_s <= WITHIN_S


def test_in_the_first_frame_of_a_film(astronaut: Image, clip: MakeClip) -> None:
    assert first_seen_s(clip(images=[with_faces(astronaut, 240)] * 5, fps=25), 1) == 0


@pytest.mark.parametrize("start", [2, 12, 20])
def test_beside_a_face_that_is_known(astronaut: Image, clip: MakeClip, start: int) -> None:
    alone, both = with_faces(astronaut, 20), with_faces(astronaut, 20, 440)
    seen_s = first_seen_s(clip(images=[alone] * start + [both] * 25, fps=25), 2)
    assert 0 <= seen_s - start / 25 <= WITHIN_S


def test_the_pictures_are_what_the_tests_take_them_for(astronaut: Image, clip: MakeClip) -> None:
    results = list(fer_stream.stream(clip(images=[room()] * 30)))
    assert not any(result.faces for result in results)
    both = list(fer_stream.stream(clip("both.mp4", [with_faces(astronaut, 20, 440)] * 30)))
    assert max(len(result.faces) for result in both) == 2
