"""Every tracker that is installed keeps the contract."""

from __future__ import annotations

import pytest

from fer_stream.plugins import installed
from fer_stream.spec import StageSpec, build
from fer_stream.testing import check_tracker, make_frame
from tests.clips import Image

NAMES = sorted(installed().table("tracker"))


@pytest.mark.parametrize("name", NAMES)
def test_a_tracker_keeps_the_contract_and_reports_a_face(name: str, astronaut: Image) -> None:
    frames = [make_frame(index, image=astronaut) for index in range(12)]
    answers = check_tracker(build(installed().get("tracker", name), StageSpec(name)), frames)
    assert any(answers)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(1, 1), (3, 2000)])
def test_a_tracker_bears_frames_of_any_size(name: str, size: tuple[int, int]) -> None:
    noise = make_frame().grey
    image = noise.repeat(40, axis=1)[: size[0], : size[1]]
    frames = [make_frame(index, image=image) for index in range(6)]
    check_tracker(build(installed().get("tracker", name), StageSpec(name)), frames)
