"""Where the real videos lie that most figures are taken on."""

from __future__ import annotations

import os
from pathlib import Path

VIDEOS = (
    Path(os.environ.get("FER_STREAM_MEDIA") or Path(__file__).parents[2] / "shared" / "media")
    / "videos"
)
