"""A run of its own: `python -m tests.mqtt.publisher URL SPOOL FIRST COUNT PAUSE_S`.

Sends events of the frames FIRST, FIRST + 1, ... of two sources in turn, and prints each event's
id once its `write` has returned.
"""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

from fer_stream.events import event
from fer_stream.testing import make_run
from tests.mqtt.sinks import opened, seen


def main() -> None:
    """Send, then wait to be ended."""
    url, spool, first, count, pause_s = sys.argv[1:]
    logging.basicConfig(format="%(message)s")
    run = make_run(("cam", "door"), instance="hall")
    with opened(url, Path(spool)) as sink:
        for index in range(int(first), int(first) + int(count)):
            result = seen(index // 2, "happy", source=("cam", "door")[index % 2])
            sink.write(result)
            print(event(result, run)["id"], flush=True)
            time.sleep(float(pause_s))
        time.sleep(60)


if __name__ == "__main__":
    main()
