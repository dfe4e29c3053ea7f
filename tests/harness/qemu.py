"""A kernel of its own for what the machine's kernel lacks: Debian's, in qemu without acceleration, on the machine's own files, read-only.

Guarantees: nothing is installed or booted but from an unpacked package; every wait has an end; only processes that it started are ended,
each by its handle. What runs inside is `tests/harness/guest.py`, told line by line.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

GUEST = Path(__file__).with_name("guest.py")
KERNEL = Path(__file__).parents[2] / "build" / "kernel"
"""Where tests/install-tools.sh unpacks the kernel's package."""
VIRTIOFSD = ("/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd")
EARLY = ("virtio_pci", "virtiofs", "virtio_console")
"""What must be loaded before there are files to load it from."""
BOOT, CALL = 90, 120
"""Seconds. It boots in some 7 on two calm cores; nothing that is asked of it takes more than some 10."""

EARLY_INIT = """#!/bin/sh
mount -t devtmpfs dev /dev; mount -t proc proc /proc
{modules}
mount -t virtiofs -o ro files /files
mount --move /dev /files/dev; mount --move /proc /files/proc
exec switch_root /files /bin/sh {folder}/init
"""
INIT = """export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
mount -t sysfs sys /sys
for each in /run /var/cache /var/log; do mount -t tmpfs tmpfs $each; done
mkdir -p /run/netns; ln -s /proc/self/fd /dev/fd; ln -s fd/0 /dev/stdin
printf '#!/bin/sh\\nexec modprobe -d {kernel} "$@"\\n' >/run/modprobe; chmod 755 /run/modprobe
echo /run/modprobe >/proc/sys/kernel/modprobe
echo 1 >/proc/sys/net/netfilter/nf_log_all_netns 2>/dev/null
mkdir -p /run/etc /run/work; mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work overlay /etc
ip link set lo up
{python} -I -S -B {guest} /dev/vport* >/dev/ttyS0 2>&1
echo o >/proc/sysrq-trigger
sleep 10
"""


class MachineFault(Exception):
    """The machine did not boot or does not answer; it says nothing of what is judged in there."""


def why_missing() -> str | None:
    """Why there is no such machine here, or nothing."""
    missing = [tool for tool in ("qemu-system-x86_64", "modprobe", "ldd", "switch_root", "ip", "nft", "wg") if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} not installed"
    if _virtiofsd() is None:
        return "virtiofsd not installed"
    if not _versions():
        return f"no kernel in {KERNEL}; `make tools` unpacks one"
    return None if os.geteuid() == 0 else "only root may share the machine's files"


def _virtiofsd() -> str | None:
    return next((each for each in VIRTIOFSD if Path(each).exists()), None)


def _versions() -> list[str]:
    """Unpacked kernels, the last one last."""
    return sorted(each.name.removeprefix("vmlinuz-") for each in KERNEL.glob("boot/vmlinuz-*") if (KERNEL / "complete").exists())


