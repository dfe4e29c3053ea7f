"""Network → how each node routes: who its neighbours are, what it announces, what it may import.

Guarantees: routes follow grants. A node imports the routes of a segment, system or NAT64 only if a grant, in either direction because
answers must return, joins it with something that lives on this node; whoever relays between two other nodes learns of no segment.
Sessions and numbers of a node depend on what it is joined with alone, so an unrelated node changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from ztosc.ir.network import IsolationDomain, Loopback, Network
from ztosc.ir.spaces import loopback_pool, vrf_name, vtep_pool
from ztosc.logic import addresses, intervals
from ztosc.logic.ports import Boxes
from ztosc.nodes.fabric_spec import DomainFabric, Export, Fabric, Import, Session, SessionKind, Tag, UnderlayPeer
from ztosc.nodes.spec import NodeFlow, TunnelSide
from ztosc.nodes.view import Whole
from ztosc.source import Span

NAT64 = Tag(kind="nat64", number=0)
HOST_BITS = (1 << 32) - 1
BGP: Boxes = ((6, 6, 179, 179),)
BFD: Boxes = ((17, 17, 3784, 3784),)
"""Single hop (RFC 5881 §4)."""
VXLAN: Boxes = ((17, 17, 4789, 4789),)
"""RFC 7348 §5."""


@dataclass(frozen=True, slots=True)
class _Source:
    """Something that is announced: by which nodes, with which prefix each, and which segments it is joined with."""

    tag: Tag
    domain: str | None
    """Absent: wherever somebody who is joined with it lives."""
    at: dict[str, str]
    joined: frozenset[str]


@dataclass(slots=True)
class _Domain:
    """One isolation domain over all nodes."""

    plan: IsolationDomain
    loopbacks: dict[str, Loopback]
    component: dict[str, int]
    exports: dict[str, dict[Tag, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    imports: dict[str, dict[tuple[Tag, str], set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    """By importing node: tag and exporting node."""
    peers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By node: those with which it exchanges traffic."""

    def join(self, importer: str, tag: Tag, origin: str, prefix: str) -> None:
        """`importer` may use a route that `origin` announces."""
        self.imports[importer][(tag, origin)].add(prefix)
        self.exports[origin][tag].add(prefix)
        self.peers[importer].add(origin)
        self.peers[origin].add(importer)

    def speaks(self, node: str) -> bool:
        return node in self.exports or node in self.imports


