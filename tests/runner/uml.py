"""A kernel of its own, as a process: Debian's User-mode Linux, which has the VRF, VLAN and MACsec that the host's may lack.

The machine's files are seen as they are, so nothing has to be installed in there. A run is one shell script; it powers off at its end.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

MODULES = Path("/usr/lib/uml/modules")
WANTED = ("vrf", "8021q", "macsec", "vxlan", "bridge", "veth", "tun", "gcm", "ghash-generic")
INIT = """#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t tmpfs tmpfs /run; mkdir -p /run/wireguard /run/netns
for module in {modules}; do modprobe -d {folder} $module; done
ip link set lo up
sh -ex {folder}/script >{folder}/output 2>&1; echo $? >{folder}/code
echo o >/proc/sysrq-trigger
sleep 10
"""
TIMEOUT = 120
"""Seconds; a run takes some 10."""


def why_missing() -> str | None:
    """Why there is no such kernel here, or nothing."""
    missing = [tool for tool in ("linux.uml", "modprobe", "ip") if shutil.which(tool) is None]
    return f"{', '.join(missing)} not installed" if missing else None if MODULES.is_dir() else "the kernel's modules are not installed"


def run(folder: Path, script: str, *, modules: tuple[str, ...] = (), memory: str = "512M", seconds: int = TIMEOUT) -> str:
    """What a script says in there; it must succeed."""
    (folder / "lib" / "modules").mkdir(parents=True)
    for version in MODULES.iterdir():
        (folder / "lib" / "modules" / version.name).symlink_to(version)
    (folder / "script").write_text(script)
    init = folder / "init"
    init.write_text(INIT.format(modules=" ".join((*WANTED, *modules)), folder=folder))
    init.chmod(0o755)
    command = ["linux.uml", f"mem={memory}", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "rw", f"init={init}"]
    command += ["con0=null", "con=null", "quiet"]
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False)
    output = (folder / "output").read_text() if (folder / "output").exists() else "it did not boot"
    assert (folder / "code").exists() and (folder / "code").read_text() == "0\n", output[-4000:]
    return output
