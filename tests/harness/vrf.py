"""A lab whose nodes are what the emitted files make of them: kernel VRFs by the applier, VXLAN through kernel WireGuard between nodes.

Static neighbours, forwarding entries and routes stand in for the control plane. Every port of a host is a port of the policy, so the
applier attaches it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.harness.inside import Inside
from tests.harness.lab import OUTSIDE_GATE, Lab
from tests.harness.layout import Host, hosts
from tests.nodes import networks as n
from tests.runner.namespace import archive
from ztosc.backends import backends, render, render_network
from ztosc.backends.underlay import BACKEND as UNDERLAY
from ztosc.ir.intent import Attachment
from ztosc.ir.network import Network
from ztosc.nodes import NodeSpec, project
from ztosc.nodes.spec import Transit, TunnelSide

EMITTED = ("bind", "interfaces", "nftables")


def attached(network: Network) -> tuple[NodeSpec, ...]:
    """The nodes' specs, with a port for each host behind them that is called like it."""
    specs = project(network)
    found = hosts(network, specs)

    def ports(spec: NodeSpec, interface: str, segment: str) -> tuple[Attachment, ...]:
        names = (host.name for host in found if (host.node, host.interface) == (spec.node, interface))
        return tuple(Attachment(port=name, segment=segment, origin=n.here(1)) for name in names)

    def plugged(spec: NodeSpec) -> NodeSpec:
        segments = (each.model_copy(update={"attachments": ports(spec, each.interface, each.segment)}) for each in spec.segments)
        return spec.model_copy(update={"segments": tuple(segments)})

    return tuple(plugged(spec) for spec in specs)


class VrfLab(Lab):
    """Nodes with VRFs; the underlay and the outside share one wire, on every node's `out0`."""

    def __init__(self, network: Network, folder: Path, machine: Inside) -> None:
        specs = attached(network)
        chosen = [each for each in backends() if each.name in EMITTED]
        bundle = render_network(network, render(specs, chosen), [UNDERLAY])
        super().__init__(network, specs, bundle, folder, machine)
        self.machine = machine
        self.archive = archive(folder)
        self.plans = {spec.node: f"/run/{self.prefix}-{spec.node}.json" for spec in specs}
        self.keys: dict[tuple[str, str], tuple[str, str]] = {}
        """Private and public, by link and node."""

    def table(self, node: str) -> dict[str, Any]:
        """What is emitted for a node's interfaces."""
        (artifact,) = self.bundle.of(node, "interfaces")
        found: dict[str, Any] = json.loads(artifact.content)
        return found

    def interfaces(self, node: str, mode: str) -> dict[str, Any]:
        """The report of the applier."""
        said = self.machine.runner(self.space(node), str(self.archive), "interfaces", mode, self.plans[node])
        found: dict[str, Any] = json.loads(said)
        return found

    # Instead of what a lab without VRFs makes

    def _sysctl(self, name: str, *, host: bool) -> None:
        super()._sysctl(name, host=True)

    def _attach(self, host: Host) -> None:
        """The applier did."""

    def _node(self, spec: NodeSpec) -> None:
        number = self.numbers[spec.node]
        self._cable(spec.node, "out0", "outer", f"o{number}")
        others = [each for each in self.specs if each.node != spec.node]
        lines = ["link set lo up", f"addr add fe80::{number:x}/64 dev out0 nodad", f"addr add {spec.underlay}/128 dev out0 nodad"]
        lines += [f"route add {each.underlay}/128 via fe80::{self.numbers[each.node]:x} dev out0" for each in others]
        lines.append(f"route add default via {OUTSIDE_GATE} dev out0")
        self._ip(spec.node, lines)
        for host in self.hosts:
            if host.node == spec.node:
                self._plug(host)
        (artifact,) = self.bundle.of(spec.node, "interfaces")
        self.where.write(self.plans[spec.node], artifact.content.decode())
        report = self.interfaces(spec.node, "--apply")
        assert report["code"] == 0, report

    def _routes(self, spec: NodeSpec) -> Iterator[str]:
        """Between nodes: tunnels, then what is behind them in each VRF."""
        for side in spec.tunnels:
            self._tunnel(spec, side)
            yield f"link set {side.interface} up"
            peer = next(each for each in self.specs if each.node == side.peer)
            yield from (f"route add {each.vtep}/32 dev {side.interface}" for each in peer.loopbacks)
        for transit in spec.transits:
            for peer in self.specs:
                if peer.node != spec.node and any(each.domain == transit.domain for each in peer.transits):
                    yield from self._remote(spec, transit, peer)

    def _tunnel(self, spec: NodeSpec, side: TunnelSide) -> None:
        private, _ = self._key(side.link, spec.node)
        _, public = self._key(side.link, side.peer)
        self.inside(spec.node, "wg", "set", side.interface, "listen-port", str(side.port), "private-key", "/dev/stdin", given=private)
        allowed = ",".join(side.pools)
        endpoint = f"[{side.peer_underlay}]:{side.port}"
        self.inside(spec.node, "wg", "set", side.interface, "peer", public, "endpoint", endpoint, "allowed-ips", allowed)

    def _key(self, link: str, node: str) -> tuple[str, str]:
        if (link, node) not in self.keys:
            private = self.where.run("wg", "genkey").strip()
            self.keys[(link, node)] = (private, self.where.run("wg", "pubkey", given=private).strip())
        return self.keys[(link, node)]

    def _remote(self, spec: NodeSpec, transit: Transit, peer: NodeSpec) -> Iterator[str]:
        """What a peer's segments, hosts and system services are reached by in one VRF."""
        gate, device = f"fe80::{self.numbers[peer.node]:x}", transit.interface
        mac = next(each["mac"] for each in self.table(peer.node)["interfaces"] if each["name"] == device)
        vtep = next(each.vtep for each in peer.loopbacks if each.domain == transit.domain)
        self.inside(spec.node, "bridge", "fdb", "add", mac, "dev", f"zx{transit.l3vni}", "dst", vtep, "self", "permanent")
        self.inside(spec.node, "bridge", "fdb", "add", mac, "dev", f"zx{transit.l3vni}", "master", "static")
        yield f"neigh add {gate} lladdr {mac} dev {device} nud permanent"
        here = {each.prefix for each in spec.segments}
        found = {each.prefix for each in peer.segments if each.domain == transit.domain} - here
        bridges = {each.interface for each in peer.segments if each.domain == transit.domain}
        found |= {host.prefix for host in self.hosts if host.node == peer.node and host.interface in bridges}
        systems = {each.address for each in spec.systems}
        found |= {f"{each.address}/128" for each in peer.systems if each.address not in systems}
        for prefix in sorted(found):
            yield f"route replace {prefix} via {gate} dev {device} table {transit.l3vni} onlink"
