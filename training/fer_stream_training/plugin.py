"""What this package offers to `fer-stream` through its public hooks.

Imports nothing heavy: `fer-stream --help` loads this module.
"""

from __future__ import annotations

import click

from fer_stream.hookspecs import hookimpl

from .commands.distil import distil
from .commands.evaluate import evaluate
from .commands.export import export
from .commands.prepare import prepare
from .commands.quantise import quantise
from .commands.train import train
from .commands.train_detector import train_detector


@hookimpl
def fer_register_commands() -> list[click.Command]:
    """Offer `fer-stream prepare`, `train`, `distil`, `train-detector`, `evaluate`, `export`,
    `quantise`."""
    return [prepare, train, distil, train_detector, evaluate, export, quantise]
