"""The built-in stages, registered through the hooks that every plugin uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer_stream.hookspecs import hookimpl

if TYPE_CHECKING:
    from fer_stream.stages import Classifier, Detector, Filter, Sink, Source, Tracker

# Each hook imports what it registers, so that a command which asks for none loads neither OpenCV
# nor onnxruntime.


@hookimpl
def fer_register_sources() -> list[type[Source]]:
    """Register the built-in sources."""
    from fer_stream.sources.camera import CameraSource
    from fer_stream.sources.demo import DemoSource
    from fer_stream.sources.file import FileSource
    from fer_stream.sources.images import ImagesSource
    from fer_stream.sources.network import NetworkSource

    return [FileSource, CameraSource, ImagesSource, NetworkSource, DemoSource]


@hookimpl
def fer_register_detectors() -> list[type[Detector]]:
    """Register the built-in detectors."""
    from fer_stream.detectors.haar import HaarDetector
    from fer_stream.detectors.onnx import OnnxDetector
    from fer_stream.detectors.yunet import YunetDetector

    return [HaarDetector, OnnxDetector, YunetDetector]


@hookimpl
def fer_register_trackers() -> list[type[Tracker]]:
    """Register the built-in trackers."""
    from fer_stream.trackers.iou import IouTracker
    from fer_stream.trackers.none import NoTracker

    return [IouTracker, NoTracker]


@hookimpl
def fer_register_classifiers() -> list[type[Classifier]]:
    """Register the built-in classifiers."""
    from fer_stream.classifiers.onnx import OnnxClassifier

    return [OnnxClassifier]


@hookimpl
def fer_register_filters() -> list[type[Filter]]:
    """Register the built-in filters."""
    from fer_stream.filters.none import NoFilter
    from fer_stream.filters.smooth import SmoothFilter

    return [SmoothFilter, NoFilter]


@hookimpl
def fer_register_sinks() -> list[type[Sink]]:
    """Register the built-in sinks."""
    from fer_stream.sinks.console import ConsoleSink
    from fer_stream.sinks.csv import CsvSink
    from fer_stream.sinks.episodes import EpisodesSink
    from fer_stream.sinks.jsonl import JsonlSink
    from fer_stream.sinks.overlay import OverlaySink
    from fer_stream.sinks.video import VideoSink

    return [ConsoleSink, CsvSink, EpisodesSink, JsonlSink, VideoSink, OverlaySink]
