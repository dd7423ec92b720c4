"""Drawing: on a copy, inside the frame, in the emotion's colour."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fer_stream.draw import annotated, caption, colour_of, out_of_date
from fer_stream.types import EmotionScores


def test_the_frame_itself_is_not_drawn_on(make: Any) -> None:
    result = make(0, ((100, 100, 200, 200), "happy"), size=(640, 480))
    drawn = annotated(result)
    assert (result.frame.image == 128).all()
    assert (result.frame.grey == 128).all()
    assert not np.array_equal(drawn, result.frame.image)
    assert not np.shares_memory(drawn, result.frame.image)


def test_without_a_face_nothing_is_drawn(make: Any) -> None:
    result = make(0, size=(640, 480))
    np.testing.assert_array_equal(annotated(result), result.frame.image)


@pytest.mark.parametrize("emotion", ["angry", "happy", "neutral"])
def test_a_face_has_a_box_in_its_emotions_colour(make: Any, emotion: str) -> None:
    drawn = annotated(make(0, ((100, 100, 200, 200), emotion), size=(640, 480)))
    for x, y in ((100, 200), (299, 200), (200, 299)):  # the middles of three sides
        np.testing.assert_allclose(drawn[y, x], colour_of(emotion), atol=2)
    assert (drawn[200, 200] == 128).all(), "the face itself stays visible"


def test_each_emotion_has_its_own_colour(make: Any) -> None:
    names = ("angry", "disgusted", "fearful", "happy", "sad", "surprised", "neutral")
    assert len({colour_of(name) for name in (*names, "uncertain")}) == 8
    assert colour_of("bored") not in {colour_of(name) for name in (*names, "uncertain")}


def test_an_uncertain_face_has_no_emotions_colour_and_no_score(make: Any) -> None:
    box = (100, 100, 200, 200)
    drawn = annotated(make(0, (box, "happy"), size=(640, 480), uncertain_below=0.71))
    np.testing.assert_allclose(drawn[200, 100], colour_of("uncertain"), atol=2)
    # Its bar beside the face keeps its colour: the scores are there for who wants to look.
    coloured = (np.abs(drawn.astype(int) - colour_of("happy")) <= 2).all(axis=2)
    assert not coloured[:, :300].any()
    assert coloured[:, 300:].any()
    (face,) = make(0, (box, "happy"), uncertain_below=0.71).faces
    assert caption(face.scores, ".0%") == "uncertain"
    (face,) = make(0, (box, "happy"), uncertain_below=0.69).faces
    assert caption(face.scores, ".0%") == "happy 70%"


SIZES = [(640, 480), (64, 48), (33, 17), (3, 200), (200, 3), (1, 1)]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_any_face_in_any_frame_can_be_drawn(make: Any, width: int, height: int) -> None:
    w, h = max(width // 3, 1), max(height // 3, 1)
    boxes = [
        (x, y, w, h)
        for x in {0, (width - w) // 2, width - w}
        for y in {0, (height - h) // 2, height - h}
    ]
    for box in [*boxes, (0, 0, width, height), (width - 1, height - 1, 1, 1)]:
        result = make(0, (box, "surprised"), size=(width, height))
        drawn = annotated(result)
        assert drawn.shape == (height, width, 3)
        assert drawn.dtype == np.uint8
        assert (result.frame.image == 128).all()


def with_number(make: Any, track_id: int | None) -> Any:
    return annotated(make(0, ((100, 100, 200, 200), "sad"), size=(640, 480), track_id=track_id))


def test_a_face_has_its_number_beside_its_emotion(make: Any) -> None:
    one, two, none = (with_number(make, track_id) for track_id in (1, 2, None))
    assert not np.array_equal(one[:100], two[:100])
    np.testing.assert_array_equal(one[100:], two[100:])
    wide, narrow = (pixels(drawn[:100], colour_of("sad")) for drawn in (one, none))
    assert narrow < 0.9 * wide


@pytest.mark.parametrize(("emotion", "dark"), [("happy", True), ("sad", False)])
def test_words_are_dark_on_bright_and_bright_on_dark(make: Any, emotion: str, dark: bool) -> None:
    above = annotated(make(0, ((100, 100, 200, 200), emotion), size=(640, 480)))[:98]
    darker = (above.max(axis=2) < 64).sum()
    brighter = (above.min(axis=2) > 160).sum()
    assert (darker > 100, brighter > 100) == (dark, not dark)


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        ((100, 100, 200, 200), (103, 97)),  # above it
        ((100, 0, 200, 200), (106, 6)),  # there is no room: at its top
        ((600, 100, 40, 200), (637, 97)),  # drawn in from the edge
    ],
)
def test_the_words_are_as_near_to_their_face_as_there_is_room(
    make: Any, box: tuple[int, int, int, int], inside: tuple[int, int]
) -> None:
    drawn = annotated(make(0, (box, "happy"), size=(640, 480)))
    np.testing.assert_allclose(drawn[inside[1], inside[0]], colour_of("happy"), atol=2)


def test_the_words_cover_no_neighbours_face_where_there_is_another_place(make: Any) -> None:
    upper, lower = ((200, 130, 100, 65), "happy"), ((200, 200, 100, 100), "angry")
    drawn = annotated(make(0, upper, lower, size=(640, 480)))
    assert (drawn[140:185, 210:290] == 128).all()
    np.testing.assert_allclose(drawn[303, 203], colour_of("angry"), atol=2)
    lower = ((200, 200, 100, 280), "angry")  # there is none below it
    drawn = annotated(make(0, upper, lower, size=(640, 480)))
    assert (drawn[140:185, 210:290] == 128).all()
    np.testing.assert_allclose(drawn[206, 206], colour_of("angry"), atol=2)


@pytest.mark.parametrize(
    ("box", "columns"),
    [
        ((100, 100, 200, 200), (300, 640)),
        ((400, 100, 200, 200), (0, 400)),  # no room at its right
        ((100, 400, 150, 60), (250, 640)),  # it begins higher, to end in the frame
        ((0, 0, 640, 480), None),
        ((120, 100, 420, 200), None),
    ],
)
def test_the_bars_are_beside_the_face_where_there_is_room(
    make: Any, box: tuple[int, int, int, int], columns: tuple[int, int] | None
) -> None:
    drawn = annotated(make(0, (box, "happy"), size=(640, 480)))
    field = (drawn == 51).all(axis=2)  # 0.4 of the grey behind
    if columns is None:
        assert not field.any()
    else:
        assert field.sum() > 5000
        assert not field[:, : columns[0]].any()
        assert not field[:, columns[1] :].any()
        rows = field.any(axis=1).nonzero()[0]
        assert rows[-1] - rows[0] > 85, "all seven"
        assert abs(rows[0] - box[1]) < 20


@pytest.mark.parametrize("x", [0, 220, 440])
@pytest.mark.parametrize("y", [0, 140, 280])
def test_the_caption_is_inside_the_frame_wherever_the_face_is(make: Any, x: int, y: int) -> None:
    drawn = annotated(make(0, ((x, y, 200, 200), "happy"), size=(640, 480)))
    # A filled field of the colour, much larger than the box's lines alone.
    field = (np.abs(drawn.astype(int) - colour_of("happy")) <= 2).all(axis=2)
    assert field.sum() > 4 * 200 * 2 + 1000


def test_labels_of_another_model_are_drawn_too(make: Any) -> None:
    np.testing.assert_allclose(drawn_with(make, "Größe", "x")[200, 100], colour_of("x"), atol=2)


def drawn_with(make: Any, *labels: str) -> Any:
    """A picture of a face whose second label is the one to show."""
    result = make(0, ((100, 100, 200, 200), "happy"), size=(640, 480))
    scores = EmotionScores(labels, np.array([0.2, 0.8], np.float32))
    return annotated(replace(result, faces=(replace(result.faces[0], scores=scores),)))


@pytest.mark.parametrize(
    ("own", "written"),
    [
        (("Ärger", "Größe"), ("Arger", "Grosse")),
        (("悲しみ", "驚き"), ("label 1", "label 2")),
        (("злость", "x"), ("label 1", "x")),
        (("x łza", "überrascht 驚"), ("x ?za", "uberrascht ?")),
    ],
)
def test_labels_are_written_in_letters_that_opencv_has(
    make: Any, own: tuple[str, str], written: tuple[str, str]
) -> None:
    np.testing.assert_array_equal(drawn_with(make, *own), drawn_with(make, *written))


def pixels(drawn: Any, colour: tuple[int, int, int]) -> int:
    return int((np.abs(drawn.astype(int) - colour) <= 2).all(axis=2).sum())


def test_captions_of_neighbours_do_not_cover_each_other(make: Any) -> None:
    faces = [((200, 200, 40, 40), "happy"), ((250, 200, 40, 40), "angry")]
    together = annotated(make(0, *faces, size=(640, 480)))
    for face in faces:
        alone = annotated(make(0, face, size=(640, 480)))
        whole = pixels(alone, colour_of(face[1]))
        # All but the bar of it beside the face, for which there may be no room.
        assert pixels(together, colour_of(face[1])) > 0.85 * whole > 2000


def test_captions_in_a_small_frame_do_not_cover_each_other(make: Any) -> None:
    faces = [((10, 40, 40, 44), "happy"), ((60, 40, 40, 44), "angry"), ((110, 40, 40, 44), "sad")]
    together = annotated(make(0, *faces, size=(160, 120)))
    for face in faces:
        alone = annotated(make(0, face, size=(160, 120)))
        whole = pixels(alone, colour_of(face[1]))
        # All but the lines of its box that are covered.
        assert pixels(together, colour_of(face[1])) > 0.8 * whole > 1000


def test_the_bars_of_neighbours_do_not_cover_each_other(make: Any) -> None:
    faces = [((150, 200, 100, 100), "happy"), ((470, 200, 100, 100), "angry")]
    drawn = annotated(make(0, *faces, size=(640, 480)))
    assert pixels(drawn, (51, 51, 51)) > 5000, "one has them: a field at 0.4 of the grey behind"
    assert pixels(drawn, (20, 20, 20)) == 0, "nowhere are two fields on top of each other"


def test_a_small_frame_is_not_filled_with_bars(make: Any) -> None:
    drawn = annotated(make(0, ((100, 50, 40, 40), "happy"), size=(320, 180)))
    assert pixels(drawn, (51, 51, 51)) == 0


@pytest.mark.parametrize("size", [(64, 48), (640, 480)])
def test_a_picture_that_is_no_longer_so_is_dark_with_a_word_in_its_middle(
    make: Any, size: tuple[int, int]
) -> None:
    image = make(0, size=size).frame.image
    dark = out_of_date(image, "stalled")
    assert (image == 128).all()
    assert (dark[0] < 64).all()
    assert dark[size[1] // 2 - 10 : size[1] // 2 + 10].max() > 200