class Machine:
    """A running machine; use as a context manager. `folder` is seen inside as it is outside."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.version = folder, _versions()[-1]
        self.processes: list[subprocess.Popen[bytes]] = []
        self.line: socket.socket | None = None
        self.rest = b""

    def __enter__(self) -> Machine:
        try:
            self._boot()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()

    def ask(self, what: str, *arguments: Any, timeout: float = CALL) -> Any:
        """One command of the guest, and its answer. Raises `MachineFault`."""
        assert self.line is not None
        self.line.settimeout(timeout)
        try:
            self.line.sendall(json.dumps([what, arguments]).encode() + b"\n")
            while b"\n" not in self.rest:
                part = self.line.recv(1 << 20)
                if not part:
                    raise MachineFault(f"the machine has ended: {self._said()}")
                self.rest += part
        except OSError as error:
            raise MachineFault(f"no answer to {what} {arguments} in {timeout} s: {self._said()}") from error
        answer, _, self.rest = self.rest.partition(b"\n")
        return json.loads(answer)

    # Boot and end

    def _boot(self) -> None:
        initial = self.folder / "initial.cpio"
        initial.write_bytes(_archive(dict(self._early())))
        places = {"python": sys.executable, "guest": GUEST, "folder": self.folder, "kernel": KERNEL}
        (self.folder / "init").write_text(INIT.format(**places))
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(self.folder / "line"))
        listening.listen(1)
        listening.settimeout(BOOT)
        self._start(_virtiofsd() or "", f"--socket-path={self.folder}/files", "-o", "source=/,cache=always,sandbox=chroot", "-f")
        self._wait_for(self.folder / "files")
        self._start(*self._qemu(initial))
        try:
            self.line, _ = listening.accept()
        finally:
            listening.close()
        self.ask("hello", timeout=BOOT)

    def _qemu(self, initial: Path) -> Iterator[str]:
        memory = "size=1G"
        yield from ("qemu-system-x86_64", "-nodefaults", "-no-reboot", "-display", "none", "-machine", "q35,memory-backend=all")
        # One processor: with two, TCG was seen to stand still.
        yield from ("-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", memory, "-object", f"memory-backend-memfd,id=all,{memory},share=on")
        yield from ("-kernel", str(KERNEL / "boot" / f"vmlinuz-{self.version}"), "-initrd", str(initial))
        yield from ("-append", "console=ttyS0 quiet panic=-1 mitigations=off", "-serial", f"file:{self.folder}/console")
        yield from ("-chardev", f"socket,id=files,path={self.folder}/files", "-device", "vhost-user-fs-pci,chardev=files,tag=files")
        yield from ("-chardev", f"socket,id=line,path={self.folder}/line", "-device", "virtio-serial-pci")
        yield from ("-device", "virtserialport,chardev=line,name=line")

    def _start(self, *command: str) -> None:
        with (self.folder / "log").open("ab") as log:
            self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def _wait_for(self, path: Path) -> None:
        end = time.monotonic() + BOOT
        while not path.exists():
            if time.monotonic() > end or self.processes[-1].poll() is not None:
                raise MachineFault(f"{path.name} did not come up: {self._said()}")
            time.sleep(0.02)

    def _end(self) -> None:
        if self.line is not None:
            self.line.close()
        for process in reversed(self.processes):
            process.kill()
            process.wait(timeout=30)
        self.processes = []

    def _said(self) -> str:
        """The end of what was said anywhere."""
        found = [self.folder / name for name in ("log", "console")]
        return "\n".join(each.read_text(errors="replace")[-2000:] for each in found if each.exists())

    # The first files

    def _early(self) -> Iterator[tuple[str, tuple[int, bytes]]]:
        """What the kernel starts with: a shell, what loads modules and what changes root, each with its libraries."""
        files: dict[str, Path] = {}
        for tool in ("sh", "insmod", "mount", "switch_root"):
            found = Path(shutil.which(tool) or "")
            files[f"bin/{tool}"] = found.resolve()
            for word in subprocess.run(["ldd", str(found)], capture_output=True, text=True, timeout=30, check=True).stdout.split():
                if word.startswith("/"):
                    files[word.removeprefix("/")] = Path(word).resolve()
        modules = list(self._modules())
        for each in modules:
            files[f"modules/{each.name}"] = each
        for name, path in files.items():
            yield name, (0o100755, path.read_bytes())
        loading = "\n".join(f"insmod /modules/{each.name}" for each in modules)
        yield "init", (0o100755, EARLY_INIT.format(modules=loading, folder=self.folder).encode())
        for name in ("dev", "proc", "files"):
            yield name, (0o040755, b"")

    def _modules(self) -> Iterator[Path]:
        """Modules and what they need, in the order in which they can be loaded."""
        seen: set[str] = set()
        for name in EARLY:
            command = ["modprobe", "-d", str(KERNEL), "-S", self.version, "--show-depends", name]
            for line in subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.splitlines():
                kind, _, path = line.strip().partition(" ")
                if kind == "insmod" and path not in seen:
                    seen.add(path)
                    yield Path(path.split()[0])


def _archive(files: dict[str, tuple[int, bytes]]) -> bytes:
    """Files by name as the kernel takes them (cpio, "newc"), their folders before them."""
    folders = {str(parent) for name in files for parent in Path(name).parents} - {".", *files}
    entries = [(name, 0o040755, b"") for name in sorted(folders)] + [(name, *each) for name, each in files.items()]
    entries.append(("TRAILER!!!", 0, b""))
    out = bytearray()
    for number, (name, mode, content) in enumerate(entries, start=1):
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        out += b"070701" + "".join(f"{field:08X}" for field in fields).encode() + name.encode() + b"\0"
        out += b"\0" * (-len(out) % 4) + content
        out += b"\0" * (-len(out) % 4)
    return bytes(out)
