"""Real FRR nodes on one machine: each in namespaces of its own, joined by veth or WireGuard, with the file that we emit.

The kernel here may have no VRF: zebra then takes a network namespace of the VRF's name for one (`zebra -n`), which the file need not
know but for one word: an interface in a namespace must say in which. Everything that a node starts dies with the one process that holds
its namespaces.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ztosc.backends.frr import BACKEND
from ztosc.backends.nftables import BACKEND as NFTABLES
from ztosc.nodes import NodeSpec
from ztosc.nodes.spec import TunnelSide

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

RECEIVE = """
import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 7))
s.settimeout(4)
print("listening", flush=True)
try: print(s.recvfrom(9)[1][0], flush=True)
except TimeoutError: print("nothing", flush=True)
"""
SOLICIT = """
import socket, struct
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
s.settimeout(1)
for _ in range(20):
    try:
        s.sendto(bytes([133]) + bytes(7), ("ff02::2", 0, 0, socket.if_nametoindex("host")))
        while (found := s.recvfrom(1500)[0])[0] != 134: pass
        print(found.hex()); break
    except OSError: pass
"""
"""A host asks for a router (RFC 4861 §4.1) and shows the advertisement that comes."""
SEND = """
import socket, sys, time
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 0))
for _ in range(15):
    try: s.sendto(b"x", (sys.argv[2], 7))
    except OSError: pass
    time.sleep(0.1)
"""


def why_not() -> str | None:
    """Why there can be no nodes here, or `None`."""
    if os.geteuid() != 0:
        return "namespaces of nodes need root"
    wanted = [DAEMONS / name for name in ("zebra", "bgpd", "staticd", "bfdd")] + [RELOAD]
    missing = [path.name for path in wanted if not path.is_file()]
    missing += [tool for tool in ("unshare", "nsenter", "ip", "nft", "vtysh", "sysctl") if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} not installed"
    links = "ip link add zt0 type veth peer name zt1 && ip link add zt2 type vxlan id 1 dstport 4789 local 127.0.0.1"
    script = f"mount -t tmpfs none /mnt && {links}"
    done = subprocess.run(["unshare", "-n", "-m", "-p", "-f", "sh", "-c", script], capture_output=True, text=True, check=False)
    return f"namespaces, veth or VXLAN are not available: {done.stderr.strip()}" if done.returncode else None


class Node:
    """One node."""

    def __init__(self, spec: NodeSpec, folder: Path) -> None:
        self.spec, self.name, self.etc = spec, spec.node, folder / spec.node
        self.etc.mkdir()
        self.conf = self._placed(BACKEND.render(BACKEND.lower(spec))[0].content.decode()).encode()
        for name, content in (("frr.conf", self.conf), ("vtysh.conf", b"service integrated-vtysh-config\n")):
            (self.etc / name).write_bytes(content)
            shutil.chown(self.etc / name, "frr", "frr")
        shutil.chown(self.etc, "frr", "frr")
        command = ["unshare", "-n", "-m", "-u", "-p", "-f", "--kill-child", "--mount-proc", "sh", "-c", INIT]
        command += ["sh", str(self.etc), self.name]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None and self.process.stdout.readline() == "ready\n"
        self.pid = int(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()[0])

    def _placed(self, text: str) -> str:
        """The file with the VRF of each segment's bridge: with real VRFs, FRR knows it from the kernel and must not be told."""
        vrfs = {domain.domain: domain.vrf for domain in self.spec.fabric.domains}
        found = {segment.interface: vrfs[segment.domain] for segment in self.spec.segments}
        return re.sub(r"^interface (\S+)$", lambda match: f"{match[0]} vrf {found[match[1]]}", text, flags=re.M)

    def _entered(self, script: str) -> list[str]:
        return ["nsenter", "-t", str(self.pid), "-n", "-m", "-u", "-p", "sh", "-c", script]

    def run(self, script: str, *, check: bool = True) -> str:
        """What a shell script says on the node."""
        done = subprocess.run(self._entered(script), capture_output=True, text=True, timeout=60, check=False)
        assert not check or done.returncode == 0, f"{self.name}: {script}\n{done.stdout}{done.stderr}"
        return done.stdout

    def vtysh(self, *commands: str) -> str:
        """What commands of FRR say, one after the other."""
        return self.run("vtysh " + " ".join(f"-c '{command}'" for command in commands))

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
            for held in (each for each in self.spec.fabric.held if each.table == domain.l3vni):
                inside = f"ip -n {domain.vrf}"
                if held.interface not in {segment.interface for segment in local}:
                    # A bridge cannot be in two namespaces: what is announced can be seen without it, what is sent cannot.
                    lines += [f"{inside} link show {held.interface} >/dev/null 2>&1 || {inside} link add {held.interface} type bridge"]
                    lines += [f"{inside} link set {held.interface} up"]
                lines += [f"{inside} -6 route add {held.prefix} dev {held.interface} proto 122 metric 10"]
        self.run("\n".join(lines))

    def host(self, segment: str, address: str | None = None) -> str:
        """A host behind a port of a segment, in a namespace of its own, with an address or with what it hears from routers."""
        (found,) = (each for each in self.spec.segments if each.segment == segment)
        (vrf,) = (each.vrf for each in self.spec.fabric.domains if each.domain == found.domain)
        name = f"h-{found.interface}"
        lines = [f"ip netns add {name}", f"ip -n {vrf} link set {found.interface}p netns {name} name host"]
        lines += [f"ip -n {name} link set lo up", f"ip -n {name} addr add {address}/128 dev host nodad" if address else "true"]
        self.run("\n".join(["set -e", *lines, f"ip -n {name} link set host up"]))
        return name

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

    def firewall(self) -> None:
        """The node's own ruleset: everything that it does not name is dropped from now on."""
        artifact = next(each for each in NFTABLES.render(NFTABLES.lower(self.spec)) if each.path.endswith(".nft"))
        (self.etc / "ruleset.nft").write_bytes(artifact.content)
        self.run("TZ=UTC nft -f /etc/frr/ruleset.nft")

    def start(self, zebra: str = "-n -s 90000000") -> None:
        """Every daemon that our `daemons` file names."""
        for name, options in (("zebra", zebra), ("staticd", ""), ("bfdd", ""), ("bgpd", "")):
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

    def listens_to(self, other: Node, source: str, destination: str, *, vrf: str | None = None, sender: str | None = None) -> bool:
        """Whether a datagram that another node sends from one address to another arrives here; in namespaces, where they are named."""
        here, there = (f"ip netns exec {name} " if name else "" for name in (vrf, sender or vrf))
        receive = self._entered(f"{here}{sys.executable} -c '{RECEIVE}' {destination}")
        with subprocess.Popen(receive, stdout=subprocess.PIPE, text=True) as listener:
            assert listener.stdout is not None and listener.stdout.readline() == "listening\n"
            other.run(f"{there}{sys.executable} -c '{SEND}' {source} {destination}", check=False)
            return listener.stdout.readline() == f"{source}\n"

    def stop(self) -> None:
        """End the node with everything in it."""
        self.process.kill()
        self.process.wait(timeout=10)
        if self.process.stdout is not None:
            self.process.stdout.close()


