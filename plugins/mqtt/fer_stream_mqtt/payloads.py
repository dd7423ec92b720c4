"""What is sent, as JSON."""

from __future__ import annotations

import json
from typing import Any

EVENT_BYTES = 10_240
"""An event is never larger."""


def as_json(value: Any) -> bytes:
    """Return a value as JSON; a file name that is not Unicode must not end the run."""
    return json.dumps(value, ensure_ascii=False).encode(errors="backslashreplace")


def event_payload(event: dict[str, Any]) -> bytes:
    """Return an event as JSON of at most `EVENT_BYTES`.

    Of a crowd the largest faces are kept; `faces_left_out` says how many are not.
    """
    payload = as_json(event)
    if len(payload) <= EVENT_BYTES:
        return payload
    faces = sorted(event["faces"], key=lambda face: -face["box_px"][2] * face["box_px"][3])
    room = EVENT_BYTES - len(as_json({**event, "faces": [], "faces_left_out": len(faces)}))
    kept: list[Any] = []
    for face in faces:
        room -= len(as_json(face)) + len(", ")
        if room < 0:
            break
        kept.append(face)
    return as_json({**event, "faces": kept, "faces_left_out": len(faces) - len(kept)})
