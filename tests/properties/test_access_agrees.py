"""Areas of two networks against `decide` of both, flow by flow, on random pairs: nothing is lost by merging, skipping or cutting.

What a network does not have is nobody and nothing there: a role is not acted in where it does not come from, an unknown service is a host
of its segment, an unknown attribute or value is absent.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.properties.test_verify_agrees import PORTS, VALUES, fixed, guards, parts, rules
from tests.verify.networks import AT, DAY, HOUR, allow, attribute, compare, external, network, role, segment, separate, service, system
from ztosc.compare.access import Access, compare_access
from ztosc.ir.acceptance import Acceptance, AcceptedAccess
from ztosc.ir.clock import in_force
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import DevicePrincipal, Flow, Host, Person, Place, Principal, ServiceEndpoint
from ztosc.ir.guards import evaluate
from ztosc.ir.intent import Role, Rule, Segment, Separation, Service
from ztosc.ir.network import Network
from ztosc.ir.values import Constant, EnumType, InstantType, Now, RangeType
from ztosc.logic import ports
from ztosc.verify.slices import ANYONE, HOST, PERSON, Kind


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Network, Network]:
    """A network, and one that some edits made of it."""
    before = draw(parts())
    after = list(before)
    for edit in draw(st.lists(st.sampled_from(sorted(EDITS)), min_size=1, max_size=3)):
        after = EDITS[edit](draw, after)
    first, second = (before, after) if draw(st.booleans()) else (after, before)
    return network(*first), network(*second)


def _without(draw: st.DrawFn, given: list[Any]) -> list[Any]:
    there = [each for each in given if isinstance(each, Rule | Separation)]
    gone = draw(st.sampled_from(there)) if there else None
    return [each for each in given if each is not gone]


def _other_role(draw: st.DrawFn, given: list[Any]) -> list[Any]:
    sources = draw(st.lists(st.sampled_from(("a", "b", "c")), min_size=1, max_size=2, unique=True))
    made = role("q", *sources, requires=draw(guards), includes=draw(st.sampled_from([(), ("p",)])))
    return [made if isinstance(each, Role) and each.name == "q" else each for each in given]


def _labels(draw: st.DrawFn, given: list[Any]) -> list[Any]:
    carries = draw(st.sampled_from([(), ("phi",)]))
    update = {"carries": carries, "admits": draw(st.sampled_from([(), ("pump",)]))}
    return [each.model_copy(update=update) if isinstance(each, Segment) and each.name == "c" else each for each in given]


def _moved(draw: st.DrawFn, given: list[Any]) -> list[Any]:
    made = service("s", draw(st.sampled_from(("a", "b"))), draw(st.sampled_from(("tcp/443", "tcp/22-30"))))
    return [made if isinstance(each, Service) else each for each in given]


def _segment(draw: st.DrawFn, given: list[Any]) -> list[Any]:
    if any(isinstance(each, Segment) and each.name == "d" for each in given):
        return given
    carries = draw(st.sampled_from([(), ("phi",)]))
    return [*given, segment("d", carries=carries), role("t", "d", "a"), service("u", "a"), allow("segment:d", "service:u"), system()]


def _outside(draw: st.DrawFn, given: list[Any]) -> list[Any]:
    if any(not isinstance(each, Role) and getattr(each, "name", "") == "web" for each in given):
        return given
    return [*given, external("web", "::/0"), allow("external:web", "service:s"), allow(["role:p", "segment:c"], "external:web", "tcp/443")]


def _type(draw: st.DrawFn, given: list[Any]) -> list[Any]:
    grown = attribute("user.level", EnumType(values=("low", "mid", "high", "top"), ordered=True))
    return [grown if getattr(each, "name", "") == "user.level" else each for each in given]


EDITS = {
    "without": _without,
    "also": lambda draw, given: [*given, draw(rules())],
    "role": _other_role,
    "labels": _labels,
    "moved": _moved,
    "segment": _segment,
    "outside": _outside,
    "type": _type,
    "apart": lambda draw, given: [*given, separate("q", "r")],
}


def projected(policy: Policy, flow: Flow) -> Flow | None:
    """The flow as a network sees it."""
    externals = {each.name for each in policy.intent.externals}
    known = {"segment": policy.segments, "external": externals, "system": policy.systems}
    source, end, who = flow.source, flow.destination, flow.principal
    if source.name not in known[source.kind] or end.name not in known[end.kind]:
        return None
    if end.service and (end.service not in policy.services or policy.services[end.service].segment != end.name):
        end = Place(kind="segment", name=end.name)
    facts = tuple((name, value) for name, value in who.attributes if name in policy.types and _fits(policy.types[name], value))
    update: dict[str, Any] = {"attributes": facts}
    if isinstance(who, Person):
        update["roles"] = tuple(name for name in who.roles if name in policy.roles and source.name in policy.roles[name].sources)
    return flow.model_copy(update={"destination": end, "principal": who.model_copy(update=update)})


def _fits(kind: Any, value: Any) -> bool:
    """Whether a type has a value."""
    if isinstance(kind, EnumType):
        return value in kind.values
    return not isinstance(kind, RangeType) or kind.low <= value <= kind.high


def decided(network_: Network, policy: Policy, flow: Flow) -> bool:
    seen = projected(policy, flow)
    if seen is None:
        return False
    who = seen.principal
    if isinstance(who, ServiceEndpoint) and who.service not in policy.services:
        seen = seen.model_copy(update={"principal": Host(attributes=who.attributes)})
    return policy.decide(seen).allowed


def flows(access: Access, dice: random.Random, values: dict[str, tuple[Any, ...]] = VALUES) -> Iterator[Flow]:
    """Every source, initiator without attributes, end and port of both networks, each with a few attributes and instants."""
    policies = [side.policy for side in access.sides]
    ends = {end: None for network_ in (access.old, access.new) for end in _every_end(network_)}
    roles = sorted({name for policy in policies for name in policy.roles})
    instants = sorted({next(iter(group)) for group in _hours(access)})
    for place, end, cell in itertools.product(access.places, ends, PORTS):
        kinds: list[Principal] = [Host(), DevicePrincipal(device="pump"), ServiceEndpoint(service="s")]
        here = [name for name in roles if any(name in p.roles and place.name in p.roles[name].sources for p in policies)]
        if place.kind == "segment":
            kinds += [Person(roles=tuple(each)) for size in range(4) for each in itertools.combinations(here, size)]
        for who in kinds if place.kind == "segment" else kinds[:1]:
            for _ in range(2):
                facts = tuple((name, value) for name in sorted(values) if (value := dice.choice(values[name])) is not None)
                principal = who.model_copy(update={"attributes": facts})
                yield Flow(
                    source=place, principal=principal, destination=end, protocol=cell[0], port=cell[1], instant=dice.choice(instants)
                )


def _every_end(given: Network) -> Iterator[Place]:
    yield from (Place(kind="segment", name=each.name) for each in given.intent.segments)
    yield from (Place(kind="segment", name=each.segment, service=each.name) for each in given.intent.services)
    yield from (Place(kind="external", name=each.name) for each in given.intent.externals)
    yield from (Place(kind="system", name=each.name) for each in given.intent.systems)


def _hours(access: Access) -> list[list[int]]:
    found: dict[tuple[bool, ...], list[int]] = {}
    validities = {rule.validity for each in (access.old, access.new) for rule in each.intent.rules}
    for instant in range(AT, AT + 14 * DAY, HOUR):
        found.setdefault(tuple(in_force(each, instant) for each in sorted(validities, key=repr)), []).append(instant)
    return list(found.values())


def contains(access: Access, side: int, flow: Flow) -> int | None:
    """Which acceptance names the area that holds a flow: -1 for none; nothing where there is no such area."""
    found = []
    gained = side == 1
    kind = _kind(access, flow)
    roles = flow.principal.roles if isinstance(flow.principal, Person) else ()
    assignment = {access.encoding.role[name]: 1 for name in roles if _acts(access, name, flow.source.name)}
    for name, value in flow.principal.attributes:
        if name in access.encoding.values:
            assignment[access.encoding.attribute[name]] = _index(access.encoding.values[name], value) + 1
    key = [in_force(each, flow.instant) for each in access.timeline.validities]
    alike = (i for i, at in enumerate(access.instants) if [in_force(each, at) for each in access.timeline.validities] == key)
    moment = access.instants.index(flow.instant) if flow.instant in access.instants else next(alike)
    bit = access.places.index(flow.source)
    for area in access.gained if gained else access.lost:
        if (
            area.sources >> bit & 1
            and flow.destination in area.ends
            and ports.contains(area.ports, flow.protocol, flow.port)
            and area.moments >> moment & 1
            and (kind in area.kinds or ANYONE in area.kinds)
            and access.diagrams.holds(area.who, assignment)
        ):
            apart = access.sides[side].reading.apart(flow.source.name) if kind == PERSON and ANYONE in area.kinds else 1
            if access.diagrams.holds(apart, assignment):
                found.append(area.accepted)
    assert len(found) < 2, "areas share a flow"
    return found[0] if found else None


def _acts(access: Access, name: str, segment_: str) -> bool:
    policies = [side.policy for side in access.sides]
    return any(name in policy.roles and segment_ in policy.roles[name].sources for policy in policies)


def _kind(access: Access, flow: Flow) -> Kind:
    """A kind that neither network has at a place is a host there."""
    who = flow.principal
    kind = {"person": PERSON, "host": HOST}.get(who.kind) or Kind(who.kind, getattr(who, "device", "") or getattr(who, "service", ""))
    return kind if kind in access.kinds(flow.source) else HOST


def _index(values: tuple[Any, ...], value: Any) -> int:
    if isinstance(value, bool | str):
        return next(index for index, each in enumerate(values) if type(each) is type(value) and each == value)
    return max(index for index, each in enumerate(values) if each <= value)


def agree(old: Network, new: Network, seed: int, values: dict[str, tuple[Any, ...]] = VALUES) -> tuple[int, int]:
    """Every flow is in an area if and only if just one network allows it; how many were in one of either side."""
    access = compare_access(old, new)
    assert not access.undecided
    policies = Policy(old.intent), Policy(new.intent)
    count = [0, 0]
    for flow in flows(access, random.Random(seed), values):
        before, after = decided(old, policies[0], flow), decided(new, policies[1], flow)
        assert (contains(access, 1, flow) is not None) == (after and not before), flow
        assert (contains(access, 0, flow) is not None) == (before and not after), flow
        count[0] += before and not after
        count[1] += after and not before
    return count[0], count[1]


def test_a_flow_is_in_an_area_if_and_only_if_one_network_alone_allows_it() -> None:
    seen = []

    @fixed(30)
    @given(pairs(), st.integers(0, 2**32))
    def each(pair: tuple[Network, Network], seed: int) -> None:
        seen.append(agree(*pair, seed))

    each()
    assert any(lost for lost, _ in seen) and any(gained for _, gained in seen), "no flow was ever in an area"


def test_two_networks_that_have_little_in_common() -> None:
    seen = []

    @fixed(10)
    @given(parts(), parts(), st.integers(0, 2**32))
    def each(before: list[Any], after: list[Any], seed: int) -> None:
        seen.append(agree(network(*before), network(*after), seed))

    each()
    assert any(lost for lost, _ in seen) and any(gained for _, gained in seen), "no flow was ever in an area"


@fixed(10)
@given(parts())
def test_a_network_differs_in_nothing_from_itself(declared: list[Any]) -> None:
    access = compare_access(network(*declared), network(*declared))
    assert not access.gained and not access.lost and not access.ends


@fixed(20)
@given(pairs(), st.lists(rules(), min_size=1, max_size=3), st.integers(0, 2**32))
def test_an_acceptance_names_what_a_rule_of_its_words_would_match(pair: tuple[Network, Network], said: list[Rule], seed: int) -> None:
    old, new = pair
    said = [each.model_copy(update={"effect": "allow"}) for each in said]
    accepted = [
        Acceptance(
            access=AcceptedAccess(subjects=each.subjects, targets=each.targets, ports=each.ports, guard=each.guard, validity=each.validity),
            because="",
            approved_by=(),
            origin=each.origin,
        )
        for each in said
    ]
    plain, access = compare_access(old, new), compare_access(old, new, accepted)
    policy = Policy(new.intent)
    for flow in flows(plain, random.Random(seed)):
        number = contains(access, 1, flow)
        assert (number is None) == (contains(plain, 1, flow) is None)
        if number is not None:
            seen = projected(policy, flow)
            matching = [index for index, each in enumerate(said) if seen is not None and _names(policy, each, seen, flow.destination)]
            assert number == (matching[0] if matching else -1)


def _names(policy: Policy, said: Rule, flow: Flow, end: Place) -> bool:
    """Whether a rule of these words speaks of a flow, what roles require left out."""
    at = flow.model_copy(update={"destination": end})
    targets = [ref for ref in said.targets if policy.is_target(ref, at)]
    spoken = any(ports.contains(policy.rule_ports(said, ref), flow.protocol, flow.port) for ref in targets)
    subject = any(policy.is_subject(ref, flow) for ref in said.subjects)
    true = evaluate(said.guard, dict(flow.principal.attributes), policy.types, flow.instant) is True
    return subject and spoken and true and in_force(said.validity, flow.instant)


def test_guards_that_compare_with_now_see_the_dates_of_both() -> None:
    """One network compares with `now`, the other with a date: what is gained depends on which of the two is later."""
    declared = [segment("a"), segment("b"), attribute("session.until", InstantType())]
    old = network(*declared, allow("segment:a", "segment:b", "tcp/22", compare("session.until", ">", Constant(values=(AT + 3 * DAY,)))))
    new = network(*declared, allow("segment:a", "segment:b", "tcp/22", compare("session.until", ">", Now())))
    values = {"session.until": (None, *(AT + step * DAY + second for step in range(6) for second in (-1, 0, 1)))}
    access = compare_access(old, new)
    policies = Policy(old.intent), Policy(new.intent)
    seen = 0
    for instant in access.instants:
        for until in values["session.until"]:
            facts = (("session.until", until),) if until else ()
            place, end = Place(kind="segment", name="a"), Place(kind="segment", name="b")
            flow = Flow(source=place, principal=Host(attributes=facts), destination=end, protocol=6, port=22, instant=instant)
            before, after = decided(old, policies[0], flow), decided(new, policies[1], flow)
            if until is None or until in access.encoding.values["session.until"]:  # others stand for these at other instants
                seen += 1
                assert (contains(access, 1, flow) is not None) == (after and not before), flow
                assert (contains(access, 0, flow) is not None) == (before and not after), flow
    assert seen > 20


def test_a_change_of_one_rule_looks_at_its_ends_alone() -> None:
    declared = [segment("a"), segment("b"), segment("c"), allow("segment:a", "segment:b", "tcp/22")]
    more = [*declared, allow("segment:a", "segment:c", "tcp/22")]
    access = compare_access(network(*declared), network(*more))
    assert [end.name for end in access.ends] == ["c"]
    assert [(area.kinds, area.ports, area.accepted) for area in access.gained] == [((ANYONE,), ((6, 6, 22, 22),), -1)]
    assert not access.lost


def test_the_pairs_differ_often_enough_to_say_something() -> None:
    counted = [0, 0, 0]

    @fixed(12)
    @given(pairs(), st.integers(0, 2**32))
    def some(pair: tuple[Network, Network], seed: int) -> None:
        lost, gained = agree(*pair, seed)
        counted[0] += 1
        counted[1] += bool(lost)
        counted[2] += bool(gained)

    some()
    assert min(counted[1:]) * 4 > counted[0], counted
