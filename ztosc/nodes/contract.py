"""The contract for sessions of one node, from what it permits.

Guarantees: one dynamic set for each condition that a permit names, and no other; every standing member is behind an in-port of its set.
"""

from __future__ import annotations

from collections.abc import Iterable

from ztosc.logic import addresses, intervals
from ztosc.nodes.contract_spec import Admission, DynamicSet, Opening
from ztosc.nodes.openings import of_endpoint, of_time
from ztosc.nodes.spec import Condition, Member, NodeSpec, Permit, intervals_of, ranges
from ztosc.nodes.view import Local


def contract(local: Local, permits: Iterable[Permit], conditions: Iterable[Condition], members: Iterable[Member]) -> tuple[DynamicSet, ...]:
    """By condition."""
    found = tuple(permits)
    standing = tuple(members)
    return tuple(_set(local, each, [permit for permit in found if permit.condition == each.id], standing) for each in conditions)


def _set(local: Local, condition: Condition, permits: list[Permit], members: tuple[Member, ...]) -> DynamicSet:
    bounds = [permit.stale for permit in permits if permit.stale is not None]
    return DynamicSet(
        condition=condition.id,
        holds="time" if condition.of_time_alone else "sessions",
        admissions=tuple(_admissions(local, permits)),
        stale=min(bounds, default=None),
        standing=tuple(each.address for each in members if each.condition == condition.id),
        openings=tuple(_openings(local, condition, permits)),
    )


def _openings(local: Local, condition: Condition, permits: list[Permit]) -> Iterable[Opening]:
    """Of local endpoints in the segments from which the condition is asked, by address."""
    types, at = local.whole.types, local.whole.network.at
    if condition.of_time_alone:
        return of_time(condition, types, at)
    asking = {permit.source.name for permit in permits if permit.interface is not None}
    services = sorted({service for name in asking for service in local.whole.services_on[name]})
    here = sorted((number, each) for each in services for node, number in local.whole.endpoints[each] if node == local.node.name)
    return (opening for number, each in here for opening in of_endpoint(condition, each, addresses.address_text(number), types, at))


def _admissions(local: Local, permits: list[Permit]) -> Iterable[Admission]:
    sources = {(permit.source.name, permit.interface) for permit in permits if permit.interface is not None}
    outside = intervals.union(*(intervals_of(permit.sources) for permit in permits if permit.interface is None))
    for name, interface in sorted(sources):
        yield Admission(interface=interface, addresses=ranges(local.behind_ports(name)))
    if outside:
        yield Admission(interface=None, addresses=ranges(outside))


def may_stand(spec: NodeSpec, condition: str, address: str) -> bool:
    """Whether an address may ever stand in the set of a condition."""
    number = addresses.value(address)
    found = next((each for each in spec.contract if each.condition == condition and each.holds == "sessions"), None)
    return found is not None and any(intervals.contains(intervals_of(each.addresses), number) for each in found.admissions)