def join(nodes: dict[str, Node]) -> None:
    """A veth in the place of each tunnel, with its inner addresses."""
    for node in nodes.values():
        for side in node.spec.tunnels:
            if node.name < side.peer:
                cable(node, nodes[side.peer], side.interface)
    for node in nodes.values():
        for side in node.spec.tunnels:
            node.run(f"ip addr add {side.own_address}/127 dev {side.interface} nodad; ip link set {side.interface} up")


def cable(one: Node, other: Node, name: str) -> None:
    """A veth between two nodes."""
    ends = ["type", "veth", "peer", "name", name, "netns", str(other.pid)]
    subprocess.run(["ip", "link", "add", name, "netns", str(one.pid), *ends], check=True, capture_output=True)


def why_no_wireguard() -> str | None:
    """Why there can be no tunnels here, or `None`."""
    missing = [tool for tool in ("wireguard-go", "wg") if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} not installed"
    return None if Path("/dev/net/tun").exists() else "there is no /dev/net/tun"


def join_by_wireguard(nodes: dict[str, Node]) -> None:
    """A real tunnel for each link, over a cable with the nodes' underlay addresses; AllowedIPs are those of the specs."""
    cables(nodes)
    for node in nodes.values():
        node.run("\n".join(line for side in node.spec.tunnels for line in _tunnel(side)))
    keys(nodes)


def cables(nodes: dict[str, Node]) -> None:
    """What lies under each tunnel."""
    for node in nodes.values():
        for side in node.spec.tunnels:
            if node.name < side.peer:
                cable(node, nodes[side.peer], _below(side))
    for node in nodes.values():
        for side in node.spec.tunnels:
            below = _below(side)
            node.run(f"ip addr add {side.own_underlay}/128 dev {below} nodad; ip link set {below} up")
            node.run(f"ip -6 route add {side.peer_underlay} dev {below}")


def _below(side: TunnelSide) -> str:
    return side.interface.replace("zw", "cable")


def _tunnel(side: TunnelSide) -> list[str]:
    name, local = side.interface, f"fe80::{int(ipaddress.IPv6Address(side.own_address)) & 0xFFFF:x}"
    return [
        "set -e",
        f"LOG_LEVEL=error wireguard-go {name} >/dev/null 2>&1",
        f"ip link set {name} addrgenmode none mtu 1420",
        f"ip addr add {side.own_address}/127 dev {name} nodad; ip addr add {local}/64 dev {name} nodad; ip link set {name} up",
    ]


def keys(nodes: dict[str, Node]) -> None:
    """Keys and peers for tunnels that are there, and a first packet in each."""
    make = "umask 077; wg genkey >/run/wireguard/key; wg pubkey </run/wireguard/key"
    public = {name: node.run(make).strip() for name, node in nodes.items()}
    for node in nodes.values():
        for side in node.spec.tunnels:
            allowed = ",".join((f"{side.peer_address}/128", "fe80::/10", *side.pools))
            peer = f"peer {public[side.peer]} allowed-ips {allowed} endpoint [{side.peer_underlay}]:{side.port}"
            node.run(f"wg set {side.interface} listen-port {side.port} private-key /run/wireguard/key {peer}")
    for node in nodes.values():
        for side in node.spec.tunnels:
            if node.name < side.peer:  # one side speaks first: both at once lose seconds
                assert nodes[side.peer].listens_to(node, side.own_address, side.peer_address)


def until(holds: Callable[[], bool], seconds: float) -> bool:
    """Whether something comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.5)
    return holds()
