"""NodeSpec → sets and maps: everything that differs from node to node, as elements that never overlap.

Guarantees: never a rule a grant; the keys of one collection are disjoint; ICMP echo, which has no ports, stands in sets of its own.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import product

from ztosc.backends.nftables.model import Collection, Element
from ztosc.backends.nftables.ways import interfaces
from ztosc.backends.nftables.words import address_text, comment, interface, span_text
from ztosc.logic import addresses, intervals, ports, regions
from ztosc.logic.intervals import Interval, Intervals
from ztosc.logic.ports import ECHO, ICMPV6, Boxes
from ztosc.nodes.conditions import text
from ztosc.nodes.spec import Barred, Condition, LocalSegment, NodeFlow, NodeSpec, Observed, Permit, intervals_of

ECHO_BOX: Boxes = ((ECHO[0], ECHO[0], ECHO[1], ECHO[1]),)
ECHO4 = ((1, 1), (8, 8))
"""Protocol and type of ICMP echo."""
ALL_ICMPV6: Boxes = ((ICMPV6, ICMPV6, 0, 65535),)
PIECES = 64
"""Tuples into which a range is taken apart, rather than looked up as one."""
PLAIN = intervals.subtract(addresses.ALL6, addresses.ALL4)
"""IPv6, without what stands for IPv4."""
EVERYWHERE = {6: addresses.ALL6, 4: addresses.ALL4}


def collections(spec: NodeSpec) -> tuple[Collection, ...]:
    """All of them, by name."""
    found = [*interfaces(spec), *_addresses(spec), *_source_edge(spec), *_destination_edge(spec), *_management(spec), *_observed(spec)]
    found += [*flow_sets(spec), *relay_sets(spec), *_translated(spec), *_barred(spec), *_conditions(spec)]
    return tuple(sorted(found, key=lambda each: each.name))


def _addresses(spec: NodeSpec) -> Iterator[Collection]:
    ours = tuple(Element(key=(address_text(part),)) for part in intervals.subtract(intervals_of(spec.ours), addresses.ALL4))
    systems = intervals.normalize((addresses.value(each.address),) * 2 for each in spec.systems)
    everything = (Element(key=(address_text(addresses.EVERY),)),)  # closed until `targets/underlay` says which they are
    yield Collection(name="zt_underlay", types=("ipv6_addr",), flags=("interval",), elements=everything)
    yield from (_hosts_of(each) for each in spec.segments)
    yield Collection(name="zt_ours", types=("ipv6_addr",), flags=("interval",), elements=ours)
    yield Collection(
        name="zt_systems", types=("ipv6_addr",), flags=("interval",), elements=tuple(Element(key=(address_text(part),)) for part in systems)
    )


def _hosts_of(segment: LocalSegment) -> Collection:
    hosts = tuple(Element(key=(address_text(part),)) for part in intervals_of(segment.hosts))
    name = f"{HOSTS}{segment.vni}"
    return Collection(name=name, types=("ipv6_addr",), flags=("interval",), comment=comment(segment.segment), elements=hosts)


HOSTS = "zt_hosts_"
"""How the name of a set of hosts begins; the VNI of their segment follows."""


def chain_of(condition: str) -> str:
    """The chain that asks a condition."""
    return "zt_c_" + condition.removeprefix("c-")


def set_of(condition: Condition) -> str:
    """The set that a node's runner fills while the condition holds: addresses of sessions, or `ipv6` for one of time alone."""
    return ("zt_o_" if condition.of_time_alone else "zt_s_") + condition.id.removeprefix("c-")


def _verdict(permit: Permit, verb: str) -> str:
    if permit.logged:
        return f"{verb} {log_of(permit)}"
    return f"{verb} {chain_of(permit.condition)}" if permit.condition else "accept"


def log_of(permit: Permit) -> str:
    """The chain that logs what begins under a permit, named after its rules and its condition."""
    return "zt_l_" + hashlib.sha256(" ".join((permit.condition or "", *permit.logged)).encode()).hexdigest()[:12]


def bar_of(barred: Barred) -> str:
    """The chain that says which denies refuse, named after their rules."""
    return "zt_d_" + hashlib.sha256(" ".join(barred.rules).encode()).hexdigest()[:12]