class Fabrics:
    """Routing of the whole network, computed once."""

    def __init__(self, whole: Whole) -> None:
        self.whole = whole
        network = whole.network
        self.asns = {plan.node: plan.asn for plan in network.nodes}
        self.lives: dict[str, dict[str, str]] = {
            plan.segment: {node: place.prefix for place in plan.places for node in place.nodes} for plan in network.segments
        }
        self.here: dict[str, set[str]] = defaultdict(set)
        for segment, at in self.lives.items():
            for node in at:
                self.here[node].add(segment)
        self.domains = {plan.name: self._domain(plan) for plan in network.domains}
        for source in (*self._segments(), *self._offers()):
            self._join(source)
        self.reflectors = {name: self._reflectors(domain) for name, domain in self.domains.items()}
        self.speakers = {name: self._speakers(domain) for name, domain in self.domains.items()}

    def _domain(self, plan: IsolationDomain) -> _Domain:
        found = {node.node: loopback for node in self.whole.network.nodes for loopback in node.loopbacks if loopback.domain == plan.name}
        return _Domain(plan, found, self._components(plan))

    def _components(self, plan: IsolationDomain) -> dict[str, int]:
        """Nodes of a domain by the part of it that tunnels join."""
        neighbours: dict[str, list[str]] = {node: [] for node in plan.nodes}
        links = {link.name: link for link in self.whole.network.intent.links}
        for tunnel in self.whole.network.tunnels:
            if plan.name in tunnel.domains:
                ends = links[tunnel.link]
                neighbours[ends.a].append(ends.b)
                neighbours[ends.b].append(ends.a)
        found: dict[str, int] = {}
        for number, start in enumerate(sorted(neighbours)):
            pending = [start]
            while pending:
                node = pending.pop()
                if node not in found:
                    found[node] = number
                    pending.extend(neighbours[node])
        return found

    # Who is joined with whom

    def _segments(self) -> Iterator[_Source]:
        joined: dict[str, set[str]] = defaultdict(set)
        for (kind, name), targets in self.whole.cells.items():
            for target in targets:
                if kind == "segment" and target.kind == "segment":
                    joined[name].add(target.name)
                    joined[target.name].add(name)
        for name, plan in self.whole.plans.items():
            yield _Source(Tag(kind="segment", number=plan.vni), plan.domain, self.lives[name], frozenset(joined[name]))

    def _offers(self) -> Iterator[_Source]:
        """What nodes themselves offer to segments that ask for it: system services, and the way to IPv4."""
        asks: dict[tuple[str, str], set[str]] = defaultdict(set)
        for (kind, name), targets in self.whole.cells.items():
            for target in targets:
                if kind == "segment" and target.kind != "segment":
                    asks[(target.kind, target.name)].add(name)
        for each in self.whole.network.anycast:
            tag = Tag(kind="system", number=addresses.value(each.address) & HOST_BITS)
            at = dict.fromkeys(each.nodes, f"{each.address}/128")
            yield _Source(tag, None, at, frozenset(asks[("system", each.system)]))
        ipv4 = [name for name, reach in self.whole.externals.items() if intervals.intersect(reach, addresses.ALL4)]
        translators = [node.name for node in self.whole.network.intent.nodes if "nat64" in node.serves]
        at = dict.fromkeys(translators, self.whole.network.nat64_prefix)
        yield _Source(NAT64, None, at, frozenset(segment for name in ipv4 for segment in asks[("external", name)]))

    def _join(self, source: _Source) -> None:
        """Exports and imports between every two nodes that a source joins."""
        for segment in source.joined:
            domain = self.domains[self.whole.plans[segment].domain]
            if source.domain not in (None, domain.plan.name):
                continue
            for node in self.lives[segment]:
                self._import(domain, source, node)
                if source.domain is None:
                    self._answers(domain, source, segment, node)

    def _import(self, domain: _Domain, source: _Source, node: str) -> None:
        if source.domain is None and node in source.at:
            return
        for other, prefix in source.at.items():
            if other != node and other in domain.loopbacks and source.at.get(node) != prefix:
                domain.join(node, source.tag, other, prefix)

    def _answers(self, domain: _Domain, source: _Source, segment: str, node: str) -> None:
        """Whoever offers something must find back to those who ask."""
        tag, prefix = Tag(kind="segment", number=self.whole.plans[segment].vni), self.lives[segment][node]
        for other in source.at:
            if other != node and other in domain.loopbacks and node not in source.at and self.lives[segment].get(other) != prefix:
                domain.join(other, tag, node, prefix)

    # Sessions

    def _reflectors(self, domain: _Domain) -> dict[int, list[str]]:
        """Reflectors by the part of the domain that they are in."""
        found: dict[int, list[str]] = defaultdict(list)
        for node in sorted(domain.component):
            if "reflector" in self.whole.nodes[node].serves:
                found[domain.component[node]].append(node)
        return found

    def _speakers(self, domain: _Domain) -> dict[int, list[str]]:
        found: dict[int, list[str]] = defaultdict(list)
        for node in sorted(domain.component):
            if domain.speaks(node):
                found[domain.component[node]].append(node)
        return found

    def _sessions(self, domain: _Domain, node: str) -> Iterator[Session]:
        part, name = domain.component[node], domain.plan.name
        reflectors = self.reflectors[name].get(part, [])
        imports, exports = _tags(tag for tag, _ in domain.imports.get(node, ())), _tags(domain.exports.get(node, ()))
        if node in reflectors:
            yield from self._of_reflector(domain, node, reflectors)
        elif reflectors and domain.speaks(node):
            for peer in reflectors:
                yield _session(domain, peer, "reflector", imports, exports)
        elif domain.speaks(node):
            yield from self._of_mesh(domain, node)

    def _of_reflector(self, domain: _Domain, node: str, reflectors: list[str]) -> Iterator[Session]:
        speakers = self.speakers[domain.plan.name].get(domain.component[node], [])
        everything = _tags(tag for each in speakers for tag in domain.exports.get(each, ()))
        for peer in sorted({*speakers, *reflectors} - {node}):
            if peer in reflectors:
                yield _session(domain, peer, "fellow", everything, everything)
            else:
                offers = _tags(tag for tag, _ in domain.imports.get(peer, ()))
                yield _session(domain, peer, "client", _tags(domain.exports.get(peer, ())), offers)

    def _of_mesh(self, domain: _Domain, node: str) -> Iterator[Session]:
        """Without a reflector, a session with exactly those with whom routes are exchanged."""
        for peer in self.speakers[domain.plan.name].get(domain.component[node], []):
            accepts = _tags(tag for tag, origin in domain.imports.get(node, ()) if origin == peer)
            offers = _tags(tag for tag, origin in domain.imports.get(peer, ()) if origin == node)
            if peer != node and (accepts or offers):
                yield _session(domain, peer, "mesh", accepts, offers)

    # One node

    def fabric(self, node: str, tunnels: tuple[TunnelSide, ...]) -> Fabric:
        """How a node routes."""
        found = (domain for _, domain in sorted(self.domains.items()) if node in domain.loopbacks)
        return Fabric(
            asn=self.whole.network.asn,
            prefix=self.whole.network.prefix,
            underlay=tuple(self._underlay(side) for side in tunnels if side.domains),
            domains=tuple(self._local(domain, node, tunnels) for domain in found),
        )

    def _underlay(self, side: TunnelSide) -> UnderlayPeer:
        indexes = sorted(self.domains[name].plan.index for name in side.domains)
        return UnderlayPeer(
            interface=side.interface,
            peer=side.peer,
            own_address=side.own_address,
            peer_address=side.peer_address,
            peer_asn=self.asns[side.peer],
            cost=side.cost,
            loopback_pools=tuple(loopback_pool(self.whole.network.prefix, index) for index in indexes),
            vtep_pools=tuple(vtep_pool(index) for index in indexes),
        )

    def _local(self, domain: _Domain, node: str, tunnels: tuple[TunnelSide, ...]) -> DomainFabric:
        plan, own = domain.plan, domain.loopbacks[node]
        exports, imports = domain.exports.get(node, {}), domain.imports.get(node, {})
        return DomainFabric(
            domain=plan.name,
            l3vni=plan.l3vni,
            vrf=vrf_name(plan.l3vni),
            loopback=own.address,
            vtep=own.vtep,
            loopback_pool=loopback_pool(self.whole.network.prefix, plan.index),
            vtep_pool=vtep_pool(plan.index),
            reflects=node in self.reflectors[plan.name].get(domain.component[node], []),
            exports=tuple(Export(tag=tag, prefixes=tuple(sorted(exports[tag]))) for tag in _tags(exports)),
            imports=tuple(
                Import(tag=tag, vtep=domain.loopbacks[origin].vtep, prefixes=tuple(sorted(imports[(tag, origin)])))
                for tag, origin in sorted(imports, key=lambda key: (key[0].key, key[1]))
            ),
            peers=tuple(sorted(domain.loopbacks[peer].vtep for peer in domain.peers.get(node, ()))),
            sessions=tuple(sorted(self._sessions(domain, node), key=lambda session: session.peer)),
            tunnels=tuple(sorted(side.interface for side in tunnels if plan.name in side.domains)),
        )


