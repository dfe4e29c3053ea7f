"""Claims about chains and about data, checked: `isolated from`, `stays within`, `never flows down`.

Guarantees: proved means that a set of places, each with the first instant at which it may be reached, holds everything the claim begins
with, that no hop leads out of it or into it earlier, and that it holds nothing that the claim forbids. Refuted means that each flow of a
chain is allowed, starts where something was reached before, and that the chain ends at what the claim forbids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ztosc.ir.assertions import Isolated, NeverFlowsDown, StaysWithin
from ztosc.ir.certificate import Closed, Flows
from ztosc.ir.clock import is_over
from ztosc.ir.flow import Flow, Place, ServiceEndpoint
from ztosc.ir.values import Ref
from ztosc.recheck.direct import Refused, replayed
from ztosc.recheck.questions import Limits, Questions
from ztosc.recheck.ways import Ways

Spreading = StaysWithin | NeverFlowsDown
Arrivals = dict[Place, int]
ALL_PEOPLE = "personal"
"""The label that the directory carries, for it holds people."""


def arrivals(questions: Questions, evidence: Closed) -> Arrivals:
    """The set, each place once and one of the network's. Raises `Refused`."""
    found = {each.place: each.arrival for each in evidence.places}
    if len(found) != len(evidence.places) or not set(found) <= set(questions.names.everywhere):
        raise Refused("the set names a place twice, or one that the network does not have")
    return found


def _begins(questions: Questions, closed: Arrivals, places: Iterable[Place]) -> None:
    for place in places:
        if place not in closed or closed[place] > questions.clock.at:
            raise Refused(f"`{place.name}`, where the claim begins, is not in the set from the start")


def _later(closed: Arrivals, place: Place, arrival: int) -> tuple[bool, int | None]:
    """Whether something that leaves at `arrival` could still be news to a place, and before when."""
    stop = closed.get(place)
    return stop is None or stop > arrival, stop


# `isolated from`


def isolated(questions: Questions, claim: Isolated, evidence: Closed) -> str:
    """Check the closed set. Raises `Refused`, `NoAnswer`, `TooMuch`."""
    names = questions.names
    closed = arrivals(questions, evidence)
    goals = _goals(questions, claim)
    without = _without(questions, claim, goals)
    _begins(questions, closed, (place for ref in claim.subjects for place in names.places(ref)))
    if held := [place.name for place in goals if place in closed]:
        raise Refused(f"the set holds `{held[0]}`, which must not be reached")
    if lax := names.observing(names.everywhere):
        raise Refused(f"`{lax}` only observes")
    for place in _sorted(closed):
        for there, end in questions.leading.get(place, ()):
            news, stop = _later(closed, there, closed[place])
            if news and there != place and end not in without and there not in without and questions.may(place, end, closed[place], stop):
                raise Refused(f"`{place.name}` leads to `{there.name}`, which is not in the set, or not so early")
        _recursion(questions, closed, place, without)
    return f"no hop leaves a set of {len(closed)} places, and none of them is what must not be reached"


def _recursion(questions: Questions, closed: Arrivals, place: Place, without: tuple[Place, ...]) -> None:
    names = questions.names
    if not names.recurses(place):
        return
    for there in (each for each in names.everywhere if each.kind == "external" and each not in without):
        news, stop = _later(closed, there, closed[place])
        ends = [end for end in names.resolvers if end not in without]
        if news and any(questions.may(place, end, closed[place], stop) for end in ends):
            raise Refused(f"a resolver leads from `{place.name}` to `{there.name}`, which is not in the set, or not so early")


def _goals(questions: Questions, claim: Isolated) -> tuple[Place, ...]:
    return tuple(place for ref in claim.targets for place in questions.names.places(ref))


def _without(questions: Questions, claim: Isolated, goals: tuple[Place, ...]) -> tuple[Place, ...]:
    names = questions.names
    whole = ("segment", "label", "external")
    found = (place for ref in claim.through for place in (names.places(ref) if ref.kind in whole else names.ends(ref)))
    return tuple(place for place in found if place not in goals)


