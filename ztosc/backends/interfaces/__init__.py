"""Interfaces: what a node's kernel must hold below the daemons, as one declarative file for the applier on the node.

Guarantees: every interface is named, prefixed and marked as ours; nothing in the file is a command; no route of the overlay may fall
through to the underlay. The applier is `ztosc.runner`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from ztosc import resources
from ztosc.backends.base import Artifact, ReadFault
from ztosc.backends.interfaces.lower import lower
from ztosc.backends.interfaces.model import NAME, OURS, Interfaces
from ztosc.backends.interfaces.text import read, written
from ztosc.backends.manifest import Manifest, load
from ztosc.diagnostics import Diagnostic
from ztosc.ir.intent import Node, Segment
from ztosc.ir.network import Network
from ztosc.nodes.spec import NodeSpec, spans
from ztosc.source import Span

PATH = "interfaces.json"
RESERVED = frozenset({"all", "default", "lo"})
"""Names that mean something else to the kernel."""


class InterfacesTarget:
    """The interfaces of a node."""

    name = "interfaces"

    @cached_property
    def folder(self) -> Path:
        return resources.target_file(self.name, "target.toml").parent

    @cached_property
    def manifest(self) -> Manifest:
        return load(self.folder / "target.toml")

    def applies(self, spec: NodeSpec) -> bool:
        """Every node."""
        return True

    def lower(self, spec: NodeSpec) -> Interfaces:
        """The interfaces of a node. Raises `BackendFault` for what no kernel would take."""
        return lower(spec)

    def render(self, model: Interfaces) -> tuple[Artifact, ...]:
        """One file."""
        kind = self.manifest.artifacts[0]
        return (Artifact(PATH, written(model), kind.mode, kind.owner),)

    def read(self, artifacts: Iterable[Artifact]) -> Interfaces:
        """The interfaces that the file means."""
        found = {artifact.path: artifact for artifact in artifacts}
        if set(found) != {PATH}:
            raise ReadFault(PATH, 1, f"exactly `{PATH}` is expected")
        return read(PATH, found[PATH].content)

    def origins(self, spec: NodeSpec, path: str) -> tuple[Span, ...]:
        """The node, its segments with their ports, its links."""
        ports = (port.origin for each in spec.segments for port in each.attachments)
        return spans([spec.origin, *(each.origin for each in spec.segments), *(each.origin for each in spec.tunnels), *ports])

    def unsupported(self, network: Network) -> tuple[Diagnostic, ...]:
        """Ports that Linux cannot have, and segments that ask for more than a routed bridge."""
        ports = (each for node in network.intent.nodes for each in _of_ports(node))
        return (*ports, *(each for segment in network.intent.segments for each in _of_segment(segment)))


def _of_ports(node: Node) -> Iterator[Diagnostic]:
    for each in node.attachments:
        if not NAME.fullmatch(each.port) or each.port in RESERVED:
            message = f"node `{node.name}` cannot have a port of this name"
            yield Diagnostic("ZT603", message, each.origin, help="an interface has at most 15 letters, digits, `_`, `.` and `-`")
        elif OURS.match(each.port):
            message = f"port `{each.port}` of node `{node.name}` is called like an interface of ours"
            yield Diagnostic("ZT603", message, each.origin, help="give the port another name on the node")


def _of_segment(segment: Segment) -> Iterator[Diagnostic]:
    asked = {"stretched": segment.stretched, "ipv4": segment.ipv4 is not None, "access tunnel": segment.access_tunnel}
    for clause, given in asked.items():
        if given:
            message = f"segment `{segment.name}` asks for `{clause}`, for which target `interfaces` makes no interface"
            yield Diagnostic("ZT603", message, segment.origin)


BACKEND = InterfacesTarget()
