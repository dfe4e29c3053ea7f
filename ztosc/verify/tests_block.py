"""`test` blocks: what the author expects of single flows, asked of `decide` itself.

Guarantees: every distinguishable protocol and port of an expectation is asked, at every end that its target stands for. Where no ports
are given, a service or system means what it listens on. For a segment, label or external it means any port at all: `deny` that there is
none, `allow` that there is one.
"""

from __future__ import annotations

from collections.abc import Iterator

from ztosc.ir.assertions import Expectation, Given, Test
from ztosc.ir.base import Model
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import DevicePrincipal, Flow, Host, Person, Place, Principal, ServiceEndpoint
from ztosc.ir.network import Network
from ztosc.ir.verdict import Hop
from ztosc.logic import ports
from ztosc.source import Span
from ztosc.verify import words
from ztosc.verify.cells import cells
from ztosc.verify.scope import destinations


class TestFailure(Model):
    """An expectation that does not hold: one sentence, where it stands, and the flow that was decided otherwise."""

    __test__ = False  # not a pytest class, in spite of its name

    reason: str
    origin: Span
    hop: Hop | None = None


class TestResult(Model):
    """The outcome of one `test` block; it passed where nothing failed."""

    __test__ = False

    name: str
    origin: Span
    failures: tuple[TestFailure, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every expectation holds."""
        return not self.failures


def run_tests(network: Network) -> tuple[TestResult, ...]:
    """Every `test` block of a network, in the order of their origins."""
    policy = Policy(network.intent)
    return tuple(_run(policy, each, network.at) for each in sorted(network.intent.tests, key=lambda test: test.origin))


def _run(policy: Policy, test: Test, clock: int) -> TestResult:
    instant = clock if test.given.instant is None else test.given.instant
    failures = (_failure(policy, test.given, expected, instant) for expected in test.expects)
    return TestResult(name=test.name, origin=test.origin, failures=tuple(failure for failure in failures if failure))


def _failure(policy: Policy, given: Given, expected: Expectation, instant: int) -> TestFailure | None:
    somewhere = expected.effect == "allow" and _listens(policy, expected) is None
    last: Flow | None = None
    for flow in _flows(policy, given, expected, instant):
        decided = policy.decide(flow).effect
        last = last or flow
        if somewhere and decided == "allow":
            return None
        if not somewhere and decided != expected.effect:
            return _otherwise(policy, flow, expected)
    return _nothing(expected, last) if somewhere or last is None else None


def _otherwise(policy: Policy, flow: Flow, expected: Expectation) -> TestFailure:
    decision = policy.decide(flow)
    rule = decision.rule
    who = f"{words.principal(policy, flow.principal)} in {words.place(flow.source)}"
    what = f"{words.port(flow.protocol, flow.port)} to {words.place(flow.destination)}"
    origin = rule.origin if rule else None
    reason = f"expected {expected.effect}, but {who} gets {decision.effect} on {what}: {decision.reason}{words.at(origin)}"
    return TestFailure(reason=reason, origin=expected.origin, hop=Hop(text=reason, flow=flow, rule=origin))


def _nothing(expected: Expectation, flow: Flow | None) -> TestFailure:
    reason = f"expected allow to `{expected.target.name}` on some port, but every port is denied"
    if flow is None:
        reason = f"`{expected.target.name}` stands for nothing that a flow could end at, so nothing was tested"
    return TestFailure(reason=reason, origin=expected.origin, hop=Hop(text=reason, flow=flow) if flow else None)


def _listens(policy: Policy, expected: Expectation) -> ports.Boxes | None:
    """The ports that are expected, or `None` where the source says none and the target does not listen."""
    if expected.ports is not None:
        return expected.ports
    return policy.listens(expected.target) if expected.target.kind in ("service", "system") else None


def _flows(policy: Policy, given: Given, expected: Expectation, instant: int) -> Iterator[Flow]:
    source = Place(kind="external" if given.source.kind == "external" else "segment", name=given.source.name)
    who = principal(given)
    for end in destinations(policy, expected.target):
        for protocol, port in cells(policy, end, _listens(policy, expected)):
            yield Flow(source=source, principal=who, destination=end, protocol=protocol, port=port, instant=instant)


def principal(given: Given) -> Principal:
    """Who acts in a test: someone with all the given roles, or one device, endpoint or host."""
    first = given.subjects[0] if given.subjects else given.source
    match first.kind:
        case "role":
            return Person(roles=tuple(ref.name for ref in given.subjects), attributes=given.attributes)
        case "device":
            return DevicePrincipal(device=first.name, attributes=given.attributes)
        case "service":
            return ServiceEndpoint(service=first.name, attributes=given.attributes)
        case _:
            return Host(attributes=given.attributes)
