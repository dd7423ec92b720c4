"""The iou tracker: the same face keeps its number, and what is gone is not reported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest

from fer_stream.errors import ConfigError
from fer_stream.testing import make_frame
from fer_stream.trackers.iou import IouTracker
from fer_stream.types import Box, Detection, Frame, Track
from tests.clips import Image

FPS = 25


def textured(seed: int, side: int = 60) -> np.ndarray:
    """Return a thing with a look of its own, (side, side) uint8."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)
    return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)


def scene(*things: tuple[int, int, int], size: tuple[int, int] = (240, 320)) -> np.ndarray:
    """Return a grey image with things (seed, x, y) before an even background."""
    image = np.full(size, 90, np.uint8)
    for seed, x, y in things:
        thing = textured(seed)
        image[y : y + 60, x : x + 60] = thing[: size[0] - y, : size[1] - x]
    return image


def found(*corners: tuple[int, int], side: int = 60) -> list[Detection]:
    return [Detection(Box(x, y, side, side)) for x, y in corners]


class Film:
    """Feeds a tracker frame by frame."""

    def __init__(self, tracker: IouTracker | None = None, fps: float = FPS) -> None:
        self.tracker = tracker or IouTracker()
        self.fps = fps
        self.index = 0
        self.tracks: list[Track] = []

    def show(self, image: np.ndarray, detections: Sequence[Detection] | None = None) -> list[Track]:
        frame: Frame = make_frame(self.index, self.index / self.fps, image=image)
        self.index += 1
        self.tracks = self.tracker.update(frame, detections)
        return self.tracks


def known(*things: tuple[int, int, int]) -> Film:
    """Return a film whose things were detected twice."""
    film = Film()
    for _ in range(2):
        film.show(scene(*things), found(*(thing[1:] for thing in things)))
    return film


def test_a_face_is_reported_and_numbered_at_its_second_detection() -> None:
    film = Film()
    image = scene((1, 100, 80))
    assert film.show(image, found((100, 80))) == []
    assert film.tracker.wants_detection, "so that a new face does not wait"
    (track,) = film.show(image, found((102, 80)))
    assert (track.track_id, track.box) == (1, Box(102, 80, 60, 60))
    assert not film.tracker.wants_detection


@pytest.mark.parametrize(
    ("confidences", "frames"), [((0.5, 0.5), 4), ((0.5, 0.7), 2), ((0.7, 0.5), 2)]
)
def test_a_doubtful_face_waits_a_tenth_of_a_second(
    confidences: tuple[float, float], frames: int
) -> None:
    """At 25 frames a second the fourth comes 0.12 s after the first."""
    film = Film()
    film.index = 100  # the film has long begun
    image, box = scene((1, 100, 80)), Box(100, 80, 60, 60)
    first, later = ([Detection(box, confidence)] for confidence in confidences)
    film.show(image, first)
    for _ in range(frames - 2):
        assert film.show(image, later) == []
    assert film.show(image, later)


def test_a_doubtful_face_asks_for_its_second_detection_when_that_would_count() -> None:
    film = Film()
    image, doubtful = scene((1, 100, 80)), [Detection(Box(100, 80, 60, 60), 0.5)]
    film.show(image, doubtful)
    asked = [film.tracker.wants_detection]
    for _ in range(3):
        assert film.show(image) == []
        asked.append(film.tracker.wants_detection)
    assert asked == [False, False, False, True], "a search before its time is for nothing"
    film.index -= 1
    assert film.show(image, doubtful), "a second look at the fourth frame"
    assert not film.tracker.wants_detection


def test_a_doubtful_face_that_was_detected_twice_too_soon_asks_for_the_one_that_counts() -> None:
    film = Film()
    image, doubtful = scene((1, 100, 80)), [Detection(Box(100, 80, 60, 60), 0.5)]
    for detections in (doubtful, doubtful, None, None):
        assert film.show(image, detections) == []
    assert film.tracker.wants_detection
    assert film.show(image, []) == []
    assert not film.tracker.wants_detection, "it is forgotten"


