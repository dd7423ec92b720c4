"""What a label may be called."""

from __future__ import annotations

import re

import pytest

from fer_stream.labels import COLUMNS, naming_problem


@pytest.mark.parametrize(
    "label",
    [
        "happy",
        "wütend",
        "快乐",
        "$a_$",
        "b|c",
        "\u062f\u0644\u200c\u0634\u062f",
        "\U0010fffd",
        "Score",
    ],
)
def test_a_label_may_be_one_line_of_any_text(label: str) -> None:
    assert naming_problem(("calm", label)) is None


@pytest.mark.parametrize("label", COLUMNS)
def test_a_column_of_the_csv_is_no_label(label: str) -> None:
    problem = naming_problem(("calm", label))
    assert problem is not None
    assert f"the label '{label}' is called like a column" in problem
    assert "time_s" in problem, "all that no label may be called"


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("calm", ""), "a label is empty"),
        (("calm", " "), "a label is empty"),
        (("calm", "angry", "calm"), "the label 'calm' is there twice"),
        (("calm\n", "angry"), r"the label 'calm\\n' holds a line break"),
        (("calm", "an\u2028gry"), r"the label 'an\\u2028gry' holds a line break"),
        (("calm", "an\x1b[1mgry"), r"the label 'an\\x1b\[1mgry' holds .* control character"),
        (("calm", "\udce4rger"), r"the label '\\udce4rger' is not in UTF-8"),
    ],
)
def test_what_no_label_is_called_is_named_in_one_line(
    labels: tuple[str, ...], expected: str
) -> None:
    problem = naming_problem(labels)
    assert problem is not None
    assert re.search(expected, problem)
    assert problem.isprintable()
