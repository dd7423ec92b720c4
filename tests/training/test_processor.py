"""What timings say of the machine that they were taken on."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest
from fer_stream_training.processor import processor_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "model name\t: Zen\nflags\t\t: fpu avx2 avx512_vnni\n\nmodel name\t: Zen\n",
            "Zen with VNNI",
        ),
        ("processor\t: 0\nmodel name\t: Core\nflags\t\t: avx2 avx_vnni\n", "Core with VNNI"),
        ("model name\t: Zen 3\nflags\t\t: fpu avx2 fma\n", "Zen 3 without VNNI"),
        ("model name\t: ARMv8\nFeatures\t: fp asimd\n", "ARMv8"),
    ],
)
def test_the_processor_is_named_as_linux_names_it(tmp_path: Path, text: str, name: str) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(text)
    assert processor_name(info) == name


def test_where_there_is_no_such_file_the_system_is_asked(tmp_path: Path) -> None:
    named = processor_name(tmp_path / "missing")
    assert named == (platform.processor() or platform.machine())
