"""What a source costs on this machine, stage by stage, and how many such streams it could carry."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fer_stream.cli.measured import Clocks, CountingSink, CpuClock, MeasuredClassifier
from fer_stream.config import RunConfig
from fer_stream.cores import usable_cores
from fer_stream.engine.classifier_threads import thread_count
from fer_stream.engine.engine import Engine
from fer_stream.errors import ConfigError
from fer_stream.parts import make_parts
from fer_stream.plugins import Plugins
from fer_stream.spec import StageSpec
from fer_stream.stages import Classifier, Source
from fer_stream.types import StreamInfo

LOAD = 0.8
"""Share of the cores that streams may take: a full machine drops frames."""
USUAL_FPS = 25.0
"""Of a source that does not say."""
_BATCHES = (1, 16)  # faces
_BATCHES_S = 0.3  # how long the classifier is measured by itself, for each size


@dataclass(frozen=True, slots=True)
class Cost:
    """What a stage takes."""

    name: str
    ms_per_frame: float
    """CPU milliseconds for each frame of the video."""
    ms_per_call: float | None
    """CPU milliseconds each time that it is called; None for what is not a stage."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What was measured, and what follows from it."""

    source: str
    width: int
    height: int
    fps: float
    """Frames per second of one stream."""
    model: str
    detector: str
    detect_every: int | None
    """As asked for; None: as the picture asked for it."""
    analyse_fps: float | None
    """As asked for; None: every frame."""
    searched: float
    """Frames for each one that was searched."""
    frames: int
    faces_per_frame: float
    stages: list[Cost]
    ms_per_frame: float
    """CPU milliseconds of the whole process for each frame."""
    frames_per_s: float
    """By the clock on the wall, one video by itself."""
    ms_per_face: dict[int, float]
    """CPU milliseconds of the classifier, by how many faces it gets at once."""
    cores: int
    classifier_threads: int
    """Of one run, for all its streams."""
    load: float = LOAD

    @property
    def cpu_s_per_s(self) -> float:
        """CPU seconds for a second of one stream."""
        return self.fps * self.ms_per_frame / 1e3

    @property
    def streams(self) -> int:
        """How many such streams the cores carry."""
        return int(self.cores * self.load / self.cpu_s_per_s)

    @property
    def streams_per_run(self) -> int:
        """How many of them one run carries: a few threads classify for all, in turn they filter."""
        ms = {cost.name: cost.ms_per_frame for cost in self.stages}
        shared_ms = max(ms["classify"] / self.classifier_threads, ms["filter"])
        return min(self.streams, int(self.load / (self.fps * shared_ms / 1e3 or 1e-9)))

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain JSON values."""
        derived = ("cpu_s_per_s", "streams", "streams_per_run")
        return {**asdict(self), **{name: getattr(self, name) for name in derived}}


class _Tally:
    """What several rounds add up to."""

    def __init__(self) -> None:
        self.clocks = Clocks()
        self.decode_cpu_s = self.cpu_s = self.wall_s = 0.0
        self.decoded = self.frames = self.faces = 0


def check(config: RunConfig, plugins: Plugins) -> None:
    """Make and open all that is to be measured, and leave it again.

    Raises `FerStreamError` for what cannot be opened, `ConfigError` for a source that is live or
    not a video.
    """
    source = make_parts(config, plugins).plans[0].origin.new_source()
    _opened(source)
    source.close()


def measure(config: RunConfig, plugins: Plugins, seconds: float, name: str) -> Capacity:
    """Read the source alone and run the engine over it, in turn, for about so many seconds."""
    tally, end_s = _Tally(), time.monotonic() + seconds
    while True:
        start_s = time.monotonic()
        parts = make_parts(config, plugins)
        plan, classifier = parts.plans[0], parts.classifier
        info = _read_alone(plan.origin.new_source(), tally, seconds / 4)
        sink = CountingSink(tally.clocks.sink)
        engine = Engine(
            [tally.clocks.measured(plan)],
            MeasuredClassifier(classifier, tally.clocks.classify),
            [sink],
            parts.run,
        )
        _run(engine, tally, seconds * 3 / 4)
        tally.faces += sink.faces
        # Another round like this one, only if most of it fits.
        if time.monotonic() + (time.monotonic() - start_s) / 2 > end_s:
            break
    return _capacity(config, info, classifier, tally, name)


def _opened(source: Source) -> StreamInfo:
    """Open a source that is a video file; refuse any other."""
    if source.live:
        raise _not_a_video(f"source '{source.name}' is live")
    info = source.open()
    if info.live or info.stills:
        source.close()
        raise _not_a_video(f"{info.source_id} is {'live' if info.live else 'no video'}")
    return info


def _read_alone(source: Source, tally: _Tally, most_s: float) -> StreamInfo:
    info = _opened(source)
    try:
        # The whole process's time: a decoder has threads of its own.
        start_cpu_s, end_s = time.process_time(), time.monotonic() + most_s
        for _ in source.frames():
            tally.decoded += 1
            if time.monotonic() >= end_s:
                break
        tally.decode_cpu_s += time.process_time() - start_cpu_s
    finally:
        source.close()
    return info


def _run(engine: Engine, tally: _Tally, most_s: float) -> None:
    end_s = time.monotonic() + most_s
    start_s, start_cpu_s = time.perf_counter(), time.process_time()
    engine.start()
    for _ in engine.results():
        if time.monotonic() >= end_s:
            engine.request_stop()
    tally.wall_s += time.perf_counter() - start_s
    tally.cpu_s += time.process_time() - start_cpu_s
    tally.frames += engine.frames_done


def _capacity(
    config: RunConfig, info: StreamInfo, classifier: Classifier, tally: _Tally, name: str
) -> Capacity:
    clocks, frames = tally.clocks, tally.frames
    if not frames or not tally.decoded:
        raise ConfigError("no frame was read in that time; give --seconds more")
    decode_ms = tally.decode_cpu_s / tally.decoded * 1e3
    costs = [
        Cost("decode", decode_ms, decode_ms),
        _cost("detect", clocks.detect, frames),
        _cost("track", clocks.track, frames),
        _cost("classify", clocks.classify, frames),
        _cost("filter", clocks.filter, frames),
        _cost("sink", clocks.sink, frames),
    ]
    all_ms = tally.cpu_s / frames * 1e3
    rest_ms = max(all_ms - sum(cost.ms_per_frame for cost in costs), 0.0)
    return Capacity(
        source=name,
        width=info.width,
        height=info.height,
        fps=info.fps or USUAL_FPS,
        model=classifier.model_name,
        detector=_asked(config.sized_detector),
        detect_every=config.detect_every,
        analyse_fps=config.analyse_fps,
        searched=frames / max(clocks.detect.calls, 1),
        frames=frames,
        faces_per_frame=tally.faces / frames,
        stages=[*costs, Cost("handing on", rest_ms, None)],
        ms_per_frame=all_ms,
        frames_per_s=frames / tally.wall_s,
        ms_per_face={faces: _ms_per_face(classifier, faces) for faces in _BATCHES},
        cores=usable_cores(),
        classifier_threads=thread_count(classifier),
    )


def _cost(name: str, clock: CpuClock, frames: int) -> Cost:
    total_ms = clock.cpu_s * 1e3
    return Cost(name, total_ms / frames, total_ms / clock.calls if clock.calls else None)


def _ms_per_face(classifier: Classifier, faces: int) -> float:
    shape = (faces, *classifier.input_size)
    crops = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    classifier.classify(crops)  # the first batch of a size takes memory
    calls, start_s, end_s = 0, time.thread_time(), time.monotonic() + _BATCHES_S
    while not calls or time.monotonic() < end_s:
        classifier.classify(crops)
        calls += 1
    return (time.thread_time() - start_s) / (calls * faces) * 1e3


def _asked(spec: StageSpec) -> str:
    query = "&".join(f"{key}={value}" for key, value in spec.options.items())
    return f"{spec}?{query}" if query else str(spec)


def _not_a_video(why: str) -> ConfigError:
    return ConfigError(
        f"{why}, and bench measures a video file; record some seconds of what it shall read, as "
        "with: ffmpeg -i rtsp://camera/1 -c copy -t 20 clip.mkv"
    )
