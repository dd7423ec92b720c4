"""What is done to a webcam, and must come of it: `python -m tests.faults.webcam FOLDER`.

Runs as root on a machine whose camera 0 is Linux's `vivid` driver.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests import programs
from tests.faults.running import Running

DRIVER = Path("/sys/bus/platform/drivers/vivid")
DEVICE = "vivid.0"


def unplug() -> None:
    """Take the camera away; its device file vanishes."""
    (DRIVER / "unbind").write_text(DEVICE)


def plug_in() -> None:
    """Bring the camera back."""
    (DRIVER / "bind").write_text(DEVICE)


def shake() -> None:
    """Break the connection for a moment, as a bad cable does; the device file stays."""
    subprocess.run(["v4l2-ctl", "-d", "/dev/video0", "-c", "disconnect=1"], check=True)


def main() -> None:
    """Take the camera away and bring it back, under a run that reads it."""
    programs.TIMEOUT_S = 300.0  # seconds may be minutes where everything is emulated
    running = Running(
        Path(sys.argv[1]), "--source", "desk=camera:0", "--sink", "csv:x.csv?every_frame=true"
    )
    with running.program:
        running.wait_for_frames(5)
        unplug()
        lost = running.wait_for_state("reconnecting")
        running.wait_for(lambda: "cannot open camera 0" in running.statuses()[-1]["reason"])
        plug_in()
        back = running.wait_for_state("online")
        running.wait_for_frames(5)
        shake()
        running.wait_for(lambda: running.states().count("online") == 3)
        running.wait_for_frames(5)
        running.stop()
    check(running, running.diary().index(lost), running.diary().index(back))


def check(running: Running, lost: int, back: int) -> None:
    """Judge the run's diary, in which the camera was away from one entry to another."""
    diary = running.diary()
    assert running.states() == [*["online", "reconnecting"] * 2, "online", "ended"]
    assert "camera 0 was lost after" in diary[lost]["reason"]
    assert all("state" in entry for entry in diary[lost:back]), "a picture of a camera that is away"
    at = [(frame["session"], frame["frame"]) for frame in running.frames()]
    assert at == sorted(set(at))
    assert {session for session, _ in at} == {0, 1, 2}
    rows = (running.folder / "x.csv").read_text().splitlines()[1:]
    assert {row.split(",")[1] for row in rows} == {"0", "1", "2"}


if __name__ == "__main__":
    main()
