"""Checks of what the contracts in `fer_stream.stages` promise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from fer_stream.promises import (
    Place,
    answer_problem,
    classifier_problem,
    frame_problem,
    labels_problem,
    order_problem,
    scores_problem,
    second_look_problem,
)
from fer_stream.stages import Classifier, Detector, Filter, Source, Stage, Tracker
from fer_stream.testing.values import EMOTIONS, make_face, make_frame
from fer_stream.types import Box, Detection, Face, Frame, StreamInfo, Track
from fer_stream.urls import without_password

# Eight bits of rounding in a batch may differ from those of a single face.
_SAME_SCORE = 1e-3


def check_source(source: Source, finite: bool = True, *, at_most: int = 50) -> list[Frame]:
    """Read a source as the engine does and return its frames.

    Args:
        source: Not opened yet.
        finite: Whether it ends by itself; if not, it is closed after `at_most` frames.
        at_most: How many frames are read of a source that does not end.
    """
    check_name(source)
    given_id = source.source_id
    info = source.open()
    try:
        expect(isinstance(info, StreamInfo), f"open must return a StreamInfo, got {info!r}")
        expect(bool(info.source_id), "source_id must not be empty")
        expect(
            without_password(info.source_id) == info.source_id,
            "source_id must not carry a password",
        )
        expect(
            given_id in ("", info.source_id),
            f"source_id was '{given_id}' before open and is '{info.source_id}' after",
        )
        frames: list[Frame] = []
        pixels: list[npt.NDArray[np.uint8]] = []
        given = source.frames()
        for frame in given:
            _check_frame(frame, info, frames[-1] if frames else None)
            frames.append(frame)
            pixels.append(frame.grey.copy())
            if not finite and len(frames) >= at_most:
                break
        if not finite and hasattr(given, "close"):
            given.close()
    finally:
        source.close()
    expect(bool(frames), "a source that opens must give at least one frame")
    for frame, grey in zip(frames, pixels, strict=True):
        expect(
            np.array_equal(frame.grey, grey),
            f"frame {frame.index} changed after it was given; each frame needs its own pixels",
        )
    return frames


def check_detector(detector: Detector, frame: Frame) -> list[Detection]:
    """Detect on a frame, and on an empty one of its size; return the frame's detections.

    The detector is asked to look again at what it found, too.
    """
    check_name(detector)
    blank = make_frame(frame.index + 1, image=np.zeros_like(frame.grey))
    answers = []
    for shown in (frame, blank):
        with unchanged(shown):
            found = detector.detect(shown)
        _expect_none(answer_problem(found, Detection, "detect", shown))
        _check_second_look(detector, shown, [detection.box for detection in found])
        answers.append(found)
    return answers[0]


def _check_second_look(detector: Detector, frame: Frame, boxes: list[Box]) -> None:
    with unchanged(frame):
        said = detector.look_again(frame, boxes)
    _expect_none(second_look_problem(said, len(boxes)))


def check_tracker(tracker: Tracker, frames: Sequence[Frame] | None = None) -> list[list[Track]]:
    """Track a face that is there, is not looked for, is missed, and returns; return the tracks.

    Args:
        tracker: New.
        frames: What it sees; six frames of noise unless given. They are gone through once, but
            that a frame that comes without detections comes again with some if it then wants them.
    """
    check_name(tracker)
    frames = frames or [make_frame(index) for index in range(6)]
    answers = []
    for number, frame in enumerate(frames):
        height, width = frame.grey.shape
        box = Box.inside(width / 4, height / 4, width / 2, height / 2, frame)
        # The second None follows an empty detection: nothing was there.
        script = ((Detection(box, 0.9),), (Detection(box),), None, (), None, (Detection(box),))
        detections = script[number % len(script)]
        tracks = _updated(tracker, frame, detections)
        if detections is None and tracker.wants_detection:
            tracks = _updated(tracker, frame, (Detection(box, 0.9),))
        answers.append(list(tracks))
    return answers


def _updated(tracker: Tracker, frame: Frame, detections: Sequence[Detection] | None) -> list[Track]:
    with unchanged(frame):
        tracks = tracker.update(frame, detections)
    _expect_none(answer_problem(tracks, Track, "update", frame))
    wants = tracker.wants_detection
    expect(isinstance(wants, bool), f"wants_detection must be a bool, got {wants!r}")
    return tracks


def check_classifier(classifier: Classifier) -> None:
    """Classify one face and several, in two orders: each face's scores must be its own.

    A concurrent classifier does so on several threads at once, too.
    """
    check_name(classifier)
    _expect_none(classifier_problem(classifier))
    size = (5, *classifier.input_size)
    crops = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    crops[1], crops[2] = 0, 255  # flat faces: a covered lens, a lamp
    together = _classified(classifier, crops)
    backwards = _classified(classifier, np.ascontiguousarray(crops[::-1]))[::-1]
    one_by_one = [_classified(classifier, crop[np.newaxis])[0] for crop in crops]
    others = [(backwards, "in another order"), (np.stack(one_by_one), "one by one")]
    if classifier.concurrent:
        with ThreadPoolExecutor(len(crops)) as threads:
            at_once = threads.map(lambda crop: _classified(classifier, crop[np.newaxis])[0], crops)
            others.append((np.stack(list(at_once)), "on several threads"))
    for other, how in others:
        difference = float(np.abs(together - other).max())
        expect(
            difference <= _SAME_SCORE,
            f"a face's scores must not depend on its batch; they differ by {difference:.3g} {how}",
        )


def check_filter(stage: Filter) -> None:
    """Filter two faces, one face, a face without a track, no face, and a face that comes back."""
    check_name(stage)
    sad = make_face("sad", 0.9, track_id=2, box=Box(30, 20, 10, 10))
    script: tuple[tuple[Face, ...], ...] = (
        (make_face("happy", 0.9), sad),
        (make_face("neutral", 0.5),),
        (make_face("angry", 0.4, track_id=None, confidence=0.5),),
        (),
        (sad, make_face("happy", 0.9)),
    )
    for index, faces in enumerate(script):
        frame = make_frame(index)
        before = [face.scores.probabilities.copy() for face in faces]
        with unchanged(frame):
            kept = stage.apply(frame, faces)
        _expect_none(answer_problem(kept, Face, "apply", frame))
        _expect_none(labels_problem(kept, EMOTIONS))
        same = all(
            np.array_equal(face.scores.probabilities, p)
            for face, p in zip(faces, before, strict=True)
        )
        expect(same, "apply must not write to the scores it is given")


def check_name(stage: Stage) -> None:
    """Check that a stage can be asked for by its name."""
    name: object = getattr(stage, "name", None)
    fine = isinstance(name, str) and bool(name) and name == name.lower()
    expect(
        fine and not set(str(name)) & set(":?/ "),
        f"name must be lower case without ':', '?', '/' or spaces, got {name!r}",
    )


def _check_frame(frame: Frame, info: StreamInfo, before: Frame | None) -> None:
    _expect_none(frame_problem(frame))
    own = frame.info
    where = f"frame {frame.index}"
    try:
        _ = frame.image  # is made and looked at now
    except ValueError as error:
        raise AssertionError(str(error)) from error
    expect(own.live == info.live, f"{where}: a stream is live throughout or never")
    if not info.stills:
        expect(own.source_id == info.source_id, f"{where}: source_id must stay the same")
    if before is None:
        return
    _expect_none(order_problem(frame, Place.of(before)))
    expect(frame.captured_ns >= before.captured_ns, f"{where}: captured_ns must never fall")


def _expect_none(problem: str | None) -> None:
    expect(problem is None, problem or "")


def _classified(classifier: Classifier, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return the scores of (N, height, width) crops as (N, K) float32, after checking them."""
    before = crops.copy()
    scores = classifier.classify(crops)
    expect(np.array_equal(crops, before), "classify must not write to the crops")
    _expect_none(scores_problem(scores, len(crops), classifier.labels))
    return np.stack([one.probabilities for one in scores])


@contextmanager
def unchanged(frame: Frame) -> Iterator[None]:
    """Check that a block does not write to a frame's pixels."""
    grey, image = frame.grey.copy(), frame.image.copy()
    yield
    same = np.array_equal(frame.grey, grey) and np.array_equal(frame.image, image)
    expect(same, "a frame's pixels must not be written to: every stage shares them")


def expect(holds: bool, problem: str) -> None:
    """Raise `AssertionError` if something does not hold."""
    # Not `assert`: python -O would silence the checks.
    if not holds:
        raise AssertionError(problem)
