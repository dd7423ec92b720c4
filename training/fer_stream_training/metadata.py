"""Writing what a model file says about itself, for `fer_stream.models` to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fer_stream.models.info import PREFIX, Layout

from . import __version__

if TYPE_CHECKING:
    import onnx


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """What a model file carries in its ONNX ``metadata_props``; defaults are left out of it."""

    name: str
    labels: tuple[str, ...]  # in output order
    height: int  # px
    width: int  # px
    layout: Layout = "NHWC"
    trained_on: str = ""  # plain text, such as "FER-2013 Training, 28,709 images"
    accuracy_data: str = ""  # such as "FER-2013 PublicTest"
    accuracy_images: int = 0
    accuracy: float = 0.0  # 0..1
    temperature: float = 1.0  # the runtime applies p ** (1 / temperature), normalised again
    uncertain_below: float = 0.0  # 0..1, of the top score with the temperature applied

    def as_properties(self) -> dict[str, str]:
        """The ``metadata_props``, all strings."""
        shape = {"height": self.height, "width": self.width, "layout": self.layout}
        properties = {
            "name": self.name,
            "labels": json.dumps(list(self.labels)),
            "input": json.dumps({**shape, "range": [0, 255], "colour": "grey"}),
        }
        if self.trained_on:
            properties["trained_on"] = self.trained_on
        if self.accuracy_images:
            properties["accuracy"] = json.dumps(
                {
                    "data": self.accuracy_data,
                    "images": self.accuracy_images,
                    "accuracy": round(self.accuracy, 6),
                }
            )
        if self.temperature != 1.0:
            properties["temperature"] = f"{self.temperature:.4f}"
        if self.uncertain_below:
            properties["uncertain_below"] = f"{self.uncertain_below:.4f}"
        return own_properties(properties)


def own_properties(properties: Mapping[str, str]) -> dict[str, str]:
    """``metadata_props`` of a file of ours: ``properties`` under our prefix, and who wrote it."""
    every = {**properties, "exporter": f"fer-stream-training {__version__}"}
    # What is called after a folder or file need not be Unicode.
    return {
        f"{PREFIX}{key}": value.encode(errors="backslashreplace").decode()
        for key, value in every.items()
    }


def write_metadata(model: onnx.ModelProto, metadata: ModelMetadata) -> None:
    """Put ``metadata`` into an ``onnx.ModelProto``, in the place of what it had."""
    import onnx

    onnx.helper.set_model_props(model, metadata.as_properties())
