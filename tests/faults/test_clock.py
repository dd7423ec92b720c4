"""The wall clock jumps back by an hour: only time stamps move."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from tests.faults.camera import RtspCamera
from tests.faults.conftest import Films
from tests.faults.running import Running, is_complete
from tests.mqtt.broker import Broker, Subscriber
from tests.needs import require_faketime
from tests.programs import environment

HOUR_S = 3600.0


class Clock:
    """The wall clock of a program; its monotonic clock goes on as it is."""

    def __init__(self, folder: Path) -> None:
        self._library = require_faketime()
        self._path = folder / "clock"
        self.set(0.0)

    def set(self, seconds: float) -> None:
        """Set it so far from the machine's own."""
        new = self._path.with_suffix(".new")
        new.write_text(f"{seconds:+.0f}s\n")
        new.replace(self._path)

    def environment(self) -> dict[str, str]:
        """Return what a program must be started with."""
        return environment(
            LD_PRELOAD=str(self._library),
            FAKETIME_TIMESTAMP_FILE=str(self._path),
            FAKETIME_NO_CACHE="1",
            FAKETIME_DONT_FAKE_MONOTONIC="1",
            FAKETIME_DONT_RESET="1",
            XDG_STATE_HOME=str(self._path.parent),
        )


@pytest.mark.timeout(120)
def test_a_clock_that_jumps_back_misleads_no_timer(
    camera: RtspCamera,
    films: Films,
    broker: Broker,
    listen: Callable[..., Subscriber],
    run: Callable[..., Running],
    tmp_path: Path,
) -> None:
    clock = Clock(tmp_path)
    ears = listen(broker)
    running = run(
        *("--source", f"door={camera.url()}", "--sink", broker.address, "--sink", "broken"),
        env=clock.environment(),
    )
    running.wait_for_frames(30)
    clock.set(-HOUR_S)
    running.wait_for_frames(100)  # longer than what makes a stall
    assert running.states() == ["online"]
    camera.kill()
    running.wait_for_state("reconnecting")
    clock.set(-2 * HOUR_S)  # while it waits for its next attempt
    camera.start(films.small)
    running.wait_for_state("online")
    running.wait_for_frames(30)
    stop = running.stop(code=1)  # for the broken sink
    assert running.states() == ["online", "reconnecting", "online", "ended"]

    frames = running.frames()
    first = [frame for frame in frames if frame["session"] == 0]
    steps = [(new["captured_at"] - old["captured_at"], new, old) for old, new in pairwise(frames)]
    jumps = [step for step in steps if step[0] < -HOUR_S / 2]
    assert [round(step / HOUR_S) for step, _, _ in jumps] == [-1, -1]
    for _, new, old in [step for step in steps if step[1]["session"] == step[2]["session"]]:
        assert 0 < new["time_s"] - old["time_s"] < 5
    assert is_complete(first)
    assert all(0 <= frame["age_s"] < 5 for frame in frames)
    events = [message.value for message in ears.on("/door/event")]
    with_faces = [(frame["session"], frame["frame"]) for frame in frames if frame["faces"]]
    assert [(event["session"], event["frame"]) for event in events] == with_faces
    # The state is said again at most once a second and when it changes, not an hour later.
    late = [m.value["at"] for m in ears.on("/door/state")]
    assert sorted({at[:13] for at in late}) != [late[0][:13]]
    assert sum("sink 'broken' failed" in line for line in stop) == 2
