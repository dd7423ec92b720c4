"""The changes to faces on the device that learns are those of the CPU's augmentation."""

from __future__ import annotations

import importlib.util
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from fer_stream_training import augment as ranges

from tests.needs import refuse

pytestmark = pytest.mark.slow
COUNT = 256


@pytest.fixture(scope="module")
def changes() -> Any:
    """The module under test; skips without JAX, on CI its absence is a failure."""
    if importlib.util.find_spec("jax") is None:
        refuse("distilling needs jax")
    from fer_stream_training.distil import faces

    return faces


@pytest.fixture(scope="module")
def face() -> npt.NDArray[np.float32]:
    """One soft picture of 48x48 px, without symmetries."""
    spots = np.random.default_rng(3).uniform(40, 215, (8, 8)).astype(np.float32)
    return cv2.resize(spots, (48, 48), interpolation=cv2.INTER_CUBIC).clip(0, 255)


def changed(
    changes: Any, face: npt.NDArray[np.float32], strength: float, degrade: float, erase: float
) -> npt.NDArray[np.float32]:
    import jax

    many = np.stack([face] * COUNT).round().astype(np.uint8)
    key = jax.random.key(1)
    given = [np.float32(value) for value in (strength, degrade, erase)]
    return np.asarray(changes.augment(key, many, *given), np.float32)


