"""Frames between the analysed ones: faces are followed for the sinks that draw, no row is made."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import av

import fer_stream
from fer_stream.trackers.none import NoTracker
from fer_stream.types import Box, Frame, FrameResult, Track
from tests.engine.conftest import Lab, LabSink, LabTracker


def drawing(main_thread: bool = False) -> LabSink:
    sink = LabSink("screen", main_thread=main_thread)
    sink.draws = True  # type: ignore[misc]
    return sink


def indices(results: list[FrameResult], *, analysed: bool) -> list[int]:
    return [result.frame.index for result in results if result.analysed is analysed]


def test_rows_are_of_analysed_frames_and_pictures_of_all(lab: Lab) -> None:
    rows, screen, window = lab.Sink("rows"), drawing(), drawing(main_thread=True)
    lab.run(lab.Source(count=21), [rows, screen, window], analyse_fps=5.0)
    assert rows.indices() == [0, 5, 10, 15, 20]
    for sink in (screen, window):
        assert sink.indices() == list(range(21))
        assert indices(sink.results, analysed=True) == [0, 5, 10, 15, 20]


def test_without_it_all_frames_are_analysed(lab: Lab) -> None:
    rows, screen = lab.Sink("rows"), drawing()
    lab.run(lab.Source(count=9), [rows, screen])
    assert rows.indices() == list(range(9))
    assert indices(screen.results, analysed=True) == list(range(9))


def test_nothing_is_classified_or_filtered_in_between(lab: Lab) -> None:
    classifier = lab.Classifier()
    detector = lab.Detector(faces=2)
    options = {"detector": lambda: detector, "classifier": classifier}
    lab.run(lab.Source(count=21), [drawing()], analyse_fps=5.0, detect_every=3, **options)
    assert sum(classifier.batches) == 2 * 5
    assert [index for _, index in lab.filters[0].seen] == [0, 5, 10, 15, 20]
    assert [index for _, index in lab.trackers[0].seen] == list(range(21)), "it follows in all"
    assert detector.seen == list(range(0, 21, 3)), "searched when it is time to"


def test_what_is_not_followed_is_searched_for_in_analysed_frames_alone(lab: Lab) -> None:
    detector = lab.Detector()
    plans = {"detector": lambda: detector, "tracker": NoTracker}
    lab.run(lab.Source(count=21), [drawing()], analyse_fps=5.0, **plans)
    assert detector.seen == [0, 5, 10, 15, 20]


def test_seconds_between_analysed_frames_lose_no_face() -> None:
    # Haar is never certain: each face waits for its second detection.
    results = fer_stream.stream("demo?seconds=10.1", analyse_fps=0.2, detector="haar")
    found = {result.frame.time_s: len(result.faces) for result in results}
    assert found == {0.0: 0, 5.0: 1, 10.0: 1}, "the first frame's waits to be confirmed"


def test_in_between_the_box_is_the_new_one_and_the_scores_are_the_last(lab: Lab) -> None:
    class Moving(LabTracker):
        def update(self, frame: Frame, _: object) -> list[Track]:
            return [Track(Box(frame.index, 4, 16, 16), 1)]

    screen = drawing()
    lab.run(lab.Source(count=11), [screen], analyse_fps=5.0, tracker=Moving)
    assert screen.indices() == list(range(11))
    for result in screen.results:
        (face,) = result.faces
        assert face.box.x == result.frame.index
        read_at = screen.results[result.frame.index // 5 * 5]
        assert face.scores is read_at.faces[0].scores


def test_in_between_a_face_that_was_not_read_yet_is_not_shown(lab: Lab) -> None:
    class Joined(LabTracker):
        def update(self, frame: Frame, _: object) -> list[Track]:
            return [Track(Box(4, 4, 16, 16), 1), Track(Box(40, 4, 16, 16), 2)][: frame.index]

    screen = drawing()
    lab.run(lab.Source(count=11), [screen], analyse_fps=5.0, tracker=Joined)
    shown = [[face.track_id for face in result.faces] for result in screen.results]
    assert shown == [[]] * 5 + [[1, 2]] * 6


def test_in_between_a_face_without_an_id_does_not_get_anothers_emotion(lab: Lab) -> None:
    class Unsure(LabTracker):
        def update(self, _frame: Frame, _: object) -> list[Track]:
            return [Track(Box(4, 4, 16, 16), 1), Track(Box(40, 4, 16, 16), None)]

    screen = drawing()
    lab.run(lab.Source(count=6), [screen], analyse_fps=5.0, tracker=Unsure)
    shown = [[face.track_id for face in result.faces] for result in screen.results]
    assert shown == [[1, None], [1], [1], [1], [1], [1, None]]


def test_a_new_session_starts_without_the_last_ones_faces(lab: Lab) -> None:
    screen = drawing()
    source = lab.Source(count=12, session_length=6)
    lab.run(source, [screen], analyse_fps=5.0, detect_every=1)
    scores = [result.faces[0].scores for result in screen.results]
    assert indices(screen.results, analysed=True) == [0, 5, 6, 10]
    assert scores[7] is scores[6]
    assert scores[6] is not scores[5]


def test_of_pictures_each_is_analysed(lab: Lab) -> None:
    rows = lab.Sink("rows")
    lab.run(lab.Source(count=9, stills=True), [rows], analyse_fps=1.0)
    assert rows.indices() == list(range(9))


def test_files_csv_and_api_agree_and_the_film_is_whole(face_clip: Path, tmp_path: Path) -> None:
    table, events, film = tmp_path / "a.csv", tmp_path / "a.jsonl", tmp_path / "a.mp4"
    sinks = [f"csv:{table}?every_frame=true", f"jsonl:{events}", f"video:{film}"]
    results = list(fer_stream.stream(face_clip, sink=sinks, analyse_fps=5))
    expected = [0, 5, 10, 15, 20, 25, 30, 35]
    assert [result.frame.index for result in results] == expected
    assert all(result.analysed for result in results)
    with table.open(newline="") as file:
        assert [int(row["frame"]) for row in csv.DictReader(file)] == expected
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    told = [line["frame"] for line in lines if line.get("faces")]
    assert told == [result.frame.index for result in results if result.faces]
    with av.open(str(film)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 40
