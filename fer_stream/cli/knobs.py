"""The options that trade speed for attention, for every command that runs the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

_KNOBS = (
    click.option(
        "--detect-every",
        type=click.IntRange(min=1),
        metavar="N",
        help="Search every N-th frame for faces; follow them in between. [default: about three "
        "times a second where the picture changes, once where it does not]",
    ),
    click.option(
        "--detect-size",
        type=int,  # each detector has its own least
        metavar="PX",
        help="Long side that the frame is shrunk to for the search: larger is finer, and takes "
        "longer. [default: the detector's; at least 32 with onnx and yunet, 24 with haar]",
    ),
    click.option(
        "--analyse-fps",
        type=click.FloatRange(min=0, min_open=True),
        metavar="N",
        help="Read the emotions of N frames a second; the others only appear in pictures. "
        "[default: all frames]",
    ),
)


def knobs(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add them to a command's function."""
    for option in reversed(_KNOBS):
        command = option(command)
    return command


def given(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of a command's flags that somebody has given; a 0 is one, and an empty text."""
    return {key: value for key, value in flags.items() if value not in (None, ())}