def chained(questions: Questions, claim: Isolated, evidence: Flows) -> str:
    """Replay a chain. Raises `Refused`."""
    names = questions.names
    goals = _goals(questions, claim)
    without = _without(questions, claim, goals)
    reached = {place for ref in claim.subjects for place in names.places(ref)}
    for flow in _in_time(questions, evidence.flows):
        end = flow.destination
        if flow.source not in reached:
            raise Refused(f"the chain starts anew at `{flow.source.name}`")
        if end in without or Place(kind=end.kind, name=end.name) in without:
            raise Refused("the chain passes what the claim leaves out")
        if end.kind == "system":
            told = end in names.resolvers and names.recurses(flow.source)
            reached |= {place for place in names.everywhere if told and place.kind == "external" and place not in without}
        else:
            reached.add(Place(kind=end.kind, name=end.name))
    if not reached & set(goals):
        raise Refused("the chain does not end at what must not be reached")
    return f"a chain of {len(evidence.flows)} allowed flows reaches it"


def _in_time(questions: Questions, flows: Iterable[Flow]) -> Iterator[Flow]:
    last = questions.clock.at
    for flow in flows:
        replayed(questions, flow)
        if flow.instant < last:
            raise Refused("a hop comes before the one that leads to it")
        last = flow.instant
        yield flow


# Data of a label


def spread(questions: Questions, claim: Spreading, evidence: Closed) -> str:
    """Check the closed set of the places that a label's data comes to. Raises `Refused`, `NoAnswer`, `TooMuch`."""
    names = questions.names
    closed = arrivals(questions, evidence)
    limits = _limits(claim)
    _begins(questions, closed, names.places(Ref(kind="label", name=claim.label)))
    if lax := names.observing(names.everywhere):
        raise Refused(f"`{lax}` only observes")
    for place, arrival in closed.items():
        for sink in () if names.releases(place, claim.label) else _sinks(questions, place, arrival):
            if closed.get(sink, arrival + 1) > arrival:
                raise Refused(f"flows of `{place.name}` are logged to `{sink.name}`, which is not in the set, or not so early")
    _no_move_leaves(questions, claim, closed, limits)
    _forbidden(questions, claim, closed, _moving(questions, claim, closed, limits))
    return f"the data stays in a set of {len(closed)} places, and each of them may have it"


def _no_move_leaves(questions: Questions, claim: Spreading, closed: Arrivals, limits: Limits) -> None:
    """Of each flow both ends, for data moves with it and against it."""
    names = questions.names
    for there in names.everywhere:
        for end in names.inside(there):
            for place in _sorted(questions.sources(end) - {there}):
                for here, other in ((place, there), (there, place)):
                    if here not in closed or names.releases(here, claim.label):
                        continue
                    news, stop = _later(closed, other, closed[here])
                    if news and questions.may(place, end, closed[here], stop, limits=limits):
                        raise Refused(f"data moves from `{here.name}` to `{other.name}`, which is not in the set, or not so early")


def _sorted(places: Iterable[Place]) -> list[Place]:
    return sorted(places, key=lambda place: (place.kind, place.name))


def _limits(claim: Spreading) -> Limits:
    signed = tuple(ref.name for ref in claim.through) if isinstance(claim, NeverFlowsDown) else ()
    return Limits(releases=claim.label, signed=signed)


def _moves(questions: Questions, here: Place, there: Place, start: int, stop: int | None, limits: Limits) -> bool:
    """Whether data may move between two places, with a flow or against it."""
    inside = questions.names.inside
    onward = any(questions.may(here, end, start, stop, limits=limits) for end in inside(there))
    return onward or any(questions.may(there, end, start, stop, limits=limits) for end in inside(here))


def _moving(questions: Questions, claim: Spreading, closed: Arrivals, limits: Limits) -> Callable[[Place, Place], bool]:
    """Whether data may move from one place of the set to another, ever."""

    def moving(here: Place, there: Place) -> bool:
        start = closed[here]
        if questions.names.releases(here, claim.label):
            return False
        return there in set(_sinks(questions, here, start)) or _moves(questions, here, there, start, None, limits)

    return moving


def _sinks(questions: Questions, place: Place, arrival: int) -> Iterator[Place]:
    names = questions.names
    for rule in names.intent.rules:
        sink = names.policy.services.get(rule.governance.log_to or "")
        if (
            sink
            and not is_over(rule.validity, arrival)
            and any(_stands_for(questions, ref, place) for ref in (*rule.subjects, *rule.targets))
        ):
            yield Place(kind="segment", name=sink.segment)


def _stands_for(questions: Questions, ref: Ref, place: Place) -> bool:
    return place in questions.names.places(ref)