def test_of_a_certain_face_the_first_detection_is_reported() -> None:
    film = Film()
    image, certain = scene((1, 100, 80)), [Detection(Box(100, 80, 60, 60), 0.8)]
    (track,) = film.show(image, certain)
    assert track.track_id == 1
    assert film.tracker.wants_detection, "one detection may be false, even so"
    (track,) = film.show(image, certain)
    assert track.track_id == 1
    assert not film.tracker.wants_detection


def test_a_certain_face_that_is_not_detected_again_is_forgotten() -> None:
    film = Film()
    image = scene((1, 100, 80))
    film.show(image, [Detection(Box(100, 80, 60, 60), 0.9)])
    assert film.show(image, []) == []
    assert not film.tracker.wants_detection
    assert film.show(image) == []


def test_a_single_false_detection_is_never_reported() -> None:
    film = Film()
    image = scene((1, 100, 80))
    assert film.show(image, found((100, 80))) == []
    for number in range(50):
        assert film.show(image, [] if number % 5 == 0 else None) == []
    assert film.show(image, found((100, 80))) == [], "it starts again"


def test_a_false_detection_does_not_keep_a_face_beside_it_waiting() -> None:
    film = Film()
    image = scene((1, 125, 100))
    film.show(image, found((100, 80)))
    film.show(image, found((125, 100)))
    (track,) = film.show(image, found((125, 100)))
    assert track.box == Box(125, 100, 60, 60)


def test_false_detections_in_other_places_are_never_reported() -> None:
    film = Film()
    image = scene((1, 0, 0), (2, 100, 80), (3, 200, 160))
    for number in range(12):
        assert film.show(image, found([(0, 0), (100, 80), (200, 160)][number % 3])) == []


def test_a_face_is_followed_without_detections(astronaut: Image) -> None:
    film = Film()
    lefts = [150 + round(60 * np.sin(i / 8)) for i in range(28)]

    def view(left: int) -> Image:
        return astronaut[20:260, left - 100 : left + 220]

    for _ in range(2):
        film.show(view(lefts[0]), [Detection(Box(275 - lefts[0], 45, 98, 98))])
    for left in lefts:
        (track,) = film.show(view(left))
        assert track.track_id == 1
        # A quarter of one of the template's pixels.
        assert track.box.x == pytest.approx(275 - left, abs=1)
        assert track.box.y == pytest.approx(45, abs=1)
        assert (track.box.width, track.box.height) == (98, 98)


def test_a_face_is_followed_on_a_large_frame(astronaut: Image) -> None:
    large = cv2.resize(astronaut, None, fx=2, fy=2)
    film = Film()
    for _ in range(2):
        film.show(large[:720], [Detection(Box(350, 130, 196, 196))])
    for step in range(1, 21):
        (track,) = film.show(np.roll(large, (3 * step, 6 * step), (0, 1))[:720])
        assert track.box.x == pytest.approx(350 + 6 * step, abs=6)
        assert track.box.y == pytest.approx(130 + 3 * step, abs=6)


@pytest.mark.parametrize("moved", [(15, 0), (-15, 0), (0, 15), (0, -15)])
def test_a_face_is_followed_over_a_quarter_of_its_size(moved: tuple[int, int]) -> None:
    film = known((1, 100, 80))
    x, y = 100 + moved[0], 80 + moved[1]
    (track,) = film.show(scene((1, x, y)))
    assert (track.box.x, track.box.y) == pytest.approx((x, y), abs=1)


@pytest.mark.parametrize("size", [(2, 2), (200, 2), (2, 200)])
def test_a_face_of_less_than_a_pixel_of_the_shrunk_frame_ends_no_run(size: tuple[int, int]) -> None:
    film = Film()
    image = np.random.default_rng(0).integers(0, 256, (1080, 1920), np.uint8)
    tiny = [Detection(Box(900, 500, *size), 0.9)]
    for detections in (tiny, None, tiny):
        assert len(film.show(image, detections)) == 1


