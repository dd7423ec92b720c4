"""What this machine computes with, for those who read its timings."""

from __future__ import annotations

import platform
from pathlib import Path


def processor_name(info: Path = Path("/proc/cpuinfo")) -> str:
    """Return the CPU's name, and on x86 whether it has VNNI: int8 models take a fraction there."""
    try:
        lines = info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    pairs = [[part.strip() for part in line.split(":", 1)] for line in lines if ":" in line]
    # The first core's; the others say the same.
    says = dict(reversed(pairs))
    name = says.get("model name") or platform.processor() or platform.machine()
    flags = says.get("flags", "").split()
    if not flags:
        return name
    return f"{name} {'with' if {'avx512_vnni', 'avx_vnni'} & set(flags) else 'without'} VNNI"
