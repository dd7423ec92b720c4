"""`fer-stream run`: sources in, emotions out."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from fer_stream.cli.knobs import given, knobs
from fer_stream.errors import ConfigError, FerStreamError

if TYPE_CHECKING:
    from fer_stream.config import RunConfig
    from fer_stream.engine.engine import Engine
    from fer_stream.engine.stats import RunStats

Handler: TypeAlias = Callable[[int, object], None]

_ASKED = (signal.SIGINT, signal.SIGTERM)
_HANGUP = getattr(signal, "SIGHUP", None)  # a terminal was closed; Windows has none


@click.command(short_help="Read sources and send the faces' emotions to sinks.")
@click.option(
    "--source",
    multiple=True,
    help="A camera's number, a video file ('-': standard input), a folder or glob of pictures, "
    "rtsp:// or http://, 'demo', or NAME:TARGET?option=value; 'door=rtsp://...' calls it door. "
    "May be repeated.",
)
@click.option(
    "--sink",
    multiple=True,
    help="console (unless you name another), overlay, csv:FILE, jsonl:FILE, episodes:FILE, "
    "video:FILE, mqtt://BROKER, or one of a plugin. May be repeated.",
)
@click.option("--model", metavar="PATH", help="A self-describing ONNX model. [default: shipped]")
@click.option("--detector", metavar="NAME", help="[default: onnx]")
@click.option("--tracker", metavar="NAME", help="iou, or none for every frame by itself.")
@click.option("--filter", multiple=True, metavar="NAME", help="smooth, or none. May be repeated.")
@click.option("--classifier", metavar="NAME", help="[default: onnx]")
@knobs
@click.option(
    "--mode",
    type=click.Choice(["auto", "file", "live"]),
    help="file: sources are recordings that must be whole; live: only the newest frame counts, "
    "what is lost is opened again, and a film comes at its own pace, as from a camera; auto: as "
    "each says of itself. [default: auto]",
)
@click.option(
    "--on-sink-error",
    type=click.Choice(["auto", "stop", "continue"]),
    help="When a sink fails: auto stops over files, and goes on and tries it again live. "
    "[default: auto]",
)
@click.option(
    "--metrics",
    metavar="HOST:PORT",
    help="Serve /metrics for Prometheus, /healthz and /readyz there, such as at 127.0.0.1:9464.",
)
@click.option("--profile", is_flag=True, help="At the end, show where the time went.")
@click.option(
    "--plugin", multiple=True, metavar="FILE", help="A Python file with stages. May be repeated."
)
@click.option("--config", metavar="FILE", help="A TOML file with these settings; flags win.")
@click.pass_obj
def run(late: Handler | None, /, config: str | None, profile: bool, **flags: Any) -> None:
    """Read sources and send the faces' emotions to sinks.

    Ends at the end of its files, at Ctrl-C or SIGTERM (exit code 0; what was read is still
    written; a second one ends at once), or when a window or its terminal is closed. A camera or
    stream that is not there, or was lost, is tried again until then. `fer-stream plugins` lists
    all sources, sinks and other stages with their options.

    \b
    fer-stream run --source 0 --sink overlay
    fer-stream run --source talk.mp4 --sink csv:talk.csv --sink video:seen.mp4
    fer-stream run --source door=rtsp://camera/1 --sink jsonl:-
    """
    with _on_signal(_leave):
        run_config, engine = _prepared(config, flags)
    # Rows on standard output may be seen in the terminal that the bar is drawn in.
    bar = all(s.name not in {"console", "overlay"} and s.target != "-" for s in run_config.sink)
    try:
        _run_until_stopped(engine, run_config.metrics, late, bar=bar, profile=profile)
    except FerStreamError as error:
        _leave_if_blocked(engine, error)
        raise
    _leave_if_blocked(engine, None)


def _prepared(config: str | None, flags: dict[str, Any]) -> tuple[RunConfig, Engine]:
    from fer_stream.cli.process import prepare_process
    from fer_stream.config import make_config, read_toml
    from fer_stream.parts import make_engine
    from fer_stream.plugins import with_given

    prepare_process()
    settings = {} if config is None else read_toml(config)
    settings.update(given(flags))
    settings.setdefault("sink", ["console"])
    for flag, other in (("model", "classifier"), ("classifier", "model")):
        if flags[flag] and not flags[other]:  # two words for one thing: the flag wins over both
            settings.pop(other, None)
    plugins = with_given(_plugin_files(settings.get("plugin", ())))
    run_config = make_config(settings, plugins)
    return run_config, make_engine(run_config, plugins)


@contextmanager
def _monitored(stats: RunStats, address: str) -> Iterator[Callable[[], None]]:
    """Tell who asks, and systemd's watchdog, how the run is; yield what its loop has to call."""
    from fer_stream.monitoring.watchdog import watched

    with watched(stats) as tell, _served(stats, address) as note:

        def tick() -> None:
            tell()
            note()

        yield tick


