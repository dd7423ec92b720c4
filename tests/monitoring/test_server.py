"""`--metrics`: what a run serves, and what it says when it cannot."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_stream.engine.stats import RunStats
from fer_stream.errors import ConfigError, FerStreamError
from fer_stream.monitoring.server import monitored
from tests.monitoring.http import ask, monitored_run, of, scrape
from tests.monitoring.test_metrics import PROMISED
from tests.programs import Program, fer_stream_without, free_port, run, wait_until

pytestmark = pytest.mark.timeout(90)
unix = pytest.mark.skipif(sys.platform == "win32", reason="signals are Unix's")

PAGES = ("/metrics", "/healthz", "/readyz")
CAMERA = "rtsp://user:secret@127.0.0.1:1/cam?token=secret"  # nothing listens there
STUCK = """
import time
from fer_stream import Sink, hookimpl
class Stuck(Sink):
    name = 'stuck'
    def write(self, result):
        time.sleep(600)
@hookimpl
def fer_register_sinks():
    return [Stuck]
"""


@pytest.fixture
def taken() -> Iterator[int]:
    """Return a port at which somebody listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def ended(program: Program) -> str:
    """Stop a run as a service manager does; return what it said."""
    program.send_signal(signal.SIGTERM)
    _, said = program.communicate(timeout=30)
    assert "Traceback" not in said
    return said


@unix
def test_a_run_serves_what_it_counts(tmp_path: Path) -> None:
    sinks = ("--sink", "csv:out.csv", "--sink", "jsonl:out.jsonl")
    with monitored_run(tmp_path, *sinks) as (program, place):
        wait_until(lambda: ask(place, "/readyz").status == 200, program)
        first = scrape(place)
        wait_until(
            lambda: (
                scrape(place)["fer_stream_sink_events_total"][of(sink="csv", result="ok")]
                > first["fer_stream_sink_events_total"][of(sink="csv", result="ok")]
            ),
            program,
        )
        second = scrape(place)
        assert ask(place, "/healthz")[:2] == (200, "ok\n")
        said = ended(program)
    assert program.returncode == 0, said
    for name, labels in PROMISED.items():
        assert {label for one in second[name] for label, _ in one} == labels, name
        if name.endswith(("_total", "_bucket")):
            assert all(second[name][one] >= value for one, value in first.get(name, {}).items()), (
                name
            )
    done = f"{second['fer_stream_frames_processed_total'][of(source='demo')]:.0f}"
    assert int(done) > first["fer_stream_frames_processed_total"][of(source="demo")]
    assert {sink for one in second["fer_stream_sink_up"] for _, sink in one} == {"csv", "jsonl"}
    with pytest.raises(OSError, match="refused"):
        ask(place, "/healthz")


@unix
def test_buckets_and_count_of_a_running_histogram_agree(tmp_path: Path) -> None:
    with monitored_run(tmp_path, "--sink", "csv:out.csv") as (program, place):
        wait_until(lambda: ask(place, "/readyz").status == 200, program)
        for _ in range(20):
            found = scrape(place)
            for name in ("stage_duration", "end_to_end_latency"):
                buckets = found.get(f"fer_stream_{name}_seconds_bucket", {})
                for labels, count in found.get(f"fer_stream_{name}_seconds_count", {}).items():
                    rising = sorted(
                        (float(dict(one)["le"]), value)
                        for one, value in buckets.items()
                        if labels < one
                    )
                    assert [value for _, value in rising] == sorted(value for _, value in rising)
                    assert rising[-1] == (float("inf"), count)
        ended(program)


