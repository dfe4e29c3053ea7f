"""The places of a certificate against the search that the verdict came from: the same ones, each first reached at the same instant."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.properties.test_engine_agrees import declared, through
from tests.properties.test_verify_agrees import fixed
from tests.verify.networks import (
    AT,
    DAY,
    allow,
    deny,
    down,
    external,
    isolated,
    network,
    node,
    ref,
    region,
    role,
    segment,
    service,
    stays,
    system,
    verified,
)
from ztosc.ir.flow import Place
from ztosc.ir.intent import Governance, Release
from ztosc.ir.network import Network
from ztosc.ir.values import Validity
from ztosc.recheck import Checker
from ztosc.verify import isolated as isolation
from ztosc.verify import verify
from ztosc.verify.certificates import NETWORK, certificates
from ztosc.verify.chains import Expand, Reached, State, rounds, steps
from ztosc.verify.closed import Arrivals, Hopping, spreading
from ztosc.verify.finder import Finder
from ztosc.verify.scope import Start, starts
from ztosc.verify.spread import Spread
from ztosc.verify.times import Times

CLAIMS = st.one_of(
    st.builds(isolated, st.sampled_from(["segment:a", "segment:b"]), st.sampled_from(["segment:c", "segment:d", "external:net"]), through),
    st.just(stays("phi")),
    st.builds(down, st.just("phi"), st.sampled_from([(), ("service:s",)])),
)


def searched(begin: State, expand: Expand) -> Arrivals:
    """Everything that hops lead to, with its first instant."""
    found = dict(begin)
    for fresh in rounds(begin, expand):
        found |= fresh
    return {start.place: reached.arrival for start, reached in found.items()}


def hopping(net: Network) -> tuple[Finder, Hopping]:
    """The engine of a network, and its evidence."""
    finder = Finder(net)
    return finder, Hopping(finder.slices, Times(net, finder.slices.reading.thresholds))


def data(net: Network, signed: tuple[str, ...] = ()) -> Arrivals:
    """Where phi comes to: evidence and search agree."""
    finder, evidence = hopping(net)
    begin = [start.place for start in starts(finder.policy, ref("label:phi"))]
    spread = Spread(finder, "phi", signed)
    found = spreading(begin, net.at, evidence.data("phi", signed))
    assert found == searched(spread.begin(), spread.expand)
    return found


def chained(net: Network, start: str, without: tuple[Place, ...] = ()) -> Arrivals:
    """Where an attacker comes to: evidence and search agree."""
    finder, evidence = hopping(net)
    begin = {Start(each.place): Reached(net.at) for each in starts(finder.policy, ref(start))}
    found = spreading([each.place for each in begin], net.at, evidence.chain(without))
    assert found == searched(begin, lambda here, reached: steps(finder, here, reached, _others(finder, without), without))
    return found


def _others(finder: Finder, without: tuple[Place, ...]) -> tuple[Place, ...]:
    return tuple(place for place in finder.places if place not in without)


def test_places_and_arrivals_are_those_of_the_search() -> None:
    met = []

    @fixed(120)
    @given(declared(), st.sampled_from(["segment:a", "segment:b", "role:r"]), through, st.sampled_from([(), ("s",), ("s", "t")]))
    def each(parts: list[Any], start: str, around: tuple[str, ...], signed: tuple[str, ...]) -> None:
        net = network(*parts)
        policy = Finder(net).policy
        without = tuple(place for name in around for place in isolation.removed(policy, ref(name)))
        met.append((len(chained(net, start, without)), len(data(net, signed))))

    each()
    assert sum(chain > 1 for chain, _ in met) >= 20 and sum(spread > 1 for _, spread in met) >= 20, "hardly anything was reached"


def test_the_certificates_of_these_claims_hold() -> None:
    met = []

    @fixed(40)
    @given(declared(), CLAIMS)
    def each(parts: list[Any], claim: Any) -> None:
        net = network(*parts, claim)
        made = certificates(net, verify(net))
        checker = Checker(made[NETWORK])
        (found,) = (checker.check(text) for name, text in made.items() if name != NETWORK)
        assert found.state == "holds", found
        met.append(b'"kind":"closed"' in b"".join(made.values()))

    each()
    assert sum(met) >= 20, "hardly any claim was proved"


@pytest.mark.parametrize(("until", "reached"), [(AT + DAY, {"a", "b"}), (AT + DAY + 1, {"a", "b", "net"})])
def test_a_hop_that_is_over_before_the_one_to_it_leads_nowhere(until: int, reached: set[str]) -> None:
    first = allow("segment:a", "segment:b", on="tcp/1", valid=Validity(not_before=AT + DAY))
    net = network(
        segment("a", carries=("phi",)), segment("b"), external("net"),
        first, allow("segment:b", "external:net", on="tcp/1", valid=Validity(not_after=until)),
    )  # fmt: skip
    assert {place.name for place in chained(net, "segment:a")} == {place.name for place in data(net)} == reached


def test_what_is_said_to_an_external_is_logged_where_its_flows_are() -> None:
    logged = allow("external:net", "segment:b", on="tcp/1").model_copy(update={"governance": Governance(log_to="sink")})
    signed = Governance(releases=(Release(label="phi", because="signed"),))
    ends = segment("b").model_copy(update={"governance": signed})  # what comes to `b` is logged nowhere, but for `net`
    net = network(
        segment("a", carries=("phi",)), ends, segment("c"), segment("d"), external("net"), external("other", "2001:db8:f::/48"),
        service("sink", "c"), allow("segment:a", "external:net", on="tcp/1", valid=Validity(not_before=AT + DAY)), logged,
        allow("external:other", "segment:d", on="tcp/1").model_copy(update={"governance": Governance(log_to="sink")}),
    )  # fmt: skip
    found = {place.name: arrival - AT for place, arrival in data(net).items()}
    assert found == {"a": 0, "net": DAY, "b": DAY, "c": DAY}


def test_a_role_that_releases_carries_nothing_on_beside_one_that_does_not() -> None:
    signed = Governance(releases=(Release(label="phi", because="signed"),))
    signs = role("p", "a").model_copy(update={"governance": signed})
    net = network(
        segment("a", carries=("phi",)), segment("b"), segment("c"), signs, role("q", "c"),
        allow(("role:p", "role:q"), "segment:b", on="tcp/1"), stays("phi"), region("us", "US"),
    )  # fmt: skip
    assert {place.name for place in data(net)} == {"a"}
    (verdict,) = verified(net)
    assert verdict.verdict == "proved"


@pytest.mark.parametrize(
    ("start", "around", "reached"),
    [
        ("segment:a", (), {"a", "net", "vendor"}),
        ("segment:a", ("system:dns",), {"a", "vendor"}),
        ("segment:a", ("external:net",), {"a", "vendor"}),
        ("segment:b", (), {"b"}),
        ("segment:c", (), {"c"}),
        ("external:net", (), {"net"}),
    ],
)
def test_a_resolver_leads_to_every_external_for_those_granted_one(start: str, around: tuple[str, ...], reached: set[str]) -> None:
    net = network(
        segment("b"), segment("c"), segment("a"), external("net"), external("vendor", "2001:db8:f::/48"), node("n1", "home", "resolver"),
        system(), allow("segments:*", "system:dns"), allow("segment:a", "external:vendor", on="tcp/443"), deny("segment:b", "external:net"),
        allow("segment:c", "external:net", on="tcp/443", valid=Validity(not_after=AT)),
    )  # fmt: skip
    policy = Finder(net).policy
    without = tuple(place for name in around for place in isolation.removed(policy, ref(name)))
    assert {place.name for place in chained(net, start, without)} == reached
