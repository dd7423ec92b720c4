"""Every classifier that is installed keeps the contract."""

from __future__ import annotations

import pytest

from fer_stream.plugins import installed
from fer_stream.spec import StageSpec, build
from fer_stream.testing import FakeClassifier, check_classifier


@pytest.mark.parametrize("name", sorted(installed().table("classifier")))
def test_a_classifier_keeps_the_contract(name: str) -> None:
    check_classifier(build(installed().get("classifier", name), StageSpec(name)))


def test_the_fake_classifier_keeps_the_contract() -> None:
    check_classifier(FakeClassifier())
