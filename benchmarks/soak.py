"""Four cameras with faults of all kinds, one run over all of them: does anything grow?

    PYTHONPATH=. python benchmarks/soak.py [--minutes 30] [--seed 0] [--write]

Real RTSP servers (GStreamer) behind wires that can damage what they carry, a real broker
(mosquitto), and one `fer-stream run` with a CSV, an MQTT and a slow sink. Faults come one after the
other, seeded. Each second the run's memory, threads and open files are noted. In the end: what of
them grew over the last half, whether every event reached the broker's subscriber, how old frames
were when a sink had written them, and how each fault was recovered from. The exit code is 1 if
something grew, was lost, or did not recover.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from markers import FIGURES, put
from soak_report import report

from fer_stream.events import rfc3339
from tests.faults.camera import RtspCamera, write_film
from tests.faults.proxy import BadWire
from tests.faults.running import Running
from tests.mqtt.broker import Broker, Subscriber
from tests.programs import free_port, wait_until

NAMES = ("door", "hall", "shop", "yard")
FPS = 25
MOST_RECOVERY_S = 60.0
"""Twice the longest wait between two attempts."""


class Site:
    """Cameras, their wires, and a broker."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.films = [
            write_film(folder / "large.h264", (640, 480), 14.0),
            write_film(folder / "small.h264", (320, 240), 14.0),
        ]
        self.cameras = {name: RtspCamera() for name in NAMES}
        self.wires = {name: BadWire(camera.port) for name, camera in self.cameras.items()}
        self.broker = Broker(folder)
        for name in NAMES:
            stack.callback(self.cameras[name].kill)
            stack.callback(self.wires[name].close)
            self.cameras[name].start(self.films[0])
        stack.callback(self.broker.kill)
        self.broker.start()

    def url(self, name: str) -> str:
        """Return where a camera is, behind its wire."""
        return f"rtsp://127.0.0.1:{self.wires[name].port}/cam"


class Faults:
    """Breaks something and mends it again; each method returns when it is mended.

    Args:
        site: Where.
        chance: What decides how long it stays broken.
    """

    def __init__(self, site: Site, chance: random.Random) -> None:
        self._site = site
        self._chance = chance
        self.kinds: dict[str, Callable[[str], None]] = {
            "killed": self._kill,
            "frozen": self._freeze,
            "another size": self._resize,
            "damaged packets": self._damage,
            "no broker": self._stop_broker,
        }

    def _kill(self, name: str) -> None:
        self._site.cameras[name].kill()
        self._wait(0.0, 6.0)
        self._site.cameras[name].start(self._site.films[0])

    def _freeze(self, name: str) -> None:
        self._site.cameras[name].freeze()
        self._wait(0.5, 12.0)
        self._site.cameras[name].thaw()

    def _resize(self, name: str) -> None:
        self._site.cameras[name].kill()
        self._site.cameras[name].start(self._chance.choice(self._site.films))

    def _damage(self, name: str) -> None:
        self._site.wires[name].damage = 10 ** self._chance.uniform(-5, -2)
        self._wait(1.0, 4.0)
        self._site.wires[name].damage = 0.0

    def _stop_broker(self, _name: str) -> None:
        self._site.broker.stop()
        self._wait(1.0, 15.0)
        self._site.broker.start()

    def _wait(self, least_s: float, most_s: float) -> None:
        time.sleep(self._chance.uniform(least_s, most_s))


class Watch:
    """What is seen of a run from outside.

    Args:
        running: The run.
        ears: A subscriber to its events.
        metrics: The port of its `/healthz`.
    """

    def __init__(self, running: Running, ears: Subscriber, metrics: int) -> None:
        self._running = running
        self._ears = ears
        self._metrics = metrics
        self.used: dict[str, list[float]] = defaultdict(list)
        """Memory (MB), threads and open files, one of each a second."""
        self.unhealthy = 0
        self._next_s = time.monotonic()

    def until(self, end_s: float) -> None:
        """Take notes until a moment of the monotonic clock."""
        while (now_s := time.monotonic()) < end_s:
            if now_s >= self._next_s:
                self._next_s += 1.0
                self._note()
            time.sleep(max(min(self._next_s, end_s) - time.monotonic(), 0.0))

    def recovery_s(self, since_s: float) -> float:
        """Return how long after a moment, now, each source had a new result.

        And the broker a new event: the sink sends all older ones first.
        """
        now = rfc3339(datetime.now(UTC))
        while True:
            newest, event = self.newest(), self._ears.heard[-1].value
            if min(newest.values()) > since_s and event["captured_at"] > now:
                return time.monotonic() - since_s
            if time.monotonic() - since_s > MOST_RECOVERY_S:
                return float("inf")
            self.until(time.monotonic() + 0.1)

    def newest(self) -> dict[str, float]:
        """Return when each source's last result came."""
        found: dict[str, float] = {}
        for entry in reversed(self._running.diary()):
            if "state" not in entry:
                found.setdefault(entry["source"], entry["at_s"])
            if len(found) == len(NAMES):
                break
        return found

    def _note(self) -> None:
        process = Path(f"/proc/{self._running.program.pid}")
        assert self._running.program.poll() is None, self._running.said
        memory = int((process / "statm").read_text().split()[1]) * 4096 / 1e6
        self.used["memory"].append(memory)
        self.used["threads"].append(len(list((process / "task").iterdir())))
        self.used["files"].append(len(list((process / "fd").iterdir())))
        url = f"http://127.0.0.1:{self._metrics}/healthz"
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            self.unhealthy += 1

    def now(self) -> str:
        """Return what the run takes, in words."""
        return ", ".join(f"{what} {values[-1]:.0f}" for what, values in self.used.items())


