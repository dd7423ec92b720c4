"""The commands of the training package, as long as that is not installed."""

from __future__ import annotations

import click

from fer_stream.errors import PluginError
from fer_stream.plugins import installed

_EVERYTHING = "fer-stream[train]"
_ON_A_GPU = "fer-stream-training[jax]"
_WITHOUT_TENSORFLOW = "fer-stream-training"


def _stand_in(name: str, what: str, install: str) -> click.Command:
    """A command `name` that says how to get the real one."""

    @click.command(
        name,
        context_settings={"ignore_unknown_options": True, "help_option_names": []},
        short_help=f"{what} (needs fer-stream-training).",
    )
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def command(arguments: tuple[str, ...]) -> None:  # noqa: ARG001 - whatever they are
        broken = [f for f in installed().failures if f.plugin.startswith("fer-stream-training")]
        if broken:
            raise PluginError(f"{broken[0].plugin} failed to load: {broken[0].reason}")
        raise PluginError(
            f"fer-stream {name} is part of the training package, which is not installed; "
            f'install it with: pip install "{install}"'
        )

    return command


STAND_INS = (
    _stand_in("train", "Train a model", _EVERYTHING),
    _stand_in("distil", "Train large networks on a GPU, and a small one by them", _ON_A_GPU),
    _stand_in("train-detector", "Train a face detector", _EVERYTHING),
    _stand_in("export", "Export a Keras model to ONNX", _EVERYTHING),
    _stand_in("quantise", "Make a model's int8 twin", _EVERYTHING),
    _stand_in("evaluate", "Measure a model on labelled faces", _WITHOUT_TENSORFLOW),
    _stand_in("prepare", "Write FER-2013 as folders of images", _WITHOUT_TENSORFLOW),
)
"""Each gives way to a plugin's command of its name."""