def _verb(spec: NodeSpec) -> str:
    """How a condition is asked: one that does not hold is the end of it, unless some segment only observes."""
    return "jump" if spec.observed else "goto"


def _source_edge(spec: NodeSpec) -> Iterator[Collection]:
    here = [(permit, intervals_of(permit.destinations)) for permit in spec.permits if permit.interface is not None]
    outside = [permit for permit in spec.permits if permit.interface is None]
    verb, both = _verb(spec), ("ifname", "ipv6_addr")
    ours = intervals.subtract(intervals_of(spec.ours), addresses.ALL4)
    near, within = _parted(_from_segments(((permit, intervals.intersect(parts, ours)) for permit, parts in here), verb, echo=False))
    others = ((permit, intervals.subtract(parts, ours)) for permit, parts in here if not intervals.covers(ours, parts))
    far, beyond = _parted(_from_segments(((permit, intervals.intersect(parts, PLAIN)) for permit, parts in others), verb, echo=False))
    yield _map("zt_grants", both, near, tuples=True, wide=False)
    yield from [_map("zt_grants_far", both, far, tuples=True, wide=False)] if far else []
    yield from [_map("zt_grants_wide", both, (*within, *beyond), tuples=True)] if within or beyond else []
    pinging = ((permit, intervals.intersect(parts, PLAIN)) for permit, parts in here if _tails(permit.ports, echo=True))
    echo = tuple(_from_segments(pinging, verb, echo=True))
    yield from [_map("zt_grants_echo", both, echo, tuples=False)] if echo else []
    yield _map("zt_ingress", ("ipv6_addr", "ipv6_addr"), _from_outside(outside, verb, echo=False), tuples=True)
    yield _map("zt_ingress_echo", ("ipv6_addr", "ipv6_addr"), _from_outside(outside, verb, echo=True), tuples=False)


def _management(spec: NodeSpec) -> Iterator[Collection]:
    """In-port, own address, protocol, port; only where somebody manages."""
    ends = [(permit, intervals.intersect(intervals_of(permit.destinations), PLAIN)) for permit in spec.management]
    for name, echo in (("zt_manage", False), ("zt_manage_echo", True)):
        found = tuple(_from_segments(ends, _verb(spec), echo=echo))
        if found:
            yield _map(name, ("ifname", "ipv6_addr"), found, tuples=not echo)


def _barred(spec: NodeSpec) -> Iterator[Collection]:
    """In-port, destination, protocol, port; only where denies close something. Asked behind all grants, for what to say."""
    for name, echo in (("zt_barred", False), ("zt_barred_echo", True)):
        found = tuple(
            Element(
                key=(interface(each.interface), address_text(part), *(span_text(span) for span in tail)), verdict=f"goto {bar_of(each)}"
            )
            for each in spec.barred
            for part in intervals_of(each.destinations)
            for tail in _tails(each.ports, echo=echo)
        )
        if found:
            yield _map(name, ("ifname", "ipv6_addr"), found, tuples=not echo)


def watch_of(segment: Observed) -> str:
    """The chain that logs what passes into a segment that observes."""
    return f"zt_w_{segment.vni}"


def _observed(spec: NodeSpec) -> Iterator[Collection]:
    """By where the initiator is, behind a port here or behind another node: where it gets although nothing allows it."""
    ports_here = sorted(each.interface for each in spec.segments)
    transits = sorted(each.interface for each in spec.transits)
    found = [
        Element(key=(interface(side), address_text(part)), verdict=f"goto {watch_of(each)}")
        for each in spec.observed
        for sides, parts in ((ports_here, each.destinations), (transits, each.here))
        for side in sides
        for part in intervals_of(parts)
    ]
    if found:
        yield _map("zt_observed", ("ifname", "ipv6_addr"), found, tuples=False)


def _map(name: str, ends: tuple[str, ...], elements: Iterable[Element], *, tuples: bool, wide: bool = True) -> Collection:
    types = (*ends, "inet_proto", "inet_service") if tuples else ends
    return Collection(name=name, types=types, verdicts=True, flags=("interval",) if wide else (), elements=tuple(elements))


