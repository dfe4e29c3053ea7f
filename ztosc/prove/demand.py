"""What a NodeSpec demands to be enforced, in the same words in which a backend says what its files let pass.

Guarantees: computed from the spec and the network, by other code than what made the files.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict

from ztosc.backends.base import Enforcement
from ztosc.ir.network import Network
from ztosc.logic import addresses, intervals, ports, regions
from ztosc.logic.intervals import Intervals
from ztosc.logic.ports import ECHO, ICMPV6, Boxes
from ztosc.nodes.spec import NodeSpec, intervals_of
from ztosc.prove.leaving import leaving
from ztosc.prove.times import opened

NO_FLOW: Boxes = ((ICMPV6, ICMPV6, 0, ECHO[1] - 1), (ICMPV6, ICMPV6, ECHO[1] + 1, 65535))
"""ICMPv6 that is not an echo request: neighbours and errors, which no policy grants."""


def demanded(network: Network, spec: NodeSpec) -> Enforcement:
    """What the node must let pass, no more and no less: of an external, nothing at which a node is reached."""
    nodes, embedded = _underlay(network)
    beyond = intervals.union(nodes, embedded)
    segments: dict[tuple[str, str | None], list[regions.Box]] = defaultdict(list)
    outside: dict[str | None, list[regions.Box]] = defaultdict(list)
    for permit in spec.permits:
        destinations = _ipv6(intervals_of(permit.destinations))
        if permit.to.kind == "external":
            destinations = intervals.subtract(destinations, beyond)
        found = _boxes((destinations,), permit.ports)
        if permit.interface is not None:
            segments[(permit.interface, permit.condition)].extend(found)
        else:
            sources = intervals.subtract(_ipv6(intervals_of(permit.sources)), beyond)
            outside[permit.condition].extend((source, *box) for source in sources for box in found)
    arriving = ((intervals.subtract(_ipv6(intervals_of(each.destinations)), embedded), each) for each in spec.inbound)
    ends = ((_ipv6(intervals_of(each.sources)), destinations, each.ports) for destinations, each in arriving)
    inbound = [box for sources, destinations, allowed in ends for box in _boxes((sources, destinations), allowed)]
    return Enforcement(
        segments={key: regions.normalize(boxes) for key, boxes in segments.items() if boxes},
        outside={key: regions.normalize(boxes) for key, boxes in outside.items() if boxes},
        inbound=regions.normalize(inbound),
        management=_managed(spec),
        observed=_observed(spec),
        leaving=leaving(spec),
        hosts={each.interface: intervals_of(each.hosts) for each in spec.segments},
        times=opened(network, spec),
        sessions=_sessions(spec),
    )


def _sessions(spec: NodeSpec) -> dict[str, tuple[int | None, Intervals]]:
    """From what the permits ask for and where their sources sit, and not from what the spec says of the contract."""
    behind = {each.interface: intervals_of(each.hosts) for each in spec.segments}
    found: dict[str, tuple[int | None, Intervals]] = {each.id: (None, ()) for each in spec.conditions if not each.of_time_alone}
    for permit in (*spec.permits, *spec.management):
        if permit.condition in found:
            stale, known = found[permit.condition]
            here = _ipv6(behind[permit.interface] if permit.interface is not None else intervals_of(permit.sources))
            bounds = [each for each in (stale, permit.stale) if each is not None]
            found[permit.condition] = (min(bounds, default=None), intervals.union(known, here))
    return found


def _managed(spec: NodeSpec) -> dict[tuple[str, str | None], regions.Boxes]:
    found: dict[tuple[str, str | None], list[regions.Box]] = defaultdict(list)
    for permit in spec.management:
        found[(permit.interface or "", permit.condition)].extend(_boxes((intervals_of(permit.destinations),), permit.ports))
    return {key: regions.normalize(boxes) for key, boxes in found.items()}


def _observed(spec: NodeSpec) -> dict[str, Intervals]:
    every = [(each.interface, "destinations") for each in spec.segments] + [(each.interface, "here") for each in spec.transits]
    found = {side: intervals.union(*(intervals_of(getattr(each, field)) for each in spec.observed)) for side, field in every}
    return {side: parts for side, parts in found.items() if parts}


def unreached(network: Network) -> Intervals:
    """Addresses to and from which no grant leads, as a host in a segment writes them."""
    return intervals.union(*_underlay(network))


def _underlay(network: Network) -> tuple[Intervals, Intervals]:
    """IPv6 addresses at which nodes are reached, and IPv4 ones as the NAT64 embeds them (RFC 6052 §2.2)."""
    base = int(ipaddress.IPv6Network(network.nat64_prefix).network_address)
    found = [ipaddress.ip_address(node.underlay) for node in network.intent.nodes]
    native = intervals.normalize((int(each),) * 2 for each in found if each.version == 6)
    return native, intervals.normalize((base + int(each),) * 2 for each in found if each.version == 4)


def _ipv6(parts: Intervals) -> Intervals:
    return intervals.subtract(parts, addresses.ALL4)


def _boxes(ends: tuple[Intervals, ...], allowed: Boxes) -> list[regions.Box]:
    prefixes: list[regions.Box] = [()]
    for parts in ends:
        prefixes = [(*prefix, part) for prefix in prefixes for part in parts]
    tails = [((low, high), (first, last)) for low, high, first, last in ports.subtract(allowed, NO_FLOW)]
    return [(*prefix, *tail) for prefix in prefixes for tail in tails]
