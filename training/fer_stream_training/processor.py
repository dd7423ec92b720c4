"""What this machine computes with: for its timings' readers, and for what trains on it."""

from __future__ import annotations

import platform
from pathlib import Path

_INFO = Path("/proc/cpuinfo")


def processor_name(info: Path = _INFO) -> str:
    """Return the CPU's name, and on x86 whether it has VNNI: int8 models take a fraction there."""
    says = _first_core(info)
    name = says.get("model name") or platform.processor() or platform.machine()
    flags = says.get("flags", "").split()
    if not flags:
        return name
    return f"{name} {'with' if {'avx512_vnni', 'avx_vnni'} & set(flags) else 'without'} VNNI"


def compute_dtype() -> str:
    """What a network computes in while it is trained; its weights are float32 everywhere.

    ``mixed_bfloat16`` where the CPU multiplies bfloat16 in hardware, else ``float32``. Twice as
    fast there; on any other CPU it is emulated, and up to ten times slower than float32.
    """
    flags = _first_core(_INFO).get("flags", "").split()
    return "mixed_bfloat16" if {"avx512_bf16", "amx_bf16"} & set(flags) else "float32"


def _first_core(info: Path) -> dict[str, str]:
    """What Linux says of the first core; the others say the same."""
    try:
        lines = info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    pairs = [line.split(":", 1) for line in lines if ":" in line]
    return {key.strip(): value.strip() for key, value in reversed(pairs)}
