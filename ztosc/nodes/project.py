"""`project`: the Network as each node needs to know it.

Guarantees: one spec a node, in the order of their names; the same network gives the same specs; a node learns of grants only
where their source or their destination lives on it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Literal

from ztosc.ir.intent import Link, Node
from ztosc.ir.network import Network, Tunnel
from ztosc.logic import addresses, intervals
from ztosc.logic.ports import Boxes
from ztosc.nodes import edges, sizes
from ztosc.nodes.conditions import asked
from ztosc.nodes.contract import contract
from ztosc.nodes.fabric import Fabrics
from ztosc.nodes.fabric import flows as routing_flows
from ztosc.nodes.fabric_spec import Fabric
from ztosc.nodes.management import management
from ztosc.nodes.observing import observed
from ztosc.nodes.openings import life
from ztosc.nodes.reach import of_prefixes
from ztosc.nodes.spec import Client, LocalSegment, NodeFlow, NodeSpec, Resolver, SystemPort, Transit, TunnelSide, intervals_of, ranges
from ztosc.nodes.translation import translator
from ztosc.nodes.view import Local, Whole

UDP = 17
DNS: Boxes = ((6, 6, 53, 53), (17, 17, 53, 53))


def project(network: Network) -> tuple[NodeSpec, ...]:
    """What each node must be."""
    whole = Whole(network)
    fabrics = Fabrics(whole)
    return tuple(_spec(Local(whole, node), fabrics) for node in sorted(network.intent.nodes, key=lambda node: node.name))


def _spec(local: Local, fabrics: Fabrics) -> NodeSpec:
    node, whole = local.node, local.whole
    plan = whole.node_plans[node.name]
    permits = edges.permits(local)
    arriving, managed = edges.inbound(local), management(local)
    conditions = edges.conditions(local, (*permits, *managed))
    members = edges.members(local, (*permits, *managed), conditions)
    tunnels = tuple(_tunnels(local))
    resolver = _resolver(local)
    fabric = fabrics.fabric(node.name, tunnels)
    return NodeSpec(
        node=node.name,
        site=node.site,
        serves=node.serves,
        underlay=node.underlay,
        asn=plan.asn,
        router_id=plan.router_id,
        loopbacks=plan.loopbacks,
        tunnels=tunnels,
        transits=tuple(_transits(local)),
        segments=tuple(_segment(local, name) for name in sorted(local.places)),
        ours=whole.ours,
        conditions=conditions,
        attributes=tuple((name, whole.types[name]) for name in sorted({name for each in conditions for name in asked(each)})),
        permits=permits,
        barred=edges.barred(local),
        inbound=arriving,
        management=managed,
        observed=observed(local),
        members=members,
        contract=contract(local, (*permits, *managed), conditions, members),
        life=life(whole.network.at),
        systems=_systems(local),
        clients=tuple(_clients(local, fabric)) if local.systems else (),
        flows=(*_flows(node, tunnels, resolver), *routing_flows(fabric)),
        fabric=fabric,
        resolver=resolver,
        translator=translator(local, permits, arriving),
        origin=node.origin,
    )


def _transits(local: Local) -> Iterator[Transit]:
    whole = local.whole
    for each in sorted(whole.network.domains, key=lambda domain: domain.name):
        if local.node.name in each.nodes:
            pools, mtu = whole.pools[each.name], whole.mtus[each.name]
            yield Transit(domain=each.name, interface=each.interface, l3vni=each.l3vni, mtu=mtu, pools=pools)


def _segment(local: Local, name: str) -> LocalSegment:
    segment, plan, place = local.whole.segments[name], local.whole.plans[name], local.places[name]
    resolvers = _resolvers_of(local.whole, name)
    return LocalSegment(
        segment=name,
        doc=segment.doc,
        interface=plan.interface,
        vni=plan.vni,
        domain=plan.domain,
        addressing=plan.addressing,
        prefix=place.prefix,
        gateway=place.gateway,
        nodes=place.nodes,
        hosts=ranges(local.behind_ports(name)),
        attachments=tuple(each for each in local.node.attachments if each.segment == name),
        resolvers=resolvers,
        search=local.whole.network.intent.network.domain if resolvers else "",
        beyond=_beyond(local.whole, name),
        groups=ranges(of_prefixes(segment.multicast)),
        mdns=segment.mdns,
        origin=segment.origin,
    )


def _resolvers_of(whole: Whole, segment: str) -> tuple[str, ...]:
    """Where a segment may ask for names."""
    asked = {target.name for target in whole.cells.get(("segment", segment), {}) if target.kind == "system"}
    answering = asked & {system.name for system in whole.network.intent.systems if system.served_by == "resolver"}
    return tuple(sorted(each.address for each in whole.network.anycast if each.system in answering and each.nodes))


def _clients(local: Local, fabric: Fabric) -> Iterator[Client]:
    """Segments in their own domain alone: a stricter one may carry their routes too, but nobody asks a system service by it."""
    plans, found = {plan.vni: plan for plan in local.whole.network.segments}, set()
    for domain in fabric.domains:
        for each in domain.imports:
            if each.tag.kind == "segment" and plans[each.tag.number].domain == domain.domain:
                found |= {(domain.domain, prefix) for prefix in each.prefixes}
    found |= {(local.whole.plans[name].domain, place.prefix) for name, place in local.places.items()}
    yield from (Client(domain=domain, prefix=prefix) for domain, prefix in sorted(found))


def _beyond(whole: Whole, name: str) -> tuple[str, ...]:
    """What is written as the reach of externals that a segment exchanges flows with: it grows with the policy, not with the network.

    A prefix within the overlay is no way out of it.
    """
    joined, ours = whole.exchanging[name], intervals_of(whole.ours)
    reach = (prefix for each in whole.network.intent.externals if each.name in joined for prefix in each.reach)
    found = [ipaddress.IPv6Network(each) for each in reach if ":" in each and intervals.subtract(of_prefixes((each,)), ours)]
    return tuple(str(each) for each in ipaddress.collapse_addresses(found))


def _tunnels(local: Local) -> Iterator[TunnelSide]:
    for link, tunnel in local.whole.tunnels_at[local.node.name]:
        yield _side(local, link, tunnel)


def _side(local: Local, link: Link, tunnel: Tunnel) -> TunnelSide:
    first = local.node.name == link.a
    peer = local.whole.nodes[link.b if first else link.a]
    return TunnelSide(
        link=tunnel.link,
        interface=tunnel.interface,
        peer=peer.name,
        own_address=tunnel.a_address if first else tunnel.b_address,
        peer_address=tunnel.b_address if first else tunnel.a_address,
        own_underlay=local.node.underlay,
        peer_underlay=peer.underlay,
        port=tunnel.port,
        domains=tunnel.domains,
        macsec=link.macsec,
        mtu=sizes.tunnel(link.macsec),
        cost=link.cost,
        pools=tuple(pool for name in tunnel.domains for pool in local.whole.pools[name]),
        own_epoch=key.epoch if (key := local.whole.keys.get(local.node.name)) else 0,
        peer_key=key.value if (key := local.whole.keys.get(peer.name)) else None,
        psk=tunnel.link in local.whole.psk_links,
        origin=link.origin,
    )


def _systems(local: Local) -> tuple[SystemPort, ...]:
    listens = {system.name: system.listen for system in local.whole.network.intent.systems}
    answered = sorted((service for service in local.whole.network.anycast if service.system in local.systems), key=lambda each: each.system)
    return tuple(SystemPort(system=each.system, address=each.address, ports=listens[each.system]) for each in answered)


def _flows(node: Node, tunnels: tuple[TunnelSide, ...], resolver: Resolver | None) -> Iterator[NodeFlow]:
    for side in tunnels:
        for direction in _BOTH:
            yield NodeFlow(
                direction=direction,
                interface=None,
                local=side.own_underlay,
                remote=side.peer_underlay,
                ports=((UDP, UDP, side.port, side.port),),
                purpose="wireguard",
                peer=side.peer,
            )
    if resolver is not None and resolver.recursion:
        yield NodeFlow(direction="out", interface=None, local=node.underlay, remote=None, ports=DNS, purpose="dns")


_BOTH: tuple[Literal["in", "out"], ...] = ("in", "out")
"""Either end of a tunnel may speak first, and again after silence."""


def _resolver(local: Local) -> Resolver | None:
    whole = local.whole
    served = {system.name for system in whole.network.intent.systems if system.served_by == "resolver"}
    listens = tuple(sorted(service.address for service in whole.network.anycast if service.system in served & local.systems))
    if "resolver" not in local.node.serves or not listens:
        return None
    beyond = {name: reached for name in sorted(whole.plans) if (reached := _externals_of(whole, name))}
    ipv4 = any(intervals.intersect(whole.externals[name], addresses.ALL4) for reached in beyond.values() for name in reached)
    return Resolver(
        addresses=listens,
        clients=_prefixes(whole, whole.plans),
        recursion=_prefixes(whole, beyond),
        dns64=whole.network.nat64_prefix if ipv4 else None,
        zones=whole.zones,
        origin=local.node.origin,
    )


def _externals_of(whole: Whole, segment: str) -> list[str]:
    return [target.name for target in whole.cells.get(("segment", segment), {}) if target.kind == "external"]


def _prefixes(whole: Whole, segments: Iterable[str]) -> tuple[str, ...]:
    return addresses.prefixes(of_prefixes(place.prefix for name in segments for place in whole.plans[name].places))
