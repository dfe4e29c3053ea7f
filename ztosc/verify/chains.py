"""What spreads over flows, hop by hop and in the order of time: the search that `isolated from` and `stays within` share.

Guarantees: a place is reached at the earliest instant at which any chain of h hops reaches it, for h = 1, 2, … in turn, so the first
chain that is found is a shortest one; a hop never happens before the one that led to it. Waiting costs nothing, so arriving earlier
is never worse, and a place is looked at again only when it is reached earlier than before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ztosc.ir.clock import is_over
from ztosc.ir.flow import Flow, Place
from ztosc.ir.verdict import Hop
from ztosc.verify import words
from ztosc.verify.explorer import NO_LIMITS, Explorer, Limits
from ztosc.verify.scope import Start, everywhere, inside, roles_from


@dataclass(frozen=True)
class Reached:
    """When something first got here, and by which hops."""

    arrival: int
    hops: tuple[Hop, ...]


State = Mapping[Start, Reached]
Expand = Callable[[Start, Reached], Iterator[tuple[Start, Reached]]]


def rounds(first: State, expand: Expand) -> Iterator[dict[Start, Reached]]:
    """What each further hop reaches for the first time, or earlier than before; ends when nothing does."""
    best = dict(first)
    fresh = dict(first)
    while fresh:
        found: dict[Start, Reached] = {}
        for start, reached in fresh.items():
            for node, there in expand(start, reached):
                known = found.get(node) or best.get(node)
                if known is None or there.arrival < known.arrival:
                    found[node] = there
        best.update(found)
        fresh = found
        if fresh:
            yield fresh


def onward(
    explorer: Explorer, start: Start, after: int, place: Place, without: tuple[Place, ...], limits: Limits = NO_LIMITS
) -> Flow | None:
    """The first flow from a start into anything at a place; the ends in `without` do not count."""
    ends = [end for end in inside(explorer.policy, place) if end not in without]
    flows = [flow for end in ends if (flow := explorer.earliest(start, end, after, limits))]
    return min(flows, key=lambda flow: flow.instant, default=None)


def recursion(explorer: Explorer, start: Start, after: int, without: tuple[Place, ...]) -> Flow | None:
    """The first flow to a resolver that will recurse for it: one that asks from a segment which is granted an external.

    What a resolver looks up travels to name servers that the asker chooses, so it counts as a hop to every external.
    """
    if start.place.kind != "segment" or not _granted_external(explorer, start.place.name):
        return None
    systems = [Place(kind="system", name=each.name) for each in explorer.policy.intent.systems if each.served_by == "resolver"]
    flows = [flow for end in systems if end not in without and (flow := explorer.earliest(start, end, after))]
    return min(flows, key=lambda flow: flow.instant, default=None)


def _granted_external(explorer: Explorer, segment: str) -> bool:
    policy = explorer.policy
    allows = (rule for rule in policy.intent.rules if rule.effect == "allow" and not is_over(rule.validity, explorer.network.at))
    granted = (rule for rule in allows if any(ref.kind == "external" for ref in rule.targets))
    return any(_stands_in(explorer, ref.kind, ref.name, segment) for rule in granted for ref in rule.subjects)


def _stands_in(explorer: Explorer, kind: str, name: str, segment: str) -> bool:
    policy = explorer.policy
    match kind:
        case "role":
            return name in roles_from(policy, segment)
        case "device":
            return name in policy.segments[segment].admits
        case "service":
            return policy.services[name].segment == segment
        case "label":
            return name in policy.segments[segment].carries
        case _:
            return kind == "segments" or (kind == "segment" and name == segment)


def steps(explorer: Explorer, start: Start, reached: Reached, without: tuple[Place, ...]) -> Iterator[tuple[Start, Reached]]:
    """Every place that one more hop from a start gets to: by a flow, or through a resolver that recurses."""
    for place in everywhere(explorer.policy):
        if place in without:
            continue
        flow = onward(explorer, start, reached.arrival, place, without)
        if flow is not None:
            yield Start(place), Reached(flow.instant, (*reached.hops, words.hop(explorer, flow)))
    asked = recursion(explorer, start, reached.arrival, without)
    for place in everywhere(explorer.policy) if asked else ():
        if asked is not None and place.kind == "external" and place not in without:
            told = Hop(text=f"the resolver passes the question on to name servers in `{place.name}`")
            yield Start(place), Reached(asked.instant, (*reached.hops, words.hop(explorer, asked), told))