def test_a_face_keeps_its_number_through_short_misses() -> None:
    film = known((1, 100, 80))
    for number in range(60):
        x = 100 + number
        detections = None if number % 4 else (found((x, 80)) if number % 8 else [])
        (track,) = film.show(scene((1, x, 80)), detections)
        assert track.track_id == 1
        assert track.box.x == pytest.approx(x, abs=3)


def test_a_covered_face_is_not_reported_and_keeps_its_number_when_it_returns() -> None:
    film = known((1, 100, 80))
    for _ in range(15):
        assert film.show(scene()) == []
    (track,) = film.show(scene((1, 110, 80)), found((110, 80)))
    assert track.track_id == 1


def test_a_lost_face_that_is_detected_a_little_further_on_is_still_that_face() -> None:
    film = known((1, 100, 80))
    film.show(scene((1, 132, 90)))  # further than a template is looked for
    assert film.tracks == []
    (track,) = film.show(scene((1, 132, 90)), found((132, 90)))
    assert (track.track_id, track.box) == (1, Box(132, 90, 60, 60))


def test_a_face_that_is_detected_elsewhere_while_another_is_covered_is_somebody_else() -> None:
    film = known((1, 40, 40))
    assert film.show(scene((2, 200, 150)), found((200, 150))) == []
    (track,) = film.show(scene((2, 200, 150)), found((200, 150)))
    assert track.track_id == 2


def test_the_detector_is_not_asked_about_a_covered_face() -> None:
    """It would say that it has gone, and it would lose its number."""
    film, witness = known((1, 100, 80)), Witness(0.0)
    film.tracker.look_again = witness.look_again
    for _ in range(5):
        assert film.show(scene(), []) == []
    (track,) = film.show(scene((1, 100, 80)), found((100, 80)))
    assert track.track_id == 1
    assert witness.asked == []


def test_a_face_that_was_gone_for_longer_than_patience_gets_another_number() -> None:
    film = known((1, 100, 80))
    for _ in range(27):
        assert film.show(scene(), []) == []
    assert film.show(scene((1, 100, 80)), found((100, 80))) == []
    (track,) = film.show(scene((1, 100, 80)), found((100, 80)))
    assert track.track_id == 2


@pytest.mark.parametrize(("look", "numbers"), [(2, [2]), (1, [1])])
def test_who_is_there_after_a_gap_in_the_film_has_the_number_of_who_looks_the_same(
    look: int, numbers: list[int]
) -> None:
    film = known((1, 100, 80))
    film.show(scene((1, 100, 80)))
    film.index += 3 * FPS
    for _ in range(2):
        film.show(scene((look, 100, 80)), found((100, 80)))
    assert [track.track_id for track in film.tracks] == numbers


def test_a_film_of_a_picture_every_few_seconds_has_no_gaps() -> None:
    film = Film(fps=0.2)
    shown = [film.show(scene((look, 100, 80)), found((105, 80))) for look in range(6)]
    assert [[track.track_id for track in tracks] for tracks in shown] == [[], *([[1]] * 5)]


def test_a_lost_face_asks_for_a_detection_at_once() -> None:
    film = known((1, 100, 80))
    film.show(scene((1, 100, 80)))
    assert not film.tracker.wants_detection
    film.show(scene())
    assert film.tracker.wants_detection
    film.show(scene(), [])
    assert not film.tracker.wants_detection, "it has just been looked for"


def test_at_a_cut_the_faces_before_it_are_gone() -> None:
    film = known((1, 100, 80))
    other = np.random.default_rng(9).integers(0, 256, (240, 320), dtype=np.uint8)
    assert film.show(other) == []
    assert film.tracker.wants_detection


def test_a_face_that_is_never_detected_again_is_not_trusted_for_ever() -> None:
    film = known((1, 100, 80))
    image = scene((1, 100, 80))
    shown = [bool(film.show(image, [] if i % 5 == 0 else None)) for i in range(60)]
    assert shown == [True] * 30 + [False] * 30, "1.2 s"
    for _ in range(2):
        film.show(image, found((100, 80)))
    assert [track.track_id for track in film.tracks] == [2], "what looks like it kept no number"


