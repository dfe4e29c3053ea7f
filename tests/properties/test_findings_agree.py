"""Findings about rules against brute force over `decide`: what is reported can go without a difference, and nothing else can."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.properties.test_verify_agrees import SEGMENTS, TYPES, fixed, instants, principals, small, written
from tests.verify.networks import AT, DAY, allow, attribute, between, deny, is_, network, role, segment, separate, service
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import Flow, Place
from ztosc.ir.intent import Rule
from ztosc.ir.network import Network
from ztosc.ir.values import TRUE, Guard, Negation, Validity
from ztosc.verify.findings import find

PORTS = ((6, 22), (6, 443), (6, 80))
GUARDS: list[Guard] = [
    TRUE,
    is_("user.mfa", True),
    Negation(part=is_("user.mfa", True)),
    is_("user.risk", 1, "<="),
    is_("user.risk", 0, ">"),
]
TIMES = [Validity(), Validity(), between(6, 20), between(8, 12), Validity(not_after=AT + 2 * DAY)]
WHO = ["segment:a", "segment:a", "segment:b", "role:p", "role:q", "role:r", "device:pump", "service:s", "label:phi"]


@st.composite
def crowded(draw: st.DrawFn) -> list[Any]:
    """Up to six rules that get in each other's way: about one place, with few guards, ports and times."""
    rules = []
    for _ in range(draw(st.integers(2, 6))):
        who, target = draw(st.sampled_from(WHO)), draw(st.sampled_from(["service:s", "service:s", "segment:b", "label:phi"]))
        when, valid = draw(st.sampled_from(GUARDS)), draw(st.sampled_from(TIMES))
        if draw(st.integers(0, 2)) == 0:
            rules.append(deny(who, target, draw(st.sampled_from([None, "tcp/22"])), when, valid))
        else:
            rules.append(allow(who, target, draw(st.sampled_from(["tcp/443", "tcp/22", "any"])), when, valid))
    apart = draw(st.sampled_from([(), (("p", "q"),)]))
    types = {name: TYPES[name] for name in ("user.mfa", "user.risk")}
    return [
        segment("a", admits=("pump",)),
        segment("b", carries=("phi",)),
        segment("c"),
        service("s", "b"),
        role("p", "a", requires=draw(st.sampled_from(GUARDS[:2]))),
        role("q", "a", "b"),
        role("r", "a", includes=draw(st.sampled_from([(), ("p",)]))),
        *(separate(*names) for names in apart),
        *(attribute(name, kind) for name, kind in types.items()),
        *rules,
    ]


ENDS = [*(Place(kind="segment", name=name) for name in SEGMENTS), Place(kind="segment", name="b", service="s")]


def flows(given: Network) -> Iterator[Flow]:
    """Every flow that brute force looks at."""
    policy, names = Policy(given.intent), written(given)
    for instant, source, end in itertools.product(instants(given), ("a", "b"), ENDS):
        for principal, (protocol, port) in itertools.product(principals(policy, source, names), PORTS):
            yield Flow.model_construct(
                source=Place(kind="segment", name=source),
                principal=principal,
                destination=end,
                protocol=protocol,
                port=port,
                instant=instant,
            )


def without(given: Network, rules: list[Rule]) -> Network:
    """The network without some rules."""
    left = tuple(rule for rule in given.intent.rules if not any(rule is each for each in rules))
    return given.model_copy(update={"intent": given.intent.model_copy(update={"rules": left})})


def differ(one: Network, other: Network, all_flows: list[Flow]) -> bool:
    """Whether any flow is decided otherwise."""
    first, second = Policy(one.intent), Policy(other.intent)
    return any(first.decide(flow).effect != second.decide(flow).effect for flow in all_flows)


def reported(given: Network, *codes: str) -> list[Rule]:
    """The rules that some findings are about."""
    lines = {item.span for item in find(given) if item.code in codes}
    return [rule for rule in given.intent.rules if rule.origin in lines]


@fixed(60)
@given(crowded())
def test_what_is_reported_can_go_and_nothing_else_can(declared: list[Any]) -> None:
    net = network(*declared)
    assume(small(net, 12))
    all_flows = list(flows(net))
    assert not differ(net, without(net, reported(net, "ZT440", "ZT441", "ZT446", "ZT450")), all_flows)
    idle = reported(net, "ZT440", "ZT441", "ZT446")
    lean = without(net, idle)
    taken = reported(net, "ZT450")
    for rule in lean.intent.rules:
        if not any(rule is each for each in taken):
            assert differ(lean, without(lean, [rule]), all_flows), f"{rule.origin} makes no difference, and nothing says so"


@fixed(60)
@given(crowded())
def test_a_grant_that_is_taken_away_would_grant_without_the_denies(declared: list[Any]) -> None:
    net = network(*declared)
    assume(small(net, 12))
    for rule in reported(net, "ZT450"):
        open_ = without(net, [each for each in net.intent.rules if each.effect == "deny" or each is not rule])
        assert any(Policy(open_.intent).decide(flow).rule is rule for flow in flows(open_))
    for rule in reported(net, "ZT440"):
        open_ = without(net, [each for each in net.intent.rules if each is not rule])
        assert not any(Policy(open_.intent).decide(flow).rule is rule for flow in flows(open_))
