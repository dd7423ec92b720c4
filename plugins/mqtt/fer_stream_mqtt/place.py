"""Where a run keeps its spool."""

from __future__ import annotations

import os
from pathlib import Path

from fer_stream.errors import SinkError
from fer_stream_mqtt.topics import file_part


def default_path(instance: str, broker: str) -> Path:
    """Return where a run keeps its spool unless it is told: among the user's state files.

    `instance` and `broker` may be any names.
    """
    base = os.environ.get("XDG_STATE_HOME")
    try:
        folder = Path(base) if base else Path.home() / ".local" / "state"
    except RuntimeError:
        raise SinkError("mqtt: there is no home folder for the spool; name ?spool=FILE") from None
    # Neither part has an `@`, so that no two pairs share a file.
    return folder / "fer-stream" / f"mqtt-{file_part(instance)}@{file_part(broker)}.sqlite"
