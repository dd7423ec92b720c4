"""What a network computes in while it is trained; its weights are float32 everywhere."""

from __future__ import annotations

from pathlib import Path


def compute_dtype() -> str:
    """``mixed_bfloat16`` where the CPU multiplies bfloat16 in hardware, else ``float32``.

    Twice as fast there; on any other CPU it is emulated, and up to ten times slower than float32.
    """
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return "float32"
    return "mixed_bfloat16" if "avx512_bf16" in flags or "amx_bf16" in flags else "float32"