def _served(stats: RunStats, address: str) -> AbstractContextManager[Callable[[], None]]:
    if not address:
        return nullcontext(lambda: None)
    from fer_stream.monitoring.server import monitored  # 20 ms: it loads an HTTP server

    return monitored(stats, address)


def _run_until_stopped(
    engine: Engine, metrics: str, late: Handler | None, *, bar: bool, profile: bool
) -> None:
    from fer_stream.cli.profile import profiled
    from fer_stream.cli.progress import RunProgress

    asked = False

    def stop(number: int, _frame: object) -> None:
        nonlocal asked
        asked = True
        if not engine.has_begun:
            sys.exit(0)  # an orderly end too, for nothing has been read yet
        engine.request_stop()
        if number == _HANGUP:  # the shell tells of it once more, maybe when the run is over
            signal.signal(number, signal.SIG_IGN)
        for one in _ASKED:
            signal.signal(one, _force)

    with _on_signal(stop, late), _monitored(engine.stats, metrics) as tick:
        try:
            engine.start()
        except FerStreamError:
            if asked:  # the signal broke off an opening that waited for the network
                sys.exit(0)
            raise
        table = profiled(engine) if profile else nullcontext()
        with closing(engine), table, RunProgress(engine, bar=bar) as progress:

            def tick_all() -> None:
                tick()
                progress.tick()

            engine.run(tick_all)


@contextmanager
def _on_signal(handler: Handler, late: Handler | None = None) -> Iterator[None]:
    """Handle Ctrl-C, SIGTERM and a closed terminal for a while; then `late` does, if given."""
    before = {number: signal.signal(number, handler) for number in _ASKED}
    # What is ignored stays so: `nohup` starts what is to outlive its terminal.
    if _HANGUP and signal.getsignal(_HANGUP) is not signal.SIG_IGN:
        before[_HANGUP] = signal.signal(_HANGUP, handler)
    try:
        yield
    finally:
        for number, earlier in before.items():
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, late or earlier)


def when_late(number: int, _frame: object) -> None:
    """Handle a signal after the run's end: it is nothing to a program that is about to end."""
    # Unless it does not end, for a plugin's thread; a closed terminal is told of twice.
    signal.signal(number, signal.SIG_IGN if number == _HANGUP else _force)


def ignore_signals() -> None:
    """Let none of these signals end the program any more, while Python unloads."""
    for number in (*_ASKED, _HANGUP):
        if number:
            signal.signal(number, signal.SIG_IGN)


def _leave_if_blocked(engine: Engine, error: FerStreamError | None) -> None:
    """End the program at once if a reader is blocked: nobody should wait for its time-out."""
    if not engine.left_behind:
        return
    if error:
        import logging

        logging.getLogger("fer_stream").error(" ".join(str(error).split()))
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # closed from the start
            with suppress(OSError):
                stream.flush()
    os._exit(error.exit_code if error else 0)


def _leave(_number: int, _frame: object) -> None:
    # Nothing has been read or written yet. Not `sys.exit`: what is being imported would take an
    # exception for a failure of its own.
    os._exit(0)


def _force(number: int, _: object) -> None:
    os._exit(128 + number)


def _plugin_files(value: object) -> list[str]:
    files = [value] if isinstance(value, str) else value
    if isinstance(files, list | tuple) and all(isinstance(file, str) for file in files):
        return list(files)
    raise ConfigError(f"plugin must be the path of a Python file or a list of them, got {value!r}")
