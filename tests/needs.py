"""What a test needs of the machine that it runs on."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

MEDIA = Path(os.environ.get("FER_STREAM_MEDIA") or Path(__file__).parents[2] / "shared" / "media")
"""Real videos for local use; they are no part of the project."""
SYSTEM_PYTHON = "/usr/bin/python3"
"""The one that Debian's bindings are for."""


def require_program(name: str) -> str:
    """Return a program's path; without it skip, but fail where CI promises to have it."""
    return shutil.which(name) or refuse(f"needs the program {name}")


def require_rtsp_server() -> str:
    """Return a Python that has GStreamer's RTSP server and what it needs to serve H.264."""
    if not _has_rtsp_server():
        refuse(
            f"needs {SYSTEM_PYTHON} with GStreamer's RTSP server (Debian: python3-gi, "
            "gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-base, -good and -bad)"
        )
    return SYSTEM_PYTHON


def require_faketime() -> Path:
    """Return the library that gives a program another time of day."""
    found = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    return found or refuse("needs libfaketime (Debian: libfaketime)")


def require_media(name: str) -> Path:
    """Return a file of the real media; skip, also in CI, where there is none."""
    path = MEDIA / name
    if not path.exists():
        pytest.skip(f"needs {name} in {MEDIA} (or in FER_STREAM_MEDIA)")
    return path


def refuse(reason: str) -> NoReturn:
    """Skip a test, but fail it where CI promises to have what it needs."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, which CI must install")
    pytest.skip(reason)


@cache
def _has_rtsp_server() -> bool:
    code = (
        "import gi\n"
        "for name in ('GstApp', 'GstRtspServer'): gi.require_version(name, '1.0')\n"
        "from gi.repository import Gst, GstApp, GstRtspServer; Gst.init(None)\n"
        "for name in ('appsrc', 'h264parse', 'rtph264pay'): assert Gst.ElementFactory.find(name)"
    )
    if not Path(SYSTEM_PYTHON).exists():
        return False
    return subprocess.run([SYSTEM_PYTHON, "-c", code], capture_output=True).returncode == 0
