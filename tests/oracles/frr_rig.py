"""Real FRR nodes on one machine: each in namespaces of its own, joined by veth or WireGuard, with the file that we emit, unchanged.

The kernel here may have no VRF: zebra then takes a network namespace of the VRF's name for one (`zebra -n`), which the file need not
know. Everything that a node starts dies with the one process that holds its namespaces.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from ztosc.backends.frr import BACKEND
from ztosc.nodes import NodeSpec

DAEMONS = Path("/usr/lib/frr")
RELOAD = DAEMONS / "frr-reload.py"

INIT = """
set -e
for folder in /run/frr /run/netns /run/wireguard /var/tmp/frr; do mkdir -p $folder; mount -t tmpfs none $folder; done
chown frr:frr /run/frr /var/tmp/frr
mount --bind "$1" /etc/frr
hostname "$2"
ip link set lo up
sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv4.ip_forward=1 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
echo ready
exec sleep infinity
"""


def why_not() -> str | None:
    """Why there can be no nodes here, or `None`."""
    if os.geteuid() != 0:
        return "namespaces of nodes need root"
    wanted = [DAEMONS / name for name in ("zebra", "bgpd", "staticd", "bfdd")] + [RELOAD]
    missing = [path.name for path in wanted if not path.is_file()]
    missing += [tool for tool in ("unshare", "nsenter", "ip", "vtysh", "sysctl") if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} not installed"
    script = "mount -t tmpfs none /mnt && ip link add a type veth peer name b && ip link add c type vxlan id 1 dstport 4789 local 127.0.0.1"
    done = subprocess.run(["unshare", "-n", "-m", "-p", "-f", "sh", "-c", script], capture_output=True, text=True, check=False)
    return f"namespaces, veth or VXLAN are not available: {done.stderr.strip()}" if done.returncode else None


class Node:
    """One node."""

    def __init__(self, spec: NodeSpec, folder: Path) -> None:
        self.spec, self.name, self.etc = spec, spec.node, folder / spec.node
        self.etc.mkdir()
        self.conf = BACKEND.render(BACKEND.lower(spec))[0].content
        for name, content in (("frr.conf", self.conf), ("vtysh.conf", b"service integrated-vtysh-config\n")):
            (self.etc / name).write_bytes(content)
            shutil.chown(self.etc / name, "frr", "frr")
        shutil.chown(self.etc, "frr", "frr")
        command = ["unshare", "-n", "-m", "-u", "-p", "-f", "--kill-child", "--mount-proc", "sh", "-c", INIT]
        command += ["sh", str(self.etc), self.name]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None and self.process.stdout.readline() == "ready\n"
        self.pid = int(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()[0])

    def run(self, script: str, *, check: bool = True) -> str:
        """What a shell script says on the node."""
        command = ["nsenter", "-t", str(self.pid), "-n", "-m", "-u", "-p", "sh", "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert not check or done.returncode == 0, f"{self.name}: {script}\n{done.stdout}{done.stderr}"
        return done.stdout

    def vtysh(self, command: str) -> str:
        """What a command of FRR says."""
        return self.run(f"vtysh -c '{command}'")

    def interfaces(self) -> None:
        """What the file expects to be there: loopbacks, and behind each VRF an L3VNI and the local segments."""
        lines = ["set -e"]
        for domain in self.spec.fabric.domains:
            lines += [f"ip addr add {domain.loopback}/128 dev lo", f"ip addr add {domain.vtep}/32 dev lo"]
            local = [segment for segment in self.spec.segments if segment.domain == domain.domain]
            if domain.speaks or local:
                lines += self._vrf(domain.vrf, domain.l3vni, domain.vtep)
            for segment in local:
                inside = f"ip -n {domain.vrf}"
                lines += [f"{inside} link add {segment.interface} type veth peer name {segment.interface}p"]
                lines += [f"{inside} link set {segment.interface} up", f"{inside} link set {segment.interface}p up"]
                lines += [f"{inside} addr add {segment.gateway}/64 dev {segment.interface} nodad"]
            for system in self.spec.systems if domain.speaks else ():
                lines += [f"ip -n {domain.vrf} addr add {system.address}/128 dev lo nodad"]
        self.run("\n".join(lines))

    @staticmethod
    def _vrf(name: str, vni: int, vtep: str) -> list[str]:
        return [
            f"ip netns add {name}",
            f"ip netns exec {name} sysctl -qw net.ipv6.conf.all.forwarding=1",
            f"ip -n {name} link set lo up",
            f"ip link add zx{vni} type vxlan id {vni} local {vtep} dstport 4789 nolearning",
            f"ip link set zx{vni} netns {name}",
            f"ip -n {name} link add zd{vni} type bridge",
            f"ip -n {name} link set zx{vni} master zd{vni}",
            f"ip -n {name} link set zx{vni} up",
            f"ip -n {name} link set zd{vni} up",
        ]

    def start(self) -> None:
        """Every daemon that our `daemons` file names."""
        for name, options in (("zebra", "-n -s 90000000"), ("staticd", ""), ("bfdd", ""), ("bgpd", "")):
            self.run(f"{DAEMONS}/{name} -d -P 0 -f /etc/frr/frr.conf --log file:/run/frr/{name}.log {options} >/dev/null 2>&1")

    def drift(self) -> str:
        """What `frr-reload.py --test` would change, but for the one line that a namespace in the place of a VRF adds."""
        running = [line for line in self.vtysh("show running-config").splitlines() if not line.startswith(" netns ")]
        start = next(number for number, line in enumerate(running) if line.startswith("frr version"))
        (self.etc / "running").write_text("\n".join(running[start:]) + "\n")
        return self.run(f"{RELOAD} --test --stdout --log-level error --input /etc/frr/running /etc/frr/frr.conf", check=False)

    def alive(self) -> bool:
        """Whether every daemon answers."""
        daemons = ("zebra", "bgpd", "staticd", "bfdd")
        return all("FRRouting" in self.run(f"vtysh -d {name} -c 'show version'", check=False) for name in daemons)

    def stop(self) -> None:
        """End the node with everything in it."""
        self.process.kill()
        self.process.wait(timeout=10)
        if self.process.stdout is not None:
            self.process.stdout.close()


def join(nodes: dict[str, Node]) -> None:
    """A veth for each tunnel, with its inner addresses."""
    for node in nodes.values():
        for side in node.spec.tunnels:
            if node.name < side.peer:
                other = nodes[side.peer]
                ends = ["type", "veth", "peer", "name", side.interface, "netns", str(other.pid)]
                subprocess.run(["ip", "link", "add", side.interface, "netns", str(node.pid), *ends], check=True, capture_output=True)
    for node in nodes.values():
        for side in node.spec.tunnels:
            node.run(f"ip addr add {side.own_address}/127 dev {side.interface} nodad; ip link set {side.interface} up")


def until(holds: Callable[[], bool], seconds: float) -> bool:
    """Whether something comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.5)
    return holds()
