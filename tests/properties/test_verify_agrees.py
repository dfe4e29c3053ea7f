"""The engine against brute force over `decide`, on small random networks: the same answer, and the least witness there is.

Brute force knows nothing of moments, cells or domains: it tries every instant of a fortnight by the hour, every port near one
that is written, every set of roles, and every value of every attribute, absent included.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.verify.networks import (
    AT,
    DAY,
    HOUR,
    allow,
    attribute,
    between,
    compare,
    deny,
    is_,
    isolated,
    network,
    never,
    only,
    ref,
    replays,
    role,
    segment,
    separate,
    service,
)
from ztosc.ir.clock import in_force
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import DevicePrincipal, Flow, Host, Person, Place, Principal, ServiceEndpoint
from ztosc.ir.guards import attributes_of
from ztosc.ir.intent import Rule
from ztosc.ir.network import Network
from ztosc.ir.values import TRUE, AnyOf, BoolType, EnumType, Guard, Negation, OtherAttribute, RangeType, Ref, Validity, all_of
from ztosc.verify import verify
from ztosc.verify.scope import starts

SEGMENTS = ("a", "b", "c")
LEVEL = EnumType(values=("low", "mid", "high"), ordered=True)
TYPES = {"user.mfa": BoolType(), "user.level": LEVEL, "user.risk": RangeType(low=0, high=2), "user.limit": RangeType(low=1, high=2)}
VALUES: dict[str, tuple[Any, ...]] = {
    "user.mfa": (None, False, True),
    "user.level": (None, *LEVEL.values),
    "user.risk": (None, 0, 1, 2),
    "user.limit": (None, 1, 2),
}
SUBJECTS = ("segment:a", "segment:b", "segment:c", "role:p", "role:q", "role:r", "device:pump", "service:s", "label:phi")
TARGETS = ("segment:a", "segment:b", "segment:c", "service:s", "label:phi")
PORTS = ((6, 21), (6, 22), (6, 30), (6, 31), (6, 443), (17, 53))


def fixed(examples: int) -> settings:
    """The same examples on every machine."""
    return settings(max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


atoms = st.one_of(
    st.builds(lambda value, sign: is_("user.mfa", value, sign), st.booleans(), st.sampled_from(["==", "!="])),
    st.builds(
        lambda value, sign: is_("user.level", value, sign),
        st.sampled_from(LEVEL.values),
        st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
    ),
    st.builds(lambda value, sign: is_("user.risk", value, sign), st.integers(0, 2), st.sampled_from(["==", "!=", "<", "<=", ">", ">="])),
    st.builds(lambda sign: compare("user.risk", sign, OtherAttribute(attribute="user.limit")), st.sampled_from(["==", "!=", "<", ">"])),
)
guards: st.SearchStrategy[Guard] = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(lambda part: Negation(part=part), inner),
        st.builds(lambda x, y: all_of(x, y), inner, inner),
        st.builds(lambda x, y: AnyOf(parts=(x, y)), inner, inner),
    ),
    max_leaves=3,
)
times = st.sampled_from(
    [
        Validity(),
        Validity(not_after=AT + 2 * DAY),
        Validity(not_before=AT + 2 * DAY),
        between(6, 20),
        between(22, 5, days=(5, 6)),
        between(8, 9, "America/New_York", (0,), until=AT + 9 * DAY),
    ]
)


@st.composite
def rules(draw: st.DrawFn) -> Any:
    """One rule of any shape."""
    subjects = draw(st.lists(st.sampled_from(SUBJECTS), min_size=1, max_size=2, unique=True))
    target = draw(st.sampled_from(TARGETS))
    when = draw(st.one_of(st.just(TRUE), guards))
    if draw(st.integers(0, 3)) == 0:
        return deny(subjects, target, draw(st.sampled_from([None, "tcp/22", "tcp/22-30"])), when, draw(times))
    on = None if target == "service:s" and draw(st.booleans()) else draw(st.sampled_from(["tcp/22", "tcp/22-30", "any", "udp/53"]))
    return allow(subjects, target, on, when, draw(times))


@st.composite
def policies(draw: st.DrawFn) -> list[Rule]:
    """Up to five rules; at times a deny meets a grant with the same ends, which rules of any shape seldom do."""
    found = draw(st.lists(rules(), min_size=1, max_size=5))
    granted = [each for each in found if each.effect == "allow"]
    if granted and len(found) < 5 and draw(st.booleans()):
        met = granted[-1]
        against = deny([f"{ref.kind}:{ref.name}" for ref in met.subjects], [f"{ref.kind}:{ref.name}" for ref in met.targets])
        found.append(against.model_copy(update={"guard": draw(guards), "validity": draw(times)}))
    return found


@st.composite
def parts(draw: st.DrawFn) -> list[Any]:
    """Three segments, three roles one of which may include another, a device class, a service, and up to five rules."""
    sources = {name: draw(st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=2, unique=True)) for name in ("p", "q", "r")}
    apart = draw(st.sampled_from([(), (("p", "q"),), (("p", "q", "r"),)]))
    includes = draw(st.sampled_from([(), ("p",)]))
    requires = draw(st.one_of(st.just(TRUE), atoms))
    return [
        segment("a", admits=("pump",)),
        segment("b", carries=("phi",)),
        segment("c", carries=draw(st.sampled_from([(), ("phi",)]))),
        service("s", "b"),
        role("p", *sources["p"], requires=requires),
        role("q", *sources["q"]),
        role("r", *sources["r"], includes=includes),
        *(separate(*names) for names in apart),
        *(attribute(name, kind) for name, kind in TYPES.items()),
        *draw(policies()),
    ]


def instants(given: Network) -> list[int]:
    """Every hour of a fortnight at which something changes, and the first."""
    seen: dict[tuple[bool, ...], int] = {}
    for instant in range(AT, AT + 14 * DAY, HOUR):
        seen.setdefault(in_force_at(given, instant), instant)
    return list(seen.values())


def written(given: Network) -> list[str]:
    """The attributes that any guard asks for; the others change nothing."""
    asked = [*(rule.guard for rule in given.intent.rules), *(each.requires for each in given.intent.roles)]
    return [name for name in sorted(VALUES) if any(name in attributes_of(guard) for guard in asked)]


def small(given: Network, most: int) -> bool:
    """Whether the attributes that guards ask for have few enough assignments to try them all at every hour."""
    return math.prod(len(VALUES[name]) for name in written(given)) <= most


def facts(names: list[str]) -> Iterator[tuple[tuple[str, Any], ...]]:
    """Every assignment, the least first."""
    for values in itertools.product(*(VALUES[name] for name in names)):
        yield tuple((name, value) for name, value in zip(names, values, strict=True) if value is not None)


def principals(policy: Policy, source: str, names: list[str]) -> Iterator[Principal]:
    """Everyone and everything that may sit in a segment."""
    for attributes in facts(names):
        yield Host(attributes=attributes)
        if source == "a":
            yield DevicePrincipal(device="pump", attributes=attributes)
        if source == "b":
            yield ServiceEndpoint(service="s", attributes=attributes)
        for size in (1, 2, 3):
            yield from (Person(roles=roles, attributes=attributes) for roles in itertools.combinations(("p", "q", "r"), size))


def ends(policy: Policy, target: str) -> list[Place]:
    """The ends of flows that count as reaching a target."""
    places = [Place(kind="segment", name=name) for name in SEGMENTS] + [Place(kind="segment", name="b", service="s")]
    return [
        place
        for place in places
        if policy.is_target(ref(target), Flow(source=place, principal=Host(), destination=place, protocol=0, port=0, instant=0))
    ]


def flows(given: Network, target: str) -> Iterator[Flow]:
    """Every flow to a target that `decide` allows."""
    policy, names = Policy(given.intent), written(given)
    granted = [end for end in ends(policy, target) if end.service or any(rule.effect == "allow" for rule in policy.about(end))]
    for instant, source, end in itertools.product(instants(given), SEGMENTS, granted):
        for principal, (protocol, port) in itertools.product(principals(policy, source, names), PORTS):
            flow = Flow.model_construct(
                source=Place(kind="segment", name=source),
                principal=principal,
                destination=end,
                protocol=protocol,
                port=port,
                instant=instant,
            )
            if policy.decide(flow).allowed:
                yield flow


def is_a(given: Network, subject: Ref, flow: Flow) -> bool:
    """Whether the initiator is one of the subject."""
    return Policy(given.intent).is_subject(subject, flow)


@fixed(80)
@given(parts(), st.sampled_from(SUBJECTS), st.sampled_from(TARGETS))
def test_never_reaches_is_what_brute_force_says(declared: list[Any], subject: str, target: str) -> None:
    net = network(*declared, never(subject, target))
    assume(small(net, 64))
    (verdict,) = verify(net)
    found = any(is_a(net, ref(subject), flow) for flow in flows(net, target))
    assert verdict.verdict == ("refuted" if found else "proved")
    assert not found or replays(net, verdict)
    assert not found or all(is_a(net, ref(subject), hop.flow) for hop in verdict.witness.hops if hop.flow)


@fixed(50)
@given(parts(), st.sampled_from(SUBJECTS), st.sampled_from(TARGETS))
def test_only_reach_is_what_brute_force_says(declared: list[Any], subject: str, target: str) -> None:
    net = network(*declared, only(subject, target))
    assume(small(net, 64))
    (verdict,) = verify(net)
    others = (flow for flow in flows(net, target) if not is_a(net, ref(subject), flow) and not is_a(net, ref(target), flow))
    assert verdict.verdict == ("refuted" if any(True for _ in others) else "proved")
    assert verdict.verdict == "proved" or replays(net, verdict)


@fixed(50)
@given(
    parts(),
    st.sampled_from([("segment:a", "segment:c"), ("segment:c", "segment:b"), ("role:q", "segment:c"), ("device:pump", "label:phi")]),
)
def test_isolation_is_what_brute_force_says(declared: list[Any], pair: tuple[str, str]) -> None:
    """Chains by hand: everything that is reached, hour by hour, until nothing more is."""
    net = network(*declared, isolated(*pair))
    assume(small(net, 12))
    (verdict,) = verify(net)
    assert verdict.verdict == ("refuted" if chained(net, *pair) else "proved"), verdict.reason
    assert verdict.verdict == "proved" or not verdict.witness.hops[0].flow or replays(net, verdict)


def chained(net: Network, subject: str, target: str) -> bool:
    """Whether a chain exists within three weeks, by the hour; windows recur within one."""
    policy, names = Policy(net.intent), written(net)
    goals = {place.name for place in ends(policy, target)}
    owned = {start.place.name for start in starts(policy, ref(subject))}  # whoever sits there owns the segment around
    if owned & goals:
        return True
    edges: dict[tuple[bool, ...], set[tuple[str, str]]] = {}
    for instant in range(AT, AT + 21 * DAY, HOUR):
        key = in_force_at(net, instant)
        if key not in edges:
            edges[key] = hops(policy, names, instant)
        pairs = edges[key]
        before = None
        while before != owned:
            before = set(owned)
            owned |= {there for here, there in pairs if here in owned}
            if goals & owned:
                return True
    return False


def in_force_at(net: Network, instant: int) -> tuple[bool, ...]:
    """Which rules are in force."""
    return tuple(in_force(rule.validity, instant) for rule in net.intent.rules)


def hops(policy: Policy, names: list[str], instant: int) -> set[tuple[str, str]]:
    """From which segment to which anyone gets at an instant."""
    pairs: set[tuple[str, str]] = set()
    places = [*(Place(kind="segment", name=name) for name in SEGMENTS), Place(kind="segment", name="b", service="s")]
    granted = [end for end in places if end.service or any(rule.effect == "allow" for rule in policy.about(end))]
    for source, end in itertools.product(SEGMENTS, granted):
        for principal, (protocol, port) in itertools.product(principals(policy, source, names), PORTS):
            if (source, end.name) in pairs:
                break
            flow = Flow.model_construct(
                source=Place(kind="segment", name=source),
                principal=principal,
                destination=end,
                protocol=protocol,
                port=port,
                instant=instant,
            )
            if policy.decide(flow).allowed:
                pairs.add((source, end.name))
    return pairs
