"""Facial emotions from video as it streams.

for result in fer_stream.stream("talk.mp4"):
    for face in result.faces:
        print(result.frame.time_s, face.track_id, face.scores.top, face.scores.top_score)
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from fer_stream.hookspecs import hookimpl

if TYPE_CHECKING:
    from fer_stream.api import stream
    from fer_stream.errors import (
        ConfigError,
        FerStreamError,
        IncompleteError,
        ModelError,
        PluginError,
        SinkError,
        SourceError,
        StageError,
        StopStream,
    )
    from fer_stream.frames import new_frame
    from fer_stream.pictures import PictureReader
    from fer_stream.stages import Classifier, Detector, Filter, Sink, Source, Tracker
    from fer_stream.types import (
        Box,
        Detection,
        EmotionScores,
        Face,
        Frame,
        FrameResult,
        RunInfo,
        SourceStatus,
        StreamInfo,
        Track,
    )

__version__ = "0.1.0"

# ONNX Runtime from 1.32 reports its use to Microsoft and keeps a device id in the home folder, once
# it is imported and unless this was set before. Nothing may leave the machine by itself.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_EXPORTS = {
    "api": ("stream",),
    "errors": (
        "ConfigError",
        "FerStreamError",
        "IncompleteError",
        "ModelError",
        "PluginError",
        "SinkError",
        "SourceError",
        "StageError",
        "StopStream",
    ),
    "frames": ("new_frame",),
    "pictures": ("PictureReader",),
    "stages": ("Classifier", "Detector", "Filter", "Sink", "Source", "Tracker"),
    "types": (
        "Box",
        "Detection",
        "EmotionScores",
        "Face",
        "Frame",
        "FrameResult",
        "RunInfo",
        "SourceStatus",
        "StreamInfo",
        "Track",
    ),
}
_HOME = {name: module for module, names in _EXPORTS.items() for name in names}

__all__ = [
    "Box",
    "Classifier",
    "ConfigError",
    "Detection",
    "Detector",
    "EmotionScores",
    "Face",
    "FerStreamError",
    "Filter",
    "Frame",
    "FrameResult",
    "IncompleteError",
    "ModelError",
    "PictureReader",
    "PluginError",
    "RunInfo",
    "Sink",
    "SinkError",
    "Source",
    "SourceError",
    "SourceStatus",
    "StageError",
    "StopStream",
    "StreamInfo",
    "Track",
    "Tracker",
    "hookimpl",
    "new_frame",
    "stream",
]


if not TYPE_CHECKING:  # a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        # numpy alone costs as much as the rest of `fer-stream --help`: import on first use.
        if name not in _HOME:
            raise AttributeError(f"module 'fer_stream' has no attribute '{name}'")
        return getattr(importlib.import_module(f"fer_stream.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
