"""A real Prometheus scrapes a real run."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.monitoring.http import ask, monitored_run
from tests.needs import require_program
from tests.programs import wait_until

CONFIG = """
global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}
scrape_configs:
  - job_name: fer-stream
    static_configs: [{{targets: ['{target}']}}]
"""


def free_place() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_prometheus_stores_what_a_run_serves(tmp_path: Path) -> None:
    program = require_program("prometheus")
    here = free_place()

    def query(text: str) -> list[float]:
        try:
            answer = json.loads(ask(here, f"/api/v1/query?query={quote(text)}").body)
        except (OSError, ValueError):
            return []  # it is still starting
        return [float(one["value"][1]) for one in answer.get("data", {}).get("result", [])]

    with monitored_run(tmp_path, "--sink", "csv:out.csv") as (run, place):
        (tmp_path / "prometheus.yml").write_text(CONFIG.format(target=place))
        server = subprocess.Popen(
            [
                *(program, "--config.file=prometheus.yml", "--storage.tsdb.path=data"),
                f"--web.listen-address={here}",
            ],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until(lambda: query("up") == [1.0], run)
            wait_until(lambda: query("rate(fer_stream_frames_read_total[10s]) > 0"), run)
            wait_until(
                lambda: query(
                    "histogram_quantile(0.99, sum by (le, sink) "
                    "(rate(fer_stream_end_to_end_latency_seconds_bucket[10s]))) > 0"
                ),
                run,
            )
            assert query("fer_stream_source_up") == [1.0]
            assert query('fer_stream_sink_events_total{result="failed"}') == [0.0]
        finally:
            server.terminate()
            server.wait(20)