@unix
def test_a_camera_that_is_not_there_is_told_without_its_password(tmp_path: Path) -> None:
    arguments = ("--source", CAMERA, "--sink", "csv:out.csv", "--mode", "live")
    with monitored_run(tmp_path, *arguments) as (program, place):
        shown = "rtsp://user:***@127.0.0.1:1/cam?token=***"
        fault = f"source {shown}: reconnecting, no frame yet (cannot open {shown}: Connection "
        wait_until(lambda: ask(place, "/readyz").body.startswith(fault), program)
        assert ask(place, "/readyz").status == 503
        assert ask(place, "/healthz").status == 200, "a restart would not help"
        values = scrape(place)["fer_stream_source_up"]
        assert values == {of(source="demo"): 1, of(source=shown): 0}
        for page in PAGES:
            assert "secret" not in ask(place, page).body
        assert "secret" not in ended(program)


@unix
@pytest.mark.slow
def test_a_sink_that_hangs_is_told(tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text(STUCK)
    sinks = ("--plugin", "stuck.py", "--sink", "stuck", "--sink", "csv:out.csv")
    with monitored_run(tmp_path, *sinks, "--mode", "live") as (program, place):
        wait_until(lambda: "sink stuck: stuck in one call for" in ask(place, "/readyz").body)
        assert ask(place, "/readyz").status == 503
        assert ask(place, "/readyz").body.count("\n") == 1, "the other sink is well"
        assert ask(place, "/healthz").status == 200
        assert scrape(place)["fer_stream_sink_busy_seconds"][of(sink="stuck")] > 10
        assert scrape(place)["fer_stream_sink_events_total"][of(sink="csv", result="ok")] > 0
        said = ended(program)
    assert "sink stuck did not finish in time and was left" in said


@unix
@pytest.mark.slow
def test_a_run_whose_frames_do_not_come_through_is_not_healthy(tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text(
        STUCK.replace("Sink", "Detector")
        .replace("write(self, result)", "detect(self, frame)")
        .replace("_sinks", "_detectors")
    )
    stages = ("--plugin", "stuck.py", "--detector", "stuck", "--sink", "csv:out.csv")
    with monitored_run(tmp_path, *stages, "--mode", "live") as (program, place):
        fault = "source demo: its frames are read, but none came through for 1"
        wait_until(lambda: ask(place, "/healthz").body.startswith(fault), program)
        assert ask(place, "/healthz").status == 503
        ready = ask(place, "/readyz")
        assert ready.status == 503, "no result flows"
        assert ready.body.startswith(fault)


@unix
def test_a_sink_that_failed_is_told(tmp_path: Path) -> None:
    arguments = ("--sink", "jsonl:/dev/full", "--sink", "csv:out.csv", "--mode", "live")
    with monitored_run(tmp_path, *arguments) as (program, place):
        fault = "sink jsonl: not open; it failed, or the run is ending\n"
        wait_until(lambda: ask(place, "/readyz")[:2] == (503, fault), program)
        assert ask(place, "/healthz").status == 200
        ended(program)


def test_before_the_run_begins_it_says_so_and_afterwards_nothing_is_left() -> None:
    place = f"127.0.0.1:{free_port()}"
    before = set(threading.enumerate())
    with monitored(RunStats(), place) as tick:
        (server,) = {thread.name for thread in set(threading.enumerate()) - before}
        assert server == "serve metrics"
        for page in PAGES:
            answer = ask(place, page)
            assert answer.status == 503
            assert answer.body.startswith("the run has not begun")
        tick()
        assert [ask(place, page).status for page in PAGES] == [200, 200, 200]
    with pytest.raises(OSError, match="refused"):
        ask(place, "/healthz")
    wait_until(lambda: set(threading.enumerate()) == before)


def test_only_its_pages_can_be_asked_for() -> None:
    place = f"127.0.0.1:{free_port()}"
    with monitored(RunStats(), place) as tick:
        tick()
        assert ask(place, "/").status == 404
        assert ask(place, "/metrics/x").status == 404
        assert ask(place, "/healthz?verbose=1").status == 200
        assert ask(place, "/healthz", "HEAD")[:2] == (200, "")
        assert ask(place, "/healthz", "POST").status == 501
        assert ask(place, "/healthz").content_type == "text/plain; charset=utf-8"
        assert ask(place, "/metrics").content_type.startswith("text/plain; version=")
        modern = ask(place, "/metrics", Accept="application/openmetrics-text; version=1.0.0")
        assert modern.content_type.startswith("application/openmetrics-text")
        assert modern.body.endswith("# EOF\n")


def test_a_request_for_anything_at_all_is_answered(capfd: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    with monitored(RunStats(), f"127.0.0.1:{port}") as tick:
        tick()
        for target, status in (("http://[", b"404"), (f"http://127.0.0.1:{port}/metrics", b"200")):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
                client.sendall(f"GET {target} HTTP/1.0\r\n\r\n".encode())
                assert client.makefile("rb").readline().split()[1] == status
    assert "Traceback" not in capfd.readouterr().err


def test_a_client_that_goes_away_is_not_complained_of(capfd: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    with monitored(RunStats(), f"127.0.0.1:{port}") as tick:
        tick()
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert ask(f"127.0.0.1:{port}", "/healthz").status == 200
    assert "Traceback" not in capfd.readouterr().err


def test_a_client_that_says_nothing_does_not_keep_the_run_from_ending() -> None:
    port = free_port()
    with monitored(RunStats(), f"127.0.0.1:{port}"):
        client = socket.create_connection(("127.0.0.1", port))
    client.close()


def test_it_can_be_served_on_ipv6() -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            place = f"[::1]:{probe.getsockname()[1]}"
    except OSError:
        pytest.skip("needs IPv6")
    with monitored(RunStats(), place) as tick:
        tick()
        assert ask(place, "/healthz").status == 200


@pytest.mark.parametrize(
    "address",
    ["", "9464", ":9464", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:65536", "::1:9464", "[]:1", "*:0"],
)
def test_an_address_must_be_host_and_port(address: str) -> None:
    with (
        pytest.raises(ConfigError, match=r"metrics must be HOST:PORT, such as 127\.0\.0\.1:9464"),
        monitored(RunStats(), address),
    ):
        pass


@pytest.mark.parametrize("host", ["nosuch.invalid", "a..b", "203.0.113.1"])
def test_a_host_that_is_not_ours_is_one_clear_line(host: str) -> None:
    with (
        pytest.raises(FerStreamError, match=f"cannot serve metrics at {host}:9464: ") as caught,
        monitored(RunStats(), f"{host}:9464"),
    ):
        pass
    assert caught.value.exit_code == 1, "the service is to be started again: it may be ours later"


def test_a_port_that_is_taken_ends_the_run_before_a_source_is_opened(
    tmp_path: Path, taken: int
) -> None:
    flags = ("--source", "nosuch.mp4", "--metrics", f"127.0.0.1:{taken}")
    done = run("run", *flags, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"fer-stream: cannot serve metrics at 127.0.0.1:{taken}: Address already in use; "
        "give --metrics another HOST:PORT\n"
    )


def test_the_address_may_stand_in_the_file(tmp_path: Path, taken: int) -> None:
    (tmp_path / "run.toml").write_text(f"source = 'nosuch.mp4'\nmetrics = '127.0.0.1:{taken}'\n")
    done = run("run", "--config", "run.toml", cwd=tmp_path)
    assert "Address already in use" in done.stderr
    done = run("run", "--config", "run.toml", "--metrics", "127.0.0.1:0", cwd=tmp_path)
    assert "no such file: nosuch.mp4" in done.stderr, "a flag wins"


def test_without_the_client_library_it_says_what_to_install(tmp_path: Path) -> None:
    command = fer_stream_without("prometheus_client", folder=tmp_path)
    arguments = ["run", "--source", "demo?seconds=1", "--sink", "csv:out.csv"]
    for flags, code in (([], 0), (["--metrics", "127.0.0.1:0"], 2)):
        done = subprocess.run(
            [*command, *arguments, *flags], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == code, done.stderr
    assert done.stderr == (
        "fer-stream: metrics need prometheus-client; install it with: "
        'pip install "fer-stream[metrics]"\n'
    )