def soak(site: Site, watch: Watch, minutes: float, chance: random.Random) -> dict[str, list[float]]:
    """Break one thing after the other; return each fault's recoveries in s."""
    faults, recoveries = Faults(site, chance), defaultdict[str, list[float]](list)
    end_s = time.monotonic() + 60 * minutes
    while time.monotonic() < end_s:
        kind, name = chance.choice(list(faults.kinds)), chance.choice(NAMES)
        faults.kinds[kind](name)
        recoveries[kind].append(watch.recovery_s(time.monotonic()))
        print(
            f"{name}: {kind}, back after {recoveries[kind][-1]:.1f} s; now {watch.now()}",
            file=sys.stderr,
        )
        watch.until(time.monotonic() + chance.uniform(2.0, 8.0))
    return recoveries


def main() -> None:
    """Run the soak."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="into benchmarks/README.md")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            site = Site(folder, stack)
        except pytest.skip.Exception as missing:
            sys.exit(str(missing))
        chance = random.Random(arguments.seed)
        lines, problems = run(site, folder, stack, arguments.minutes, chance)
    print("\n".join(lines))
    if arguments.write:
        put(FIGURES, "soak", "\n".join([*lines, *(f"\nFailed: {each}." for each in problems)]))
    sys.exit("; ".join(problems) or 0)


def run(
    site: Site, folder: Path, stack: ExitStack, minutes: float, chance: random.Random
) -> tuple[list[str], list[str]]:
    """Run fer-stream through it all; return what was seen, and what went wrong."""
    ears = site.broker.subscriber("fer-stream/+/+/event")
    stack.callback(ears.close)
    metrics = free_port()
    cameras = (x for name in NAMES for x in ("--source", f"{name}={site.url(name)}"))
    running = Running(
        folder,
        *(*cameras, "--sink", site.broker.address, "--sink", "csv:out.csv"),
        *("--sink", "diary:slow.jsonl?nap=0.2", "--metrics", f"127.0.0.1:{metrics}"),
    )
    stack.enter_context(running.program)
    watch = Watch(running, ears, metrics)
    running.wait_for(lambda: len(watch.newest()) == len(NAMES) and ears.heard)
    recoveries = soak(site, watch, minutes, chance)
    said = running.stop(code=None)
    print("\n".join(said[-6:]) + "\n", file=sys.stderr)
    lines, problems = report(running.frames(), watch.used, recoveries)
    if watch.unhealthy:
        problems.append(f"/healthz failed {watch.unhealthy} times")
    if code := running.program.returncode:
        problems.append(f"the run ended with {code}: {said[-1]}")
    arrived, lost = events_arrived(running, ears)
    return [*lines, "", arrived], [*problems, *lost]


def events_arrived(running: Running, ears: Subscriber) -> tuple[str, list[str]]:
    """Wait for the events of what the diary holds; say how many came, and if too many did not."""
    seen = {(f["source"], f["session"], f["frame"]) for f in running.frames() if f["faces"]}
    # What was pushed out of the sink's queue on a busy machine was never given to it.
    lost = sum(int(count) for count in re.findall(r"(\d+) results? lost by mqtt", running.said))

    def missing() -> int:
        events = (message.value for message in list(ears.heard))
        return len(seen - {(e["source"], e["session"], e["frame"]) for e in events})

    with suppress(AssertionError):
        wait_until(lambda: missing() <= lost)
    never = missing()
    said = (
        f"Of {len(seen)} events {never} did not reach the broker's subscriber, {min(lost, never)} "
        f"of them pushed out of the sink's queue; {len(ears.heard)} messages came."
    )
    return said, [f"{never} events never came"] if never > lost else []


if __name__ == "__main__":
    main()
