"""Every filter that is installed keeps the contract."""

from __future__ import annotations

import pytest

from fer_stream.plugins import installed
from fer_stream.spec import StageSpec, build
from fer_stream.testing import check_filter


@pytest.mark.parametrize("name", sorted(installed().table("filter")))
def test_a_filter_keeps_the_contract(name: str) -> None:
    check_filter(build(installed().get("filter", name), StageSpec(name)))