def near(one: npt.NDArray[np.float32], many: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The mean difference of each of ``many`` from ``one``, in grey levels."""
    return np.abs(many - one).mean(axis=(-2, -1))


def test_without_strength_half_are_mirrored_and_none_is_changed(changes: Any, face: Any) -> None:
    result, whole = changed(changes, face, 0, 0, 0), face.round()
    as_is, mirrored = near(whole, result) < 0.01, near(whole[:, ::-1], result) < 0.01
    assert (as_is | mirrored).all()
    assert 0.35 < mirrored.mean() < 0.65


def test_faces_move_turn_and_grow_within_the_ranges(changes: Any) -> None:
    spot = np.zeros((48, 48), np.float32)
    spot[22:26, 22:26] = 200
    result = changed(changes, spot, 1, 0, 0)
    result = result - np.median(result, axis=(1, 2), keepdims=True)
    weights = result.clip(60) - 60
    places = np.arange(48) - 23.5
    x = (weights.sum(axis=1) * places).sum(axis=1) / weights.sum(axis=(1, 2))
    y = (weights.sum(axis=2) * places).sum(axis=1) / weights.sum(axis=(1, 2))
    for away in (x, y):
        assert np.abs(away).max() <= ranges.MAX_SHIFT_PX + 0.5
        assert np.abs(away).max() > ranges.MAX_SHIFT_PX * 0.9
        assert abs(away.mean()) < 0.5

    bar = np.zeros((48, 48), np.float32)
    bar[23:25, 8:40] = 200
    angles, lengths = zip(*map(_line, changed(changes, bar, 1, 0, 0)), strict=True)
    steepest = ranges.MAX_ROTATION_DEG + np.rad2deg(changes.MAX_SHEAR)
    assert 0.8 * ranges.MAX_ROTATION_DEG < np.abs(angles).max() < steepest + 2
    low, high = np.percentile(np.array(lengths) / _line(bar)[1], (2, 98))
    assert 0.8 < low < 0.95
    assert 1.05 < high < 1.25


def _line(picture: npt.NDArray[np.float32]) -> tuple[float, float]:
    """The angle in degrees and the length of a bright bar on a dark ground."""
    y, x = np.nonzero(picture > picture.min() + 80)
    spread = np.cov(np.stack([x, y]).astype(float))
    values, axes = np.linalg.eigh(spread)
    along = axes[:, 1] * np.sign(axes[0, 1])
    return float(np.rad2deg(np.arctan2(along[1], along[0]))), float(np.sqrt(values[1]))


def test_light_and_contrast_change_within_the_ranges(changes: Any) -> None:
    halves = np.full((48, 48), 100, np.float32)
    halves[24:] = 140
    import jax

    many = np.stack([halves] * COUNT)
    result = np.asarray(changes._relit(jax.random.key(0), many, 1.0))
    light = result.mean(axis=(1, 2)) - 120
    contrast = (result[:, 40, 0] - result[:, 8, 0]) / 40
    assert 0.9 * ranges.MAX_BRIGHTNESS < np.abs(light).max() <= ranges.MAX_BRIGHTNESS + 0.01
    low, high = ranges.CONTRAST_RANGE
    assert low - 0.001 <= contrast.min() < low + 0.05
    assert high - 0.05 < contrast.max() <= high + 0.001
    assert abs(np.corrcoef(light, contrast)[0, 1]) < 0.2, "contrast turns about the face's mean"


def test_a_share_of_the_faces_is_degraded_in_four_ways(changes: Any, face: Any) -> None:
    result = changed(changes, face, 0, 0.25, 0)
    differs = np.minimum(near(face.round(), result), near(face.round()[:, ::-1], result)) > 0.05
    assert 0.15 < differs.mean() < 0.35


def test_coarse_and_blurred_faces_are_what_opencv_makes(changes: Any, face: Any) -> None:
    for by, side in zip(changes._coarsening(), range(*ranges.COARSE_PX), strict=True):
        small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
        expected = cv2.resize(small, (48, 48), interpolation=cv2.INTER_LINEAR)
        np.testing.assert_allclose(by @ face @ by.T, expected, atol=0.02)

    noisy = face + np.random.default_rng(0).normal(0, 20, face.shape).astype(np.float32)
    everything = changed(changes, noisy.clip(0, 255), 0, 1, 0)
    deviations = np.linspace(*ranges.BLUR_PX, 27)
    blurred = [cv2.GaussianBlur(noisy.clip(0, 255), (0, 0), deviation) for deviation in deviations]
    inner = np.s_[..., 6:-6, 6:-6]  # the border is filled in another way
    best = np.min(
        [np.minimum(near(b[inner], everything[inner]), near(b[:, ::-1][inner], everything[inner]))
         for b in blurred],
        axis=0,
    )  # fmt: skip
    assert 0.15 < (best < 0.5).mean() < 0.35, "a quarter of the degraded"


@pytest.mark.parametrize("quality", [15, 30, 49, 50, 60])
def test_blocky_faces_are_what_jpeg_leaves(changes: Any, face: Any, quality: int) -> None:
    whole = face.round()
    (mine,) = np.asarray(changes._blocky(whole[None], np.full((1, 1, 1), quality, np.float32)))
    _, encoded = cv2.imencode(".jpg", whole.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    theirs = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE).astype(np.float32)
    assert near(mine, theirs) < 0.6, "but for rounding to whole grey levels"
    assert near(whole, theirs) > 1


def test_a_share_of_the_faces_loses_a_rectangle(changes: Any) -> None:
    grey = np.full((48, 48), 128, np.float32)
    result = changed(changes, grey, 0, 0, 0.3)
    lost = np.abs(result - 128) > 0.5
    share = lost.any(axis=(1, 2))
    assert 0.2 < share.mean() < 0.4
    areas = lost.mean(axis=(1, 2))[share]
    low, high = ranges.ERASED_AREA
    assert low * 0.8 < areas.min() < low * 2
    assert high * 0.8 < areas.max() < high * 1.1
    for one in lost[share]:
        rows, columns = np.nonzero(one.any(axis=1))[0], np.nonzero(one.any(axis=0))[0]
        assert one[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    levels = np.array(
        [picture[where][0] for picture, where in zip(result, lost, strict=True) if where.any()]
    )
    assert levels.min() < 60
    assert levels.max() > 195


def test_blends_keep_the_larger_part_of_each_face(changes: Any) -> None:
    import jax

    shares = changes.mixup_shares(0.2)
    assert shares.shape == (4096,)
    assert 0 <= shares.min() < shares.max() <= 0.5
    drawn = np.random.default_rng(1).beta(0.2, 0.2, 100_000)
    assert shares.mean() == pytest.approx(np.minimum(drawn, 1 - drawn).mean(), abs=0.002)
    assert not changes.mixup_shares(0).any()

    levels = np.arange(100, dtype=np.float32)
    faces = np.broadcast_to(levels[:, None, None], (100, 48, 48))
    targets = np.eye(100, dtype=np.float32)
    blended, mixed = map(np.asarray, changes.mixed(jax.random.key(0), faces, targets, shares))
    np.testing.assert_allclose(mixed.sum(axis=1), 1, atol=1e-6)
    assert (mixed.argmax(axis=1) == levels).all()
    np.testing.assert_allclose(blended[:, 0, 0], mixed @ levels, atol=1e-3)
    assert (mixed.max(axis=1) < 0.99).sum() > 20