def _tags(found: Iterable[Tag]) -> tuple[Tag, ...]:
    return tuple(sorted(set(found), key=lambda tag: tag.key))


def _session(domain: _Domain, peer: str, kind: SessionKind, accepts: tuple[Tag, ...], offers: tuple[Tag, ...]) -> Session:
    own = domain.loopbacks[peer]
    vtep = own.vtep if kind in ("client", "mesh") else None
    return Session(peer=peer, kind=kind, address=own.address, vtep=vtep, accepts=accepts, offers=offers)


def flows(fabric: Fabric) -> Iterator[NodeFlow]:
    """What routing and the overlay need to pass between this node and others, on tunnels alone. Either end may speak first."""
    for peer in fabric.underlay:
        yield from _both(peer.interface, peer.own_address, peer.peer_address, BGP, "bgp")
        yield from _both(peer.interface, peer.own_address, peer.peer_address, BFD, "bfd")
    for domain in fabric.domains:
        for interface in domain.tunnels:
            for session in domain.sessions:
                yield from _both(interface, domain.loopback, session.address, BGP, "bgp")
            for vtep in domain.peers:
                yield from _both(interface, domain.vtep, vtep, VXLAN, "vxlan")


def _both(interface: str, own: str, remote: str, boxes: Boxes, purpose: Literal["bgp", "bfd", "vxlan"]) -> Iterator[NodeFlow]:
    ways: tuple[Literal["in", "out"], ...] = ("in", "out")
    for way in ways:
        yield NodeFlow(direction=way, interface=interface, local=own, remote=remote, ports=boxes, purpose=purpose)


def crossings(network: Network) -> tuple[tuple[Span, str, str], ...]:
    """Grants that join segments of two isolation domains: where each is written, and the two."""
    whole = Whole(network)
    found = {
        (span, name, target.name)
        for (kind, name), targets in whole.cells.items()
        for target, cells in targets.items()
        if kind == "segment" and target.kind == "segment" and whole.plans[name].domain != whole.plans[target.name].domain
        for cell in cells
        for span in cell.origins
    }
    return tuple(sorted(found))


def meshes(network: Network) -> tuple[tuple[str, int], ...]:
    """Parts of isolation domains without a reflector: the domain's name, and how many nodes exchange routes there."""
    fabrics = Fabrics(Whole(network))
    return tuple(
        (name, len(speakers))
        for name, parts in sorted(fabrics.speakers.items())
        for part, speakers in sorted(parts.items())
        if not fabrics.reflectors[name].get(part)
    )