class Witness:
    """Says the same of every place, and counts the places of each question."""

    def __init__(self, likely: float | None) -> None:
        self.likely = likely
        self.asked: list[int] = []

    def look_again(self, _frame: Frame, boxes: Sequence[Box]) -> list[float] | None:
        self.asked.append(len(boxes))
        return None if self.likely is None else [self.likely] * len(boxes)


@pytest.mark.parametrize(("likely", "frames"), [(0.9, 60), (0.3, 30), (None, 30), (0.05, 9)])
def test_what_the_detector_says_of_a_missed_face_counts(likely: float | None, frames: int) -> None:
    """It is searched for after 0.4 s, in vain, and every 0.4 s from there on."""
    film, witness = known((1, 100, 80)), Witness(likely)
    film.tracker.look_again = witness.look_again
    image = scene((1, 100, 80))
    shown = [bool(film.show(image, [] if i % 10 == 0 else None)) for i in range(1, 61)]
    assert shown == [True] * frames + [False] * (60 - frames)


def test_only_faces_that_a_search_missed_are_asked_about() -> None:
    film, witness = known((1, 60, 80), (2, 180, 80)), Witness(0.9)
    film.tracker.look_again = witness.look_again
    image = scene((1, 60, 80), (2, 180, 80))
    film.show(image)
    film.show(image, found((60, 80), (180, 80)))
    assert witness.asked == []
    film.show(image, found((180, 80)))
    assert witness.asked == [1]
    film.show(image, [])
    assert witness.asked == [1, 2]


@pytest.mark.parametrize("confidence", [None, 0.9])
def test_nobody_is_asked_about_a_face_that_is_forgotten(confidence: float | None) -> None:
    film, witness = Film(), Witness(0.9)
    film.tracker.look_again = witness.look_again
    image = scene((1, 100, 80))
    film.show(image, [Detection(Box(100, 80, 60, 60), confidence)])
    assert film.show(image, []) == []
    assert witness.asked == []


def test_a_face_that_has_gone_is_a_new_one_when_it_returns() -> None:
    film = known((1, 100, 80))
    film.tracker.look_again = Witness(0.0).look_again
    image = scene((1, 100, 80))
    assert film.show(image, []) == []
    film.show(image, found((100, 80)))
    (track,) = film.show(image, found((100, 80)))
    assert track.track_id == 2


