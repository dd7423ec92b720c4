"""Every detector that is installed keeps the contract."""

from __future__ import annotations

import numpy as np
import pytest

from fer_stream.plugins import installed
from fer_stream.spec import StageSpec, build
from fer_stream.testing import FakeDetector, check_detector, make_frame
from tests.clips import Image

# yunet runs a user's own file; tests/detectors/test_yunet.py gives it one of its form.
NAMES = sorted(installed().table("detector").keys() - {"yunet"})


@pytest.mark.parametrize("name", NAMES)
def test_a_detector_keeps_the_contract_and_finds_a_face(name: str, astronaut: Image) -> None:
    detector = build(installed().get("detector", name), StageSpec(name))
    (face,) = check_detector(detector, make_frame(image=astronaut))
    assert 175 < face.box.x + face.box.width / 2 < 273
    assert 65 < face.box.y + face.box.height / 2 < 163


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(1, 1), (5, 30), (24, 24), (3, 2000), (1, 3000)])
def test_a_detector_bears_frames_of_any_size(name: str, size: tuple[int, int]) -> None:
    detector = build(installed().get("detector", name), StageSpec(name))
    noise = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    check_detector(detector, make_frame(image=noise))


def test_the_fake_detector_keeps_the_contract() -> None:
    assert len(check_detector(FakeDetector(), make_frame())) == 1
