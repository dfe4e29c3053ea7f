"""What a node enforces: at the source edge who may initiate what, at the destination edge what may arrive at all.

Guarantees: permits of one source are disjoint in (destination, protocol, port); whatever the source edge of another node lets out
towards this one is in `inbound`, and nothing that no session anywhere could be granted is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from ztosc.logic import addresses, intervals, ports
from ztosc.logic.intervals import Intervals
from ztosc.logic.ports import Boxes
from ztosc.nodes.conditions import always_holds_for
from ztosc.nodes.grants import Cell, Source, Target, end
from ztosc.nodes.reach import embedded, of_prefixes, only_ipv6
from ztosc.nodes.spec import Barred, Condition, End, Inbound, IsEndpoint, Member, NodeSpec, Permit, intervals_of, ranges, spans
from ztosc.nodes.view import Local, points

Reached = tuple[Target, Cell, Intervals]


def permits(local: Local) -> tuple[Permit, ...]:
    """What may be initiated at this node: from each of its segments, and from outside to what lives here."""
    found = [permit for name in sorted(local.places) for permit in _from_segment(local, name)]
    found.extend(permit for name in sorted(local.whole.externals) for permit in _from_external(local, name))
    return tuple(found)


def _from_segment(local: Local, name: str) -> Iterator[Permit]:
    whole = local.whole
    reached = [(target, cell, whole.hosts(target)) for target, cell in _cells(local, ("segment", name))]
    yield from _group(End(kind="segment", name=name), whole.plans[name].interface, (), reached)


def _from_external(local: Local, name: str) -> Iterator[Permit]:
    sources = only_ipv6(local.whole.externals[name])
    reached = [(target, cell, local.hosts(target)) for target, cell in _cells(local, ("external", name))]
    if sources:
        yield from _group(End(kind="external", name=name), None, sources, reached)


def _cells(local: Local, source: Source) -> Iterator[tuple[Target, Cell]]:
    for target, cells in local.whole.cells.get(source, {}).items():
        yield from ((target, cell) for cell in cells)


def _group(source: End, interface: str | None, sources: Intervals, reached: Iterable[Reached]) -> Iterator[Permit]:
    """Permits of one source: hosts that a cell treats alike together, so that an endpoint is cut out only where it differs."""
    found: dict[tuple[str, str, Boxes, str, tuple[str, ...]], list[Reached]] = defaultdict(list)
    for target, cell, hosts in reached:
        if hosts:
            found[(target.kind, target.name, cell.ports, cell.condition.id if cell.condition else "", cell.logged)].append(
                (target, cell, hosts)
            )
    for (_, _, boxes, condition, logged), parts in sorted(found.items(), key=lambda item: item[0]):
        yield Permit(
            source=source,
            interface=interface,
            sources=ranges(sources),
            to=end(parts[0][0]),
            destinations=ranges(intervals.union(*(hosts for _, _, hosts in parts))),
            ports=boxes,
            condition=condition or None,
            origins=spans(span for _, cell, _ in parts for span in cell.origins),
            stale=min((cell.stale for _, cell, _ in parts if cell.stale is not None), default=None),
            logged=logged,
            rules=tuple(sorted({rule for _, cell, _ in parts for rule in cell.rules})),
        )


def barred(local: Local) -> tuple[Barred, ...]:
    """What denies close to this node's segments: hosts that a rule treats alike together."""
    found: dict[tuple[str, str, str, Boxes, tuple[str, ...]], list[Intervals]] = defaultdict(list)
    for name in sorted(local.places):
        for target, bars in local.whole.bars.get(("segment", name), {}).items():
            for bar in bars if local.whole.hosts(target) else ():
                found[(name, target.kind, target.name, bar.ports, bar.rules)].append(local.whole.hosts(target))
    return tuple(
        Barred(
            source=End(kind="segment", name=name),
            interface=local.whole.plans[name].interface,
            to=End.model_validate({"kind": kind, "name": to}),
            destinations=ranges(intervals.union(*parts)),
            ports=boxes,
            rules=rules,
        )
        for (name, kind, to, boxes, rules), parts in sorted(found.items(), key=lambda item: item[0])
    )