def _forbidden(questions: Questions, claim: Spreading, reached: Arrivals, moving: Callable[[Place, Place], bool]) -> None:
    """Refuses where something that was reached, or a way between, must not have the data."""
    names = questions.names
    if isinstance(claim, NeverFlowsDown):
        lower = below(questions, claim.label)
        for place in reached:
            if _only(questions, place, lower) and not (place.kind == "external" and names.releases(place, claim.label)):
                raise Refused(f"the data comes to `{place.name}`, which carries nothing that is not below")
        return
    ways = Ways(names.network)
    if claim.label.split(".")[-1] == ALL_PEOPLE:
        _inside(claim, ways, ways.serving("directory", "replica"), "the directory")
    foreign = tuple(node for node, country in ways.country.items() if not claim.jurisdiction.holds(country))
    for place in reached:
        if place.kind == "external" and not names.releases(place, claim.label):
            raise Refused(f"the data comes to `{place.name}`, which is inside no jurisdiction")
        _inside(claim, ways, ways.nodes(place), f"`{place.name}`")
        for there in reached:
            relay = next(ways.relays(place, there, foreign), None)
            if relay is not None and (place == there or moving(place, there)):
                raise Refused(f"node `{relay}` may relay the data between `{place.name}` and `{there.name}`")


def _inside(claim: StaysWithin, ways: Ways, nodes: Iterable[str], what: str) -> None:
    for node in nodes:
        if not claim.jurisdiction.holds(ways.country[node]):
            raise Refused(f"{what} is on node `{node}`, which is not inside {claim.jurisdiction.text}")


def _only(questions: Questions, place: Place, lower: frozenset[str]) -> bool:
    return place.kind == "external" or set(questions.names.segments[place.name].carries) <= lower


def below(questions: Questions, label: str) -> frozenset[str]:
    """Every label that one is above, and so on."""
    above = {each.name: each.above for each in questions.names.intent.labels}
    found: set[str] = set()
    pending = list(above.get(label, ()))
    while pending:
        name = pending.pop()
        pending += [] if name in found else above.get(name, ())
        found.add(name)
    return frozenset(found)


def leaked(questions: Questions, claim: Spreading, evidence: Flows) -> str:
    """Follow the data over flows that are allowed and do not release it. Raises `Refused`."""
    names, at = questions.names, questions.clock.at
    reached: Arrivals = dict.fromkeys(names.places(Ref(kind="label", name=claim.label)), at)
    moves: set[tuple[Place, Place]] = set()
    _log(questions, claim, reached, moves)
    for flow in _in_time(questions, evidence.flows):
        if not _carries(questions, claim, flow):
            raise Refused("a flow carries the data no further: somebody releases it")
        here, there = flow.source, Place(kind=flow.destination.kind, name=flow.destination.name)
        from_ = [each for each in (here, there) if each in reached and not names.releases(each, claim.label)]
        if not from_:
            raise Refused(f"the data is at neither end of a flow from `{here.name}` to `{there.name}`")
        moves |= {(here, there), (there, here)}
        reached.update({each: flow.instant for each in (here, there) if each not in reached})
        _log(questions, claim, reached, moves)
    try:
        _forbidden(questions, claim, reached, lambda one, other: (one, other) in moves)
    except Refused as found:
        return f"the flows are allowed, and {found}"
    raise Refused("the data stays where it may be")


def _log(questions: Questions, claim: Spreading, reached: Arrivals, moves: set[tuple[Place, Place]]) -> None:
    pending = list(reached)
    while pending:
        place = pending.pop()
        for sink in _sinks(questions, place, reached[place]) if not questions.names.releases(place, claim.label) else ():
            moves.add((place, sink))
            if sink not in reached:
                reached[sink] = reached[place]
                pending.append(sink)


def _carries(questions: Questions, claim: Spreading, flow: Flow) -> bool:
    policy, limits = questions.names.policy, _limits(claim)
    ends = (flow.destination.service, flow.principal.service if isinstance(flow.principal, ServiceEndpoint) else None)
    if any(end in limits.signed or policy.services[end].governance.released(claim.label) for end in ends if end):
        return False
    if isinstance(flow.principal, ServiceEndpoint) and policy.decide(flow).rule is None:
        return True
    rules = (questions.carrying(rule, claim.label) for rule in policy.about(flow.destination) if rule.effect == "allow")
    return any(policy.miss(rule, flow) is None for rule in rules if rule)
