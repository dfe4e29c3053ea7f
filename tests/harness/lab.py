"""Nodes and hosts as network namespaces on one machine: a plain routed underlay, the emitted rulesets, an agent in each host.

Guarantees: every namespace carries this lab's own prefix and is deleted when the lab ends, however it ends; only processes that
it started are ended, each by its handle. Needs root.

A node has a bridge for each segment, called as in its plan, whose ports are isolated so that even neighbours pass the node; an
interface called like its isolation domain, on which other nodes' traffic arrives; and `out0` to the outside.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.harness import here
from tests.harness.here import LabFault
from tests.harness.layout import Host, hosts, outside
from ztosc.backends import Artifact, Bundle
from ztosc.ir.network import Network
from ztosc.nodes import NodeSpec

OUTSIDE_GATE = "fe80::e:e"
_serial = itertools.count()

SYSCTL = {
    "net/ipv6/conf/all/forwarding": "1",
    "net/ipv6/conf/default/accept_dad": "0",
    "net/ipv6/conf/all/accept_ra": "0",
    "net/bridge/bridge-nf-call-ip6tables": "0",
}


class Lab:
    """A network as namespaces; use as a context manager."""

    def __init__(
        self, network: Network, specs: tuple[NodeSpec, ...], bundle: Bundle, folder: Path, where: here.Place | None = None
    ) -> None:
        self.where = where or here.Here()
        self.network, self.specs, self.bundle, self.folder = network, specs, bundle, folder
        self.prefix = f"zth{os.getpid()}n{next(_serial)}"
        self.hosts = hosts(network, specs)
        self.outside = outside(network)
        self.spaces: list[str] = []
        self.numbers = {spec.node: index for index, spec in enumerate(specs, start=1)}

    def __enter__(self) -> Lab:
        try:
            self._up()
        except BaseException:
            self._down()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._down()

    def space(self, name: str) -> str:
        """The namespace of a node or host."""
        return f"{self.prefix}-{name}"

    def inside(self, name: str, *command: str, given: str | None = None) -> str:
        """What a command prints in a namespace."""
        return self.where.run("ip", "netns", "exec", self.space(name), *command, given=given)

    # Up and down

    def _up(self) -> None:
        for name in ("wire", "out", *(spec.node for spec in self.specs), *(host.name for host in self.hosts)):
            self.where.run("ip", "netns", "add", self.space(name))
            self.spaces.append(self.space(name))
        self._ip(
            "wire",
            [
                "link add transit type bridge mcast_snooping 0",
                "link set transit up",
                "link add outer type bridge mcast_snooping 0",
                "link set outer up",
            ],
        )
        for name in ("out", *(spec.node for spec in self.specs), *(host.name for host in self.hosts)):
            self._sysctl(name, host=name not in self.numbers)
        for spec in self.specs:
            self._node(spec)
        self._outside()
        for host in self.hosts:
            self._host(host)
        for spec in self.specs:
            self._ip(spec.node, self._routes(spec))
            self.load(spec.node)
        self._start()

    def _down(self) -> None:
        self.where.end()
        for space in self.spaces:
            with suppress(LabFault):
                self.where.run("ip", "netns", "delete", space)
        self.spaces = []

    def _ip(self, name: str, lines: Iterable[str]) -> None:
        self.where.run("ip", "-n", self.space(name), "-batch", "-", given="\n".join(lines))

    def _sysctl(self, name: str, *, host: bool) -> None:
        values = {key: value for key, value in SYSCTL.items() if not (host and key.endswith("forwarding"))}
        words = "; ".join(f"[ ! -e /proc/sys/{key} ] || echo {value} >/proc/sys/{key}" for key, value in values.items())
        self.inside(name, "sh", "-ec", words)

    def _cable(self, name: str, interface: str, bridge: str, port: str) -> None:
        wire = self.space("wire")
        self._ip(name, [f"link add {interface} type veth peer name {port} netns {wire}", f"link set {interface} up"])
        self._ip("wire", [f"link set {port} master {bridge} up"])

    def _node(self, spec: NodeSpec) -> None:
        number = self.numbers[spec.node]
        self._cable(spec.node, self._transit(spec), "transit", f"t{number}")
        self._cable(spec.node, "out0", "outer", f"o{number}")
        own = [*(loopback.address for loopback in spec.loopbacks), *(system.address for system in spec.systems)]
        lines = ["link set lo up", *(f"addr add {address}/128 dev lo nodad" for address in own)]
        lines += [f"addr add fe80::{number:x}/64 dev {self._transit(spec)} nodad", f"addr add fe80::{number:x}/64 dev out0 nodad"]
        lines.append(f"addr add {spec.underlay}/128 dev out0 nodad")
        for segment in spec.segments:
            lines.append(f"link add {segment.interface} type bridge mcast_snooping 0")
            lines.append(f"link set {segment.interface} up")
            lines.append(f"addr add {segment.gateway}/64 dev {segment.interface} nodad")
        self._ip(spec.node, lines)

    @staticmethod
    def _transit(spec: NodeSpec) -> str:
        return spec.transits[0].interface

    def _outside(self) -> None:
        self._cable("out", "eth0", "outer", "world")
        lines = [
            "link set lo up",
            f"addr add {OUTSIDE_GATE}/64 dev eth0 nodad",
            *(f"addr add {address}/128 dev eth0 nodad" for address, _ in self.outside),
        ]
        lines += [f"route add {host.prefix} via fe80::{self.numbers[host.node or '']:x} dev eth0" for host in self.hosts]
        lines += [
            f"route add {each.address}/128 via fe80::{self.numbers[each.nodes[0]]:x} dev eth0"
            for each in self.network.anycast
            if each.nodes
        ]
        self._ip("out", lines)

    def _plug(self, host: Host) -> None:
        """A host's cable to its node."""
        node = self.space(host.node or "")
        self._ip(host.name, ["link set lo up", f"link add eth0 type veth peer name {host.name} netns {node}", "link set eth0 up"])

    def _attach(self, host: Host) -> None:
        """The node's end of it."""
        self._plug(host)
        self._ip(
            host.node or "", [f"link set {host.name} master {host.interface} up", f"link set {host.name} type bridge_slave isolated on"]
        )

    def _host(self, host: Host) -> None:
        self._attach(host)
        lines = [f"addr add {address}/128 dev eth0 nodad" for address in host.addresses]
        self._ip(host.name, [*lines, f"route add {host.gateway}/128 dev eth0", f"route add default via {host.gateway} dev eth0"])

    def _routes(self, spec: NodeSpec) -> Iterator[str]:
        """Other nodes' hosts over the transit, everything else to the outside."""
        here, device = {segment.prefix for segment in spec.segments}, self._transit(spec)
        for host in self.hosts:
            if host.node != spec.node:
                yield f"route add {host.prefix} via fe80::{self.numbers[host.node or '']:x} dev {device}"
        for plan in self.network.segments:
            for place in plan.places:
                if place.prefix not in here:
                    yield f"route add {place.prefix} via fe80::{self.numbers[place.nodes[0]]:x} dev {device}"
        for each in self.network.anycast:
            if each.nodes and spec.node not in each.nodes:
                yield f"route add {each.address}/128 via fe80::{self.numbers[each.nodes[0]]:x} dev {device}"
        yield f"route add default via {OUTSIDE_GATE} dev out0"

    # Rulesets

    def load(self, node: str) -> None:
        """Load the emitted files, byte for byte, in the order in which the manifest of the firewall does."""
        for artifact in self.files(node):
            self.load_file(node, artifact)

    def files(self, node: str) -> tuple[Artifact, ...]:
        """The node's own ruleset, then the file for all nodes."""
        own = (each for each in self.bundle.of(node, "nftables") if each.path.endswith(".nft"))
        return (*own, *self.bundle.at("underlay"))

    def load_file(self, node: str, artifact: Artifact) -> None:
        """One of them."""
        self.inside(node, "env", "TZ=UTC", "nft", "-f", "-", given=artifact.content.decode())

    def nft(self, node: str, lines: Sequence[str]) -> str:
        """Commands in one transaction."""
        return self.inside(node, "env", "TZ=UTC", "nft", "-f", "-", given="\n".join(lines)) if lines else ""

    # Agents

    def _start(self) -> None:
        for name in ("out", *(spec.node for spec in self.specs if spec.systems), *(host.name for host in self.hosts)):
            self.where.agent(self.space(name))

    def tell(self, name: str, command: str, *arguments: Any) -> None:
        """Give an agent something to do, without waiting."""
        self.where.tell(self.space(name), json.dumps([command, arguments]) + "\n")

    def answer(self, name: str) -> Any:
        """What an agent says to the oldest unanswered command. Raises `LabFault` where it failed."""
        line = self.where.answer(self.space(name))
        found = json.loads(line) if line else {"error": "the agent has ended"}
        if isinstance(found, dict):
            raise LabFault(f"{name}: {found['error']}")
        return found

    def ask(self, name: str, command: str, *arguments: Any) -> Any:
        """Tell and wait."""
        self.tell(name, command, *arguments)
        return self.answer(name)