def conditions(local: Local, found: tuple[Permit, ...]) -> tuple[Condition, ...]:
    """The conditions that the permits name, by id."""
    named = {permit.condition for permit in found if permit.condition}
    return tuple(local.whole.conditions[name] for name in sorted(named))


def members(local: Local, found: tuple[Permit, ...], known: tuple[Condition, ...]) -> tuple[Member, ...]:
    """Local endpoints that fulfil a condition by being what they are: they need no session."""
    by_id = {condition.id: condition for condition in known}
    asked = {(permit.source.name, by_id[permit.condition]) for permit in found if permit.condition and permit.source.kind == "segment"}
    sure = {
        (condition.id, service, address)
        for segment, condition in asked
        for service in local.whole.services_on[segment]
        if always_holds_for(condition, service, local.whole.types)
        for node, address in local.whole.endpoints[service]
        if node == local.node.name
    }
    return tuple(Member(condition=name, service=service, address=addresses.address_text(number)) for name, service, number in sorted(sure))


def inbound(local: Local) -> tuple[Inbound, ...]:
    """What may arrive from other nodes, by source addresses, ports and destination."""
    found: dict[tuple[Intervals, Boxes, str, str], list[tuple[Intervals, Cell]]] = defaultdict(list)
    ends = [("segment", name) for name in local.places] + [("system", name) for name in local.systems]
    leaving = [("external", name) for name in local.whole.externals]
    for each in [*ends, *leaving] if "nat64" in local.node.serves else ends:
        for source, target, cell in local.whole.reaching.get(each, ()):
            here = _arriving(local, target)
            elsewhere = _elsewhere(local, source, cell.condition) if here else ()
            if elsewhere:
                found[(elsewhere, cell.ports, target.kind, target.name)].append((here, cell))
    return tuple(
        Inbound(
            sources=ranges(sources),
            destinations=ranges(intervals.union(*(here for here, _ in parts))),
            ports=boxes,
            origins=spans(span for _, cell in parts for span in cell.origins),
        )
        for (sources, boxes, _, _), parts in sorted(found.items(), key=lambda item: item[0])
    )


def _arriving(local: Local, target: Target) -> Intervals:
    """Addresses to which other nodes may send through this one: what lives here, and IPv4 where it leaves from here."""
    if target.kind != "external":
        return local.hosts(target)
    return embedded(local.whole.externals[target.name], local.whole.network.nat64_prefix) if "nat64" in local.node.serves else ()


def _elsewhere(local: Local, segment: str, condition: Condition | None) -> Intervals:
    """Addresses of a segment from which a session that fulfils the condition may come through another node."""
    places = [place for place in local.whole.plans[segment].places if place.nodes != (local.node.name,)]
    whole = intervals.subtract(of_prefixes(place.prefix for place in places), local.endpoints(segment, here=True))
    services = [term.who.service for term in condition.allows if isinstance(term.who, IsEndpoint)] if condition else []
    if condition is None or len(services) < len(condition.allows):
        return whole
    return intervals.intersect(whole, points(address for service in services for _, address in local.whole.endpoints[service]))


def find_permit(spec: NodeSpec, source: End, destination: str, protocol: int, port: int) -> Permit | None:
    """The one permit that speaks of a flow from a source here to an address, if any."""
    number = addresses.value(destination)
    for permit in spec.permits:
        speaks = permit.source == source and ports.contains(permit.ports, protocol, port)
        if speaks and intervals.contains(intervals_of(permit.destinations), number):
            return permit
    return None


def admits(spec: NodeSpec, source: str, destination: str, protocol: int, port: int) -> bool:
    """Whether this node lets a flow in that another node sent on."""
    return any(
        ports.contains(each.ports, protocol, port)
        and intervals.contains(intervals_of(each.sources), addresses.value(source))
        and intervals.contains(intervals_of(each.destinations), addresses.value(destination))
        for each in spec.inbound
    )
