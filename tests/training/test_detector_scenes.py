"""Scenes for the detector: faces are where they are said to be, and the network is told so."""

from __future__ import annotations

import os
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from fer_stream_training.detector.layout import LEVELS, SIDE_UNIT, cell_centres, targets
from fer_stream_training.detector.material import trained_on
from fer_stream_training.detector.patches import mask_bank, not_a_face, varied_face
from fer_stream_training.detector.pictures import Picture, background, load_pictures
from fer_stream_training.detector.scenes import SMALLEST, Composer, Material, Shapes, make_shapes

from fer_stream.errors import ConfigError

FACES = np.random.default_rng(0).integers(0, 256, (20, 48, 48), dtype=np.uint8)


@pytest.fixture(scope="module")
def shapes() -> Shapes:
    return make_shapes()


def squares(*rows: tuple[float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 3)


def test_the_same_seed_makes_the_same_scene(shapes: Shapes) -> None:
    first, second = (Composer(Material(FACES, [], [], shapes=shapes), 96, 128) for _ in range(2))
    one, same, other = first.scene((1, 2)), second.scene((1, 2)), second.scene((1, 3))
    assert np.array_equal(one.image, same.image)
    assert np.array_equal(one.faces, same.faces)
    assert not np.array_equal(one.image, other.image)


def test_scenes_hold_faces_of_all_sizes_inside_the_frame(shapes: Shapes) -> None:
    composer = Composer(Material(FACES, [], [], shapes=shapes), 160, 256)
    scenes = [composer.scene((0, i)) for i in range(60)]
    assert all(scene.image.shape == (160, 256) for scene in scenes)
    faces = np.concatenate([scene.faces for scene in scenes])
    x, y, side = faces.T
    assert len(faces) > 60
    assert side.min() >= SMALLEST
    assert side.min() < 16
    assert side.max() > 100
    assert ((x > 0) & (x < 256) & (y > 0) & (y < 160)).all()
    assert any(not len(scene.faces) for scene in scenes)


def test_a_face_is_pasted_where_the_scene_says(shapes: Shapes) -> None:
    """White faces on black, compared with scenes of black ones from the same seeds."""
    white, black = (np.full((1, 48, 48), grey, np.uint8) for grey in (255, 0))
    dark = [Picture(np.zeros((200, 300), np.uint8))]
    bright = 0.0
    for seed in range(12):
        one, other = (
            Composer(Material(faces, dark, [], shapes=shapes), 160, 256).scene((seed,))
            for faces in (white, black)
        )
        assert np.array_equal(one.faces, other.faces)
        for x, y, side in one.faces:
            if side > 30:
                difference = int(one.image[int(y), int(x)]) - int(other.image[int(y), int(x)])
                bright = max(bright, difference)
    assert bright > 60


@pytest.mark.parametrize("seed", range(12))
def test_known_faces_move_with_their_picture(seed: int) -> None:
    image = np.zeros((300, 400), np.uint8)
    image[100:140, 210:250] = 255
    picture = Picture(image, squares((230, 120, 40)), squares((20, 280, 30)))
    part = background([picture], np.random.default_rng(seed), 96, 160)
    assert part.image.shape == (96, 160)
    area = float((part.image > 127).sum())
    if not len(part.faces):
        assert area == 0
        return
    ((x, y, side),) = part.faces
    rows, columns = np.nonzero(part.image > 127)
    left, right, top, bottom = columns.min(), columns.max(), rows.min(), rows.max()
    if left > 0 and top > 0 and right < 159 and bottom < 95:
        assert (left + right + 1) / 2 == pytest.approx(x, abs=1.5)
        assert (top + bottom + 1) / 2 == pytest.approx(y, abs=1.5)
        assert area**0.5 == pytest.approx(side, rel=0.1)


def test_pastes_have_no_border_of_their_own() -> None:
    """Where masks end differs from mask to mask, and nowhere abruptly."""
    masks = np.stack(mask_bank(np.random.default_rng(0))).astype(int)
    assert np.abs(np.diff(masks, axis=2)).max() < 110
    covered = (masks > 127).mean(axis=0)
    edge = covered[48, 24:30]  # beside the left border of the face's square
    assert ((edge > 0.02) & (edge < 0.98)).all()


def test_what_is_no_face_is_a_square_too() -> None:
    random = np.random.default_rng(0)
    for _ in range(100):
        square = not_a_face(FACES[0], [], random)
        assert (square.shape, square.dtype) == ((48, 48), np.uint8)
        assert not np.array_equal(square, FACES[0])
        assert varied_face(square, random).shape == (48, 48)


@pytest.mark.parametrize("side", [11, 20, 30, 38, 44, 60, 80, 92, 150, 300])
def test_every_size_of_face_has_a_cell_that_answers(side: float) -> None:
    scene = Picture(np.zeros((320, 384), np.uint8), squares((203.3, 148.8, side)))
    wanted, cells = targets(scene), cell_centres(320, 384)
    own = wanted[:, 0] == 1
    assert own.any()
    at, (dx, dy, size) = cells[own], wanted[own, 1:].T
    assert at[:, 0] + dx * at[:, 2] == pytest.approx(203.3, abs=0.01)
    assert at[:, 1] + dy * at[:, 2] == pytest.approx(148.8, abs=0.01)
    assert np.exp(size) * SIDE_UNIT * at[:, 2] == pytest.approx(side, rel=1e-4)
    assert {float(s) for s in at[:, 2]} <= {s for s, low, high in LEVELS if low <= side <= high}


def test_an_unsure_place_is_neither_asked_for_nor_forbidden() -> None:
    scene = Picture(np.zeros((96, 96), np.uint8), unsure=squares((48, 48, 40)))
    marks, cells = targets(scene)[:, 0], cell_centres(96, 96)
    inside = np.abs(cells[:, :2] - 48).max(axis=1) <= 20
    assert (marks[inside] == -1).all()
    assert (marks[~inside] == 0).all()


def test_far_from_a_face_there_is_none() -> None:
    scene = Picture(np.zeros((96, 160), np.uint8), squares((40, 48, 30)))
    marks, cells = targets(scene)[:, 0], cell_centres(96, 160)
    far = np.abs(cells[:, :2] - (40, 48)).max(axis=1) > 16
    assert (marks[far] == 0).all()


def test_pictures_are_read_grey_and_not_too_large(tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "a.png"), np.full((500, 2000, 3), 90, np.uint8))
    (tmp_path / "notes.txt").write_text("no picture")
    (picture,) = load_pictures((tmp_path,))
    assert picture.image.shape == (250, 1000)
    assert len(picture.faces) == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are Unix's")
def test_a_pipe_among_pictures_is_passed_over(tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "a.png"), np.full((50, 50, 3), 90, np.uint8))
    os.mkfifo(tmp_path / "b.png")
    assert len(load_pictures((tmp_path,))) == 1


def test_a_file_says_what_it_was_trained_on(shapes: Shapes) -> None:
    grounds = [Picture(np.zeros((50, 50), np.uint8))] * 5
    plain = trained_on(Material(FACES, grounds, [], shapes=shapes))
    assert re.fullmatch(r"scenes composed of 20 faces \(SHA-256 \w{16}\) and 5 pictures", plain)
    filmed = Picture(grounds[0].image, squares((20, 20, 9)))
    more = trained_on(Material(FACES, grounds, [filmed], shapes=shapes, mistaken=2))
    assert more.endswith(
        " and 3 pictures, 2 places in them mistaken for a face, "
        "1 face that Haar cascades agreed on in videos"
    )


def test_a_folder_without_pictures_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no picture in .*check --backgrounds"):
        load_pictures((tmp_path,))