def _from_segments(ends: Iterable[tuple[Permit, Intervals]], verb: str, *, echo: bool) -> Iterator[Element]:
    """Each permit to these of its destinations."""
    for permit, parts in ends:
        tails = _tails(permit.ports, echo=echo) if parts else ()
        if not tails:
            continue
        way, verdict = interface(permit.interface or ""), _verdict(permit, verb)
        for part, tail in product(parts, tails):
            said = _single(tail) if part[0] == part[1] else None
            if said is not None:  # as most are: a hundred thousand in a file
                yield Element((way, address_text(part), *said), verdict)
                continue
            for each in _pieces((part, *tail)):
                yield Element((way, address_text(each[0]), *map(span_text, each[1:])), verdict)


@lru_cache(maxsize=1 << 12)
def _single(tail: tuple[Interval, ...]) -> tuple[str, ...] | None:
    """One protocol and port in words, or nothing where there are more."""
    return tuple(map(span_text, tail)) if all(low == high for low, high in tail) else None


def _pieces(box: regions.Box) -> Iterable[regions.Box]:
    """A box as single tuples, where those are few: a hash set finds them in the same time however many there are."""
    if 1 < regions.volume((box,)) <= PIECES:
        return (tuple((value, value) for value in each) for each in product(*(range(low, high + 1) for low, high in box)))
    return (box,)


def _parted(elements: Iterable[Element]) -> tuple[list[Element], list[Element]]:
    """Single tuples, and those with a range somewhere. An interface's name stands in quotes, and may hold a hyphen."""
    parts: tuple[list[Element], list[Element]] = ([], [])
    for each in elements:
        parts[any("-" in field for field in each.key[1:])].append(each)
    return parts


def _from_outside(permits: Iterable[Permit], verb: str, *, echo: bool) -> Iterator[Element]:
    for permit in permits:
        for source in intervals_of(permit.sources):
            for part in intervals_of(permit.destinations):
                for tail in _tails(permit.ports, echo=echo):
                    key = (address_text(source), address_text(part), *(span_text(span) for span in tail))
                    yield Element(key=key, verdict=_verdict(permit, verb))


@lru_cache(maxsize=1 << 12)  # many permits name the same ports
def _tails(boxes: Boxes, *, echo: bool) -> tuple[tuple[Interval, ...], ...]:
    """Protocol and port of each box; for echo, one empty tail where the boxes hold it."""
    if echo:
        return ((),) if ports.intersect(boxes, ECHO_BOX) else ()
    return tuple(((low, high), (first, last)) for low, high, first, last in ports.subtract(boxes, ALL_ICMPV6))


def _destination_edge(spec: NodeSpec) -> Iterator[Collection]:
    ends = [
        (source, part, each.ports)
        for each in spec.inbound
        for source in intervals_of(each.sources)
        for part in intervals_of(each.destinations)
    ]
    tuples = regions.normalize(
        (source, part, (low, high), (first, last))
        for source, part, boxes in ends
        for low, high, first, last in ports.subtract(boxes, ALL_ICMPV6)
    )
    echo = regions.normalize((source, part) for source, part, boxes in ends if ports.intersect(boxes, ECHO_BOX))
    yield _set("zt_inbound", ("ipv6_addr", "ipv6_addr", "inet_proto", "inet_service"), tuples)
    yield _set("zt_inbound_echo", ("ipv6_addr", "ipv6_addr"), echo)


def _set(name: str, types: tuple[str, ...], boxes: regions.Boxes) -> Collection:
    """A set of boxes whose first fields are addresses, the others numbers."""
    printers = [address_text if each.endswith("_addr") else span_text for each in types]
    keys = (tuple(show(part) for show, part in zip(printers, box, strict=True)) for box in boxes)
    return Collection(name=name, types=types, flags=("interval",), elements=tuple(Element(key=key) for key in keys))


FLOWS = ("zt_node_", "zt_link_", "zt_relay_")
"""How the names of `flow_sets` and `relay_sets` begin."""


