"""Network → how each node routes: who its neighbours are, what it announces, what it may import.

Guarantees: routes follow grants (`ztosc.nodes.joins`); whoever relays between two other nodes learns of no segment.
Sessions and numbers of a node depend on what it is joined with alone, so an unrelated node changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Literal

from ztosc.ir.network import Network
from ztosc.ir.spaces import loopback_pool, vrf_name, vtep_pool
from ztosc.logic.ports import Boxes
from ztosc.nodes.fabric_spec import DomainFabric, Export, Fabric, Import, Session, SessionKind, Tag, UnderlayPeer
from ztosc.nodes.joins import Domain, Joins
from ztosc.nodes.spec import NodeFlow, TunnelSide
from ztosc.nodes.view import Whole
from ztosc.source import Span

BGP: Boxes = ((6, 6, 179, 179),)
BFD: Boxes = ((17, 17, 3784, 3784),)
"""Single hop (RFC 5881 §4)."""
VXLAN: Boxes = ((17, 17, 4789, 4789),)
"""RFC 7348 §5."""


class Fabrics:
    """Routing of the whole network, computed once."""

    def __init__(self, whole: Whole) -> None:
        self.whole = whole
        self.joins = Joins(whole)
        self.domains = self.joins.domains
        self.asns = {plan.node: plan.asn for plan in whole.network.nodes}
        self.homes = {plan.vni: plan.domain for plan in whole.network.segments}
        self.reflectors = {name: self._reflectors(domain) for name, domain in self.domains.items()}
        self.speakers = {name: self._speakers(domain) for name, domain in self.domains.items()}

    # Sessions

    def _reflectors(self, domain: Domain) -> dict[int, list[str]]:
        """Reflectors by the part of the domain that they are in."""
        found: dict[int, list[str]] = defaultdict(list)
        for node in sorted(domain.component):
            if "reflector" in self.whole.nodes[node].serves:
                found[domain.component[node]].append(node)
        return found

    def _speakers(self, domain: Domain) -> dict[int, list[str]]:
        found: dict[int, list[str]] = defaultdict(list)
        for node in sorted(domain.component):
            if domain.speaks(node):
                found[domain.component[node]].append(node)
        return found

    def _sessions(self, domain: Domain, node: str) -> Iterator[Session]:
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

    def _of_reflector(self, domain: Domain, node: str, reflectors: list[str]) -> Iterator[Session]:
        speakers = self.speakers[domain.plan.name].get(domain.component[node], [])
        everything = _tags(tag for each in speakers for tag in domain.exports.get(each, ()))
        for peer in sorted({*speakers, *reflectors} - {node}):
            if peer in reflectors:
                yield _session(domain, peer, "fellow", everything, everything)
            else:
                offers = _tags(tag for tag, _ in domain.imports.get(peer, ()))
                yield _session(domain, peer, "client", _tags(domain.exports.get(peer, ())), offers)

    def _of_mesh(self, domain: Domain, node: str) -> Iterator[Session]:
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
            held=self.joins.held(node),
            detours=self.joins.detours(node),
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

    def _guest(self, tag: Tag, domain: str) -> bool:
        return tag.kind == "segment" and self.homes[tag.number] != domain

    def _local(self, domain: Domain, node: str, tunnels: tuple[TunnelSide, ...]) -> DomainFabric:
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
            exports=tuple(Export(tag=tag, **exports[tag].fields(), guest=self._guest(tag, plan.name)) for tag in _tags(exports)),
            imports=tuple(
                Import(tag=tag, vtep=domain.loopbacks[origin].vtep, **imports[(tag, origin)].fields(), guest=self._guest(tag, plan.name))
                for tag, origin in sorted(imports, key=lambda key: (key[0].key, key[1]))
            ),
            peers=tuple(sorted(domain.loopbacks[peer].vtep for peer in domain.peers.get(node, ()))),
            sessions=tuple(sorted(self._sessions(domain, node), key=lambda session: session.peer)),
            tunnels=tuple(sorted(side.interface for side in tunnels if plan.name in side.domains)),
        )


def _tags(found: Iterable[Tag]) -> tuple[Tag, ...]:
    return tuple(sorted(set(found), key=lambda tag: tag.key))


def _session(domain: Domain, peer: str, kind: SessionKind, accepts: tuple[Tag, ...], offers: tuple[Tag, ...]) -> Session:
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
    """Grants that join segments which meet in no isolation domain, or not on every node of theirs: where written, and the two."""
    whole = Whole(network)
    joins = Joins(whole)
    found = {
        (span, name, target.name)
        for (kind, name), targets in whole.cells.items()
        for target, cells in targets.items()
        if kind == "segment" and target.kind == "segment" and not joins.meet(name, target.name)
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
