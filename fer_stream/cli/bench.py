"""`fer-stream bench`: what this machine can do with a source, a model and a detector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fer_stream.cli.knobs import given, knobs
from fer_stream.errors import ConfigError
from fer_stream.words import counted

if TYPE_CHECKING:
    from pathlib import Path

    from rich.table import Table

    from fer_stream.cli.capacity import Capacity
    from fer_stream.config import RunConfig
    from fer_stream.plugins import Plugins
    from fer_stream.stages import Source


@click.command(short_help="Measure what this machine can do with a source and model.")
@click.option(
    "--source",
    default="demo",
    metavar="FILE",
    help="A video file such as your camera gives; demo: the demo as a video.  [default: demo]",
)
@click.option("--model", metavar="PATH", help="A self-describing ONNX model. [default: shipped]")
@click.option("--detector", metavar="NAME", help="[default: onnx]")
@knobs
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="How long to measure; a short file is read again and again, a long one in part.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def bench(source: str, seconds: float, as_json: bool, **flags: Any) -> None:
    """Measure what this machine can do with a source, a model and a detector.

    Runs the real engine over a video as fast as it goes, with a sink that keeps nothing, and
    reading the video alone. CPU milliseconds are those of one core; `handing on` is what the run
    took beyond its stages. The number of streams is an estimate:

    \b
    streams = cores x 0.8 / (frames/s of one stream x CPU seconds per frame)

    For a camera, record some seconds of it and measure the file.
    """
    import json
    import tempfile
    from pathlib import Path

    from fer_stream.cli.capacity import check, measure
    from fer_stream.cli.process import prepare_process
    from fer_stream.config import make_config
    from fer_stream.plugins import installed
    from fer_stream.urls import without_password

    prepare_process()
    settings = {"source": source, **given(flags)}
    plugins = installed()
    config = make_config(settings, plugins)
    check(config, plugins)
    name = without_password(source)
    click.echo(f"measuring {name}, about {seconds:g} s", err=True)
    if config.source[0].name == "demo":
        with tempfile.TemporaryDirectory() as folder:
            clip = _recorded(config, plugins, Path(folder))
            config = make_config({**settings, "source": str(clip)}, plugins)
            found = measure(config, plugins, seconds, name)
    else:
        found = measure(config, plugins, seconds, name)
    if as_json:
        click.echo(json.dumps(found.as_dict(), indent=2))
    else:
        _show(found)


def _recorded(config: RunConfig, plugins: Plugins, folder: Path) -> Path:
    """Write the demo as an H.264 video: drawing it costs more than all that is measured."""
    import av

    from fer_stream.spec import build

    if "libx264" not in av.codecs_available:
        raise ConfigError(
            "this av cannot write the demo as H.264; give bench a video file: --source FILE"
        )
    spec = config.source[0]
    source: Source = build(plugins.get("source", spec.name), spec)
    info = source.open()
    path = folder / "demo.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=round(info.fps or 25))
        stream.width, stream.height, stream.pix_fmt = info.width, info.height, "yuv420p"
        for frame in source.frames():
            picture = av.VideoFrame.from_ndarray(frame.image, format="bgr24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    source.close()
    return path


def _show(found: Capacity) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    head, foot = _lines(found)
    console.print("\n".join(head), soft_wrap=True)
    console.print(_table(found))
    console.print("\n".join(foot), soft_wrap=True)


def _table(found: Capacity) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("stage")
    for column in ("CPU ms a frame", "share", "CPU ms a call"):
        table.add_column(column, justify="right")
    for cost in found.stages:
        call = "" if cost.ms_per_call is None else f"{cost.ms_per_call:.3f}"
        share = cost.ms_per_frame / found.ms_per_frame
        table.add_row(cost.name, f"{cost.ms_per_frame:.3f}", f"{share:.0%}", call)
    table.add_section()
    table.add_row("all", f"{found.ms_per_frame:.3f}", "100%", "")
    return table


def _lines(found: Capacity) -> tuple[list[str], list[str]]:
    """Return what stands above the table and what below."""
    by_batch = found.ms_per_face.items()
    cores = counted(found.cores, "core")
    head = [
        f"{found.source}: {found.width}x{found.height}, {found.fps:.4g} frames/s, "
        f"{found.faces_per_frame:.2f} faces a frame; {counted(found.frames, 'frame')} measured",
        f"model {found.model}; detector {found.detector}, one frame in {found.searched:.1f}",
    ]
    foot = [
        f"{found.frames_per_s:.0f} frames/s with {cores}, reading nothing beside it",
        "the classifier takes "
        + ", ".join(f"{ms:.2f} CPU ms a face in batches of {n}" for n, ms in by_batch),
        f"a stream of {found.fps:.4g} frames/s takes {found.cpu_s_per_s:.3f} CPU seconds a second: "
        f"{cores} at {found.load:.0%} load carry about {found.streams}",
    ]
    if found.streams > found.streams_per_run:
        foot.append(
            f"one run carries about {found.streams_per_run} of them, because it classifies on "
            f"{counted(found.classifier_threads, 'thread')}: spread them over several runs"
        )
    return head, foot