def test_two_faces_side_by_side_keep_their_numbers() -> None:
    film = known((1, 60, 80), (2, 125, 80))
    numbers = {track.box.x // 40: track.track_id for track in film.tracks}
    assert set(numbers) == {1, 3}
    for number in range(30):
        y = 80 + number % 3
        image = scene((1, 60, y), (2, 125, y))
        # The detector gives them in any order.
        detections = found((60, y), (125, y))[:: 1 if number % 2 else -1]
        tracks = film.show(image, detections if number % 5 == 0 else None)
        assert {track.box.x // 40: track.track_id for track in tracks} == numbers


def test_two_faces_that_come_close_keep_their_numbers() -> None:
    film = known((1, 20, 80), (2, 240, 80))
    numbers = [track.track_id for track in sorted(film.tracks, key=lambda t: t.box.x)]
    assert sorted(numbers) == [1, 2]
    for number, half in enumerate([*range(110, 30, -2), *range(30, 110, 2)]):
        places = [(130 - half, 80), (130 + half, 80)]  # at their closest they touch
        image = scene((1, *places[0]), (2, *places[1]))
        tracks = film.show(image, found(*places) if number % 10 == 0 else None)
        assert [t.track_id for t in sorted(tracks, key=lambda t: t.box.x)] == numbers


def test_of_overlapping_faces_each_is_where_its_own_detection_is() -> None:
    film = known((1, 60, 80), (2, 140, 80))
    numbers = [track.track_id for track in sorted(film.tracks, key=lambda t: t.box.x)]
    for left, right in ((65, 130), (70, 120), (75, 110), (80, 105), (80, 105)):
        places = [(left, 80), (right, 80)]
        tracks = film.show(scene((1, left, 80), (2, right, 80)), found(*places))
        assert sorted((t.box.x, t.track_id) for t in tracks) == [
            (left, numbers[0]),
            (right, numbers[1]),
        ]


def test_a_detection_moves_no_other_face_than_the_one_that_it_fits_best() -> None:
    film = known((1, 60, 80), (2, 140, 80))
    for left, right in ((65, 130), (70, 120), (75, 110), (80, 105)):
        film.show(scene((1, left, 80), (2, right, 80)), found((left, 80), (right, 80)))
    tracks = film.show(scene((1, 80, 80), (2, 105, 80)), found((105, 80)))
    assert sorted(track.box.x for track in tracks) == pytest.approx([80, 105], abs=2)


def test_of_two_detections_of_a_face_the_one_that_fits_best_counts() -> None:
    film = known((1, 100, 80))
    for detections in (found((100, 80), (115, 85)), found((115, 85), (100, 80))):
        (track,) = film.show(scene((1, 100, 80)), detections)
        assert track.box == Box(100, 80, 60, 60)


def test_two_faces_that_pass_at_different_heights_keep_their_numbers() -> None:
    film = known((1, 20, 40), (2, 240, 130))
    numbers = {track.box.y // 60: track.track_id for track in film.tracks}
    assert set(numbers) == {0, 2}
    for step in range(1, 111):
        places = [(20 + 2 * step, 40), (240 - 2 * step, 130)]
        image = scene((1, *places[0]), (2, *places[1]))
        tracks = film.show(image, found(*places) if step % 10 == 0 else None)
        assert {track.box.y // 60: track.track_id for track in tracks} == numbers


def test_a_badly_framed_detection_of_a_known_face_is_no_second_face() -> None:
    film = known((1, 100, 80))
    image = scene((1, 100, 80))
    for _ in range(5):  # the right one and one that covers a part of it
        tracks = film.show(image, found((100, 80)) + found((125, 105), side=30))
        assert [track.track_id for track in tracks] == [1]


def test_a_badly_framed_detection_alone_does_not_move_a_face() -> None:
    film = known((1, 100, 80))
    (track,) = film.show(scene((1, 100, 80)), found((125, 105), side=30))
    assert (track.track_id, track.box) == (1, Box(100, 80, 60, 60))


def test_a_face_that_leaves_is_followed_in_the_part_that_is_seen() -> None:
    film = known((1, 250, 80))
    for left in range(254, 280, 4):
        (track,) = film.show(scene((1, left, 80)))
        assert track.box.x == pytest.approx(left, abs=2)
        assert track.box.x + track.box.width == min(track.box.x + 60, 320)


def test_a_new_tracker_counts_from_one() -> None:
    assert [known((1, 100, 80)).show(scene((1, 100, 80)))[0].track_id for _ in range(2)] == [1, 1]


def test_a_detectors_confidence_is_passed_on() -> None:
    film = Film()
    for confidence in (0.65, 0.75):
        tracks = film.show(scene((1, 100, 80)), [Detection(Box(100, 80, 60, 60), confidence)])
    assert [track.confidence for track in tracks] == [0.75]


def test_a_flat_face_does_not_follow_anything() -> None:
    film = Film()
    flat = np.full((240, 320), 128, np.uint8)
    for _ in range(2):
        film.show(flat, found((100, 80)))
    assert film.show(flat) == []


@pytest.mark.parametrize(
    "options",
    [
        {"min_iou": 1.0},
        {"sure": 0.0},
        {"sure": 1.0},
        {"patience": 0.0},
        {"trust": 0.0},
        {"follow_size": 24},
    ],
)
def test_options_at_their_limits_are_taken(options: dict[str, Any]) -> None:
    film = Film(IouTracker(**options))
    for _ in range(2):
        film.show(scene((1, 100, 80)), [Detection(Box(100, 80, 60, 60), 1.0)])
    assert len(film.tracks) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"min_iou": 0.0},
        {"min_iou": 1.1},
        {"sure": 1.1},
        {"patience": -1.0},
        {"trust": -1.0},
        {"follow_size": 23},
        {"target": "x"},
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="iou"):
        IouTracker(**options)
