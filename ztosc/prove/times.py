"""When a node's dynamic sets hold something without anybody's session: what the conditions mean, asked at every instant that matters.

Guarantees: `holds` is asked once in every stretch of time in which it cannot change; nothing of what wrote the times takes part.
"""

from __future__ import annotations

from collections.abc import Iterator

from ztosc.ir.flow import Host, Principal, ServiceEndpoint
from ztosc.ir.network import Network
from ztosc.logic import intervals
from ztosc.logic.intervals import Interval, Intervals
from ztosc.nodes import holds
from ztosc.nodes.spec import Condition, NodeSpec
from ztosc.verify.moments import WEEK, Era, Timeline

ANYBODY = "ipv6"
"""The mark in the set of a time."""


def opened(network: Network, spec: NodeSpec) -> dict[tuple[str, str], Intervals]:
    """By condition and address, or the mark: when it stands there. Endpoints that always do are in the ruleset."""
    found = {}
    for condition in spec.conditions:
        for key, principal in _asking(network, spec, condition):
            times = _held(condition, principal, network, spec.life)
            if times or key == ANYBODY:
                found[(condition.id, key)] = times
    return found


def _asking(network: Network, spec: NodeSpec, condition: Condition) -> Iterator[tuple[str, Principal]]:
    if condition.of_time_alone:
        yield ANYBODY, Host()
        return
    permits = (each for each in (*spec.permits, *spec.management) if each.interface is not None and each.condition == condition.id)
    segments = {each.source.name for each in permits}
    among = {service.name for service in network.intent.services if service.segment in segments}
    standing = {each.address for each in spec.members if each.condition == condition.id}
    for each in network.endpoints:
        if each.node == spec.node and each.service in among and each.address not in standing:
            yield each.address, ServiceEndpoint(service=each.service)


def _held(condition: Condition, principal: Principal, network: Network, life: Interval) -> Intervals:
    types = {attribute.name: attribute.type for attribute in network.intent.attributes}
    first, last = life
    timeline = Timeline.of(first, {term.validity for term in (*condition.allows, *condition.denies)})
    stretches = (stretch for era in timeline.eras if era.start < last for stretch in _stretches(era, last))
    return intervals.normalize((low, high - 1) for low, high in stretches if holds(condition, principal, low, types))


def _stretches(era: Era, last: int) -> Iterator[Interval]:
    """Half-open, until `last`: each piece of the era's week, week by week."""
    end = min(era.end, last)
    for piece in era.pieces:
        begin = piece.start + (era.start - piece.start) // WEEK * WEEK
        for week in range(begin, end, WEEK):
            low, high = max(week, era.start), min(week + piece.end - piece.start, end)
            if low < high:
                yield low, high
