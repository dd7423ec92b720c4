"""The onnx classifier runs what describes itself, and says what is wrong with the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_stream.classifiers.onnx import OnnxClassifier
from fer_stream.errors import ModelError
from fer_stream.imaging import crop_face
from fer_stream.testing import EMOTIONS, check_classifier, make_frame
from fer_stream.types import Box
from tests.classifiers.models import LABELS, SHAPES, logits, write_model
from tests.clips import Image


def softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def crops(count: int = 16) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 8, 6), dtype=np.uint8)


def scores(classifier: OnnxClassifier, faces: np.ndarray) -> np.ndarray:
    return np.stack([one.probabilities for one in classifier.classify(faces)])


@pytest.mark.parametrize("layout", SHAPES)
def test_each_layout_gives_the_networks_scores(layout: str, tmp_path: Path) -> None:
    classifier = OnnxClassifier(str(write_model(tmp_path / "m.onnx", shape=SHAPES[layout])))
    assert classifier.info.layout == layout
    assert classifier.input_size == (8, 6)
    assert classifier.labels == LABELS
    np.testing.assert_allclose(scores(classifier, crops()), softmax(logits(crops())), atol=1e-5)
    check_classifier(classifier)


@pytest.mark.parametrize("temperature", [0.05, 0.5, 1.0, 2.5])
def test_the_temperature_divides_the_logits(temperature: float, tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx", temperature=str(temperature))
    expected = softmax(logits(crops()) / temperature)
    np.testing.assert_allclose(scores(OnnxClassifier(str(path)), crops()), expected, atol=1e-4)


def test_a_very_small_temperature_still_gives_scores(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx", temperature="0.001")
    check_classifier(OnnxClassifier(str(path)))


def test_a_score_under_the_models_threshold_is_uncertain(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx", temperature="0.5", uncertain_below="0.8")
    given = OnnxClassifier(str(path)).classify(crops())
    calibrated = softmax(logits(crops()) / 0.5).max(axis=1)
    assert [one.uncertain for one in given] == list(calibrated < 0.8)
    assert 0 < sum(one.uncertain for one in given) < len(given)


def test_a_model_without_a_threshold_is_never_uncertain(tmp_path: Path) -> None:
    classifier = OnnxClassifier(str(write_model(tmp_path / "m.onnx")))
    assert not any(one.uncertain for one in classifier.classify(crops()))


def test_a_batch_gives_what_each_face_gives_alone() -> None:
    classifier = OnnxClassifier()
    size = (20, *classifier.input_size)  # more than are run at once
    faces = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    together = scores(classifier, faces)
    for face, expected in zip(faces, together, strict=True):
        np.testing.assert_allclose(scores(classifier, face[np.newaxis])[0], expected, atol=1e-5)


def test_the_shipped_model_knows_the_seven_emotions() -> None:
    classifier = OnnxClassifier()
    assert set(classifier.labels) == set(EMOTIONS)
    assert len(classifier.model_sha256) == 64
    assert classifier.model_name
    assert OnnxClassifier("default").model_sha256 == classifier.model_sha256


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"labels": None}, "does not name its labels; .*fer-stream models label"),
        ({"labels": []}, "does not name its labels"),
        ({"labels": "angry"}, "must be a JSON list of names"),
        ({"labels": [1, 2, 3]}, "must be a JSON list of names"),
        ({"labels": ["a", "b", "a"]}, "the label 'a' is there twice; .*fer-stream models label"),
        ({"labels": ["a", "b", "score"]}, "the label 'score' is called like a column"),
        ({"labels": ["a", "b", "c\nd"]}, r"the label 'c\\nd' holds a line break"),
        (
            {"labels": ["a", "b"]},
            r"names 2 labels but gives an output of shape .*expected \(N, 2\)",
        ),
        ({"outputs": 7}, "names 3 labels but gives an output of shape"),
        (
            {"shape": ["N", 8, 6, 3]},
            r"takes tensor\(float\) \['N', 8, 6, 3\]; expected one float32",
        ),
        ({"shape": ["N", "H", "W", 1]}, "expected one float32 input of grey faces"),
        ({"shape": [1, 8, 6, 1]}, "with any number N of faces"),
        ({"shape": ["N", 48]}, "expected one float32 input of grey faces"),
        ({"shape": []}, "expected one float32 input of grey faces"),
        ({"kind": 2}, r"takes tensor\(uint8\)"),
        ({"inputs": 2}, r"takes tensor\(float\) .* and tensor\(float\) "),
        ({"inputs": 0}, "takes nothing; expected one float32 input"),
        ({"temperature": "0"}, "temperature' must be a number above 0"),
        ({"temperature": "warm"}, "temperature' must be a number above 0"),
        ({"temperature": "nan"}, "temperature' must be a number above 0"),
        ({"temperature": "inf"}, "temperature' must be a number above 0"),
        ({"uncertain_below": "1.01"}, "uncertain_below' must be a number from 0 to 1"),
        ({"uncertain_below": "-0.1"}, "uncertain_below' must be a number from 0 to 1"),
        ({"uncertain_below": "often"}, "uncertain_below' must be a number from 0 to 1"),
        ({"uncertain_below": "nan"}, "uncertain_below' must be a number from 0 to 1"),
        ({"accuracy": "{"}, "accuracy' is not valid JSON"),
        ({"softmax": False}, "does not give probabilities .*after softmax"),
        ({"flat": (5, 48)}, "cannot be run: "),
    ],
)
def test_a_model_that_cannot_be_used_is_refused_in_words(
    options: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    path = write_model(tmp_path / "wrong.onnx", **options)
    with pytest.raises(ModelError, match=problem) as caught:
        OnnxClassifier(str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not a model", None])
def test_a_corrupt_file_is_refused(
    content: bytes | None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_model(tmp_path / "bad.onnx")
    path.write_bytes(path.read_bytes()[:200] if content is None else content)
    with pytest.raises(ModelError, match=r"cannot load model .*bad\.onnx: .*; expected a whole"):
        OnnxClassifier(str(path))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("nowhere.onnx", "no such model: "),
        ("", "no such model: "),
        ("a" * 300, "(cannot read|no such) model.* "),  # no file can have such a name
    ],
)
def test_a_missing_model_is_refused(name: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"{problem}.*{name}.*; give the path of an ONNX file"):
        OnnxClassifier(str(tmp_path / name))


def test_the_shipped_model_sees_a_smile(astronaut: Image) -> None:
    classifier = OnnxClassifier()
    frame = make_frame(image=astronaut)
    crop = crop_face(frame, Box(175, 65, 98, 98), classifier.input_size)
    (one,) = classifier.classify(crop[np.newaxis])
    assert one.top == "happy"
