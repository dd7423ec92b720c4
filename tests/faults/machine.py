"""A virtual machine with a webcam: Linux's `vivid` driver under QEMU, on this machine's files.

Its root is ours, read-only, so that the environment under test is the one that runs there; one
folder can be written to.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

PROGRAMS = ("qemu-system-x86_64", "busybox", "cpio")
PACKAGES = "linux-image-amd64, qemu-system-x86, seabios, busybox-static, cpio, v4l-utils"
WEBCAM = "vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0x0"
MODULES = ("virtio_pci", "9pnet_virtio", "9p", WEBCAM)
LIMIT_S = 400
"""Emulated, on a busy machine, all takes minutes."""

INIT = """\
#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
{modules}
mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=524288,cache=loose root /root
mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,cache=none folder "/root{folder}"
for each in proc sys dev; do mount -o bind /$each /root/$each; done
mkdir -p /dev/shm && mount -t tmpfs shm /dev/shm
ifconfig lo 127.0.0.1 up
cd "/root{folder}"
chroot /root /bin/sh "{folder}/guest.sh" > guest.log 2>&1
echo $? > guest.code
sync
poweroff -f
"""


def run_with_webcam(folder: Path, command: Sequence[str], **environment: str) -> None:
    """Run a command where there is a camera 0; fail, with what it said, unless it exits with 0.

    Args:
        folder: An empty one; the command can write there and nowhere else.
        command: With absolute paths.
        environment: All that it has but PATH, HOME and TMPDIR.
    """
    kernel, modules = _kernel()
    variables = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)}
    settings = " ".join(f"'{key}={value}'" for key, value in {**variables, **environment}.items())
    words = " ".join(f"'{word}'" for word in command)
    (folder / "guest.sh").write_text(f"exec env -i {settings} {words}\n")
    disk = _first_disk(folder, modules)
    exports = (
        *("-fsdev", "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"),
        *("-fsdev", f"local,id=folder,path={folder},security_model=none"),
        *("-device", "virtio-9p-pci,fsdev=root,mount_tag=root"),
        *("-device", "virtio-9p-pci,fsdev=folder,mount_tag=folder"),
    )
    # Emulated: a machine that is virtual itself often cannot lend its processor once more.
    machine = ("-accel", "tcg,thread=multi", "-cpu", "Nehalem", "-smp", "2", "-m", "1536")
    machine += ("-nic", "none", "-nographic", "-no-reboot")
    boot = ("-kernel", str(kernel), "-initrd", str(disk), "-append", "console=ttyS0 quiet panic=-1")
    with (folder / "console.log").open("wb") as console:
        subprocess.run(
            [PROGRAMS[0], *machine, *boot, *exports],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            timeout=LIMIT_S,
            check=True,
        )
    said = (folder / "guest.log").read_text(errors="replace")
    assert (folder / "guest.code").read_text().strip() == "0", said


def _kernel() -> tuple[Path, list[str]]:
    """Return the newest kernel, and the shell lines that load what is needed of its modules.

    Skips, in CI too, where there is no such machine to be had.
    """
    if missing := [name for name in PROGRAMS if shutil.which(name) is None]:
        pytest.skip(f"needs {', '.join(missing)} (Debian: {PACKAGES})")
    # FER_STREAM_KERNEL is a folder in which a kernel's package was unpacked.
    root = Path(os.environ.get("FER_STREAM_KERNEL", "/"))
    for kernel in sorted(root.glob("boot/vmlinuz-*"), reverse=True):
        modules = root / "lib" / "modules" / kernel.name.removeprefix("vmlinuz-")
        if list(modules.glob("kernel/drivers/media/test-drivers/vivid/vivid.ko")):
            return kernel, _loading(modules)
    pytest.skip(f"needs a kernel with the module vivid in {root} (Debian: {PACKAGES})")


def _loading(folder: Path) -> list[str]:
    """Return `PATH PARAMETERS` of each module, in the order in which they are to be loaded."""
    needs = {}
    for line in (folder / "modules.dep").read_text().splitlines():
        path, _, others = line.partition(":")
        needs[path] = others.split()
    names = {Path(path).stem.replace("-", "_"): path for path in needs}
    found: dict[str, str] = {}
    for module in MODULES:
        name, _, parameters = module.partition(" ")
        if path := names.get(name):  # else it is built in
            for each in (*reversed(needs[path]), path):
                found.setdefault(each, parameters if each == path else "")
    return [f"{folder / path} {parameters}" for path, parameters in found.items()]


def _first_disk(folder: Path, modules: Sequence[str]) -> Path:
    """Pack what the kernel starts with: busybox, the modules and `INIT`."""
    tree, disk = folder / "first", folder / "first.cpio"
    (tree / "bin").mkdir(parents=True)
    shutil.copy(shutil.which("busybox") or "", tree / "bin" / "busybox")
    lines = []
    for module in modules:
        path, _, parameters = module.partition(" ")
        shutil.copy(path, tree)
        lines.append(f"insmod /{Path(path).name} {parameters}")
    init = tree / "init"
    init.write_text(INIT.format(modules="\n".join(lines), folder=folder))
    init.chmod(0o755)
    names = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
    with disk.open("wb") as packed:
        command = ["cpio", "--quiet", "-o", "-H", "newc"]
        subprocess.run(command, cwd=tree, input=names.encode(), stdout=packed, check=True)
    shutil.rmtree(tree)
    return disk