def flow_sets(spec: NodeSpec) -> Iterator[Collection]:
    """Sets of the node's own flows: by direction, family, and whether one interface is named; only those that hold something.

    Keys are remote, local, protocol, port; behind the interface where one is named.
    """
    for direction in ("in", "out"):
        for family in (6, 4):
            chosen = [flow for flow in spec.flows if flow.direction == direction and _family(flow.local) == family]
            free = tuple(_flow_elements(flow for flow in chosen if flow.interface is None))
            bound = tuple(_flow_elements(flow for flow in chosen if flow.interface is not None))
            types = (f"ipv{family}_addr",) * 2 + ("inet_proto", "inet_service")
            if free:
                yield Collection(name=f"zt_node_{direction}{family}", types=types, flags=("interval",), elements=free)
            if bound:
                yield Collection(name=f"zt_link_{direction}{family}", types=("ifname", *types), flags=("interval",), elements=bound)


def relay_sets(spec: NodeSpec) -> Iterator[Collection]:
    """What passes from tunnel to tunnel on its way between two other nodes: sessions and VXLAN inside one isolation domain.

    Keys are interface, source, destination, protocol, port. An entry stands for the way in and for the way out.
    """
    for family in (6, 4):
        found = [
            Element(key=(interface(tunnel), pool, pool, *tail))
            for domain in spec.fabric.domains
            if len(domain.tunnels) > 1
            for pool in [domain.loopback_pool if family == 6 else domain.vtep_pool]
            for tail in [("6", "179") if family == 6 else ("17", "4789")]
            for tunnel in domain.tunnels
        ]
        if found:
            types = ("ifname", *(f"ipv{family}_addr",) * 2, "inet_proto", "inet_service")
            yield Collection(name=f"zt_relay_{family}", types=types, flags=("interval",), elements=tuple(found))


def _flow_elements(flows: Iterable[NodeFlow]) -> Iterator[Element]:
    """Disjoint by interface and own address; between the two ends of those, whatever the union of the flows is."""
    found: dict[tuple[str, str], list[tuple[str | None, Boxes]]] = defaultdict(list)
    for flow in flows:
        found[(flow.interface or "", flow.local)].append((flow.remote, flow.ports))
    for (port, local), ends in sorted(found.items(), key=lambda item: item[0]):
        bound = (interface(port),) if port else ()
        yield from (Element(key=(*bound, *key)) for key in _flow_keys(local, tuple(ends)))


@lru_cache(maxsize=256)  # a node says the same on each of its tunnels, and in both directions
def _flow_keys(local: str, ends: tuple[tuple[str | None, Boxes], ...]) -> tuple[tuple[str, ...], ...]:
    """Remote, local, protocol and port of all that one own address exchanges."""
    family = EVERYWHERE[_family(local)]
    boxes = regions.normalize(
        (part, (low, high), (first, last))
        for remote, allowed in ends
        for part in intervals.intersect(addresses.of_prefix(remote) if remote else family, family)
        for low, high, first, last in allowed
    )
    own = addresses.address_text(addresses.value(local))
    return tuple((address_text(part), own, span_text(protocols), span_text(span)) for part, protocols, span in boxes)


def _family(address: str) -> int:
    return 6 if ":" in address else 4


def _translated(spec: NodeSpec) -> Iterator[Collection]:
    """Destination, protocol and port of what leaves in IPv4; ping by destination."""
    found = [
        (part, (low, high), (first, last))
        for each in (spec.translator.leaving if spec.translator else ())
        for part in intervals_of(each.destinations)
        for low, high, first, last in each.ports
    ]
    tuples = regions.normalize(box for box in found if box[1:] != ECHO4)
    echo = regions.normalize(box[:1] for box in found if box[1:] == ECHO4)
    yield from [_set("zt_leaving", ("ipv4_addr", "inet_proto", "inet_service"), tuples)] if tuples else []
    yield from [_set("zt_leaving_echo", ("ipv4_addr",), echo)] if echo else []


def _conditions(spec: NodeSpec) -> Iterator[Collection]:
    for condition in spec.conditions:
        members = sorted({addresses.value(each.address) for each in spec.members if each.condition == condition.id})
        yield Collection(
            name=set_of(condition),
            types=("nf_proto",) if condition.of_time_alone else ("ipv6_addr",),
            flags=("timeout",),
            comment=comment(text(condition)),
            elements=tuple(Element(key=(addresses.address_text(address),)) for address in members),
        )
