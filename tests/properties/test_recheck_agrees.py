"""What the engine decides the checker confirms, on random networks; and the same certificate with the other outcome never holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.properties.test_verify_agrees import SUBJECTS, TARGETS, fixed, parts
from tests.recheck.evidence import dumped, files, findings, parsed
from tests.verify.networks import (
    US,
    allow,
    external,
    isolated,
    network,
    never,
    only,
    reaches,
    ref,
    region,
    role,
    segment,
    service,
    site,
    stays,
    system,
)
from tests.verify.networks import node as node_
from ztosc.ir.clock import in_force
from ztosc.ir.evaluate import Policy
from ztosc.ir.network import Network
from ztosc.ir.values import Validity
from ztosc.recheck import Checker
from ztosc.recheck.clock import Clock
from ztosc.recheck.names import Names
from ztosc.recheck.ways import passes
from ztosc.verify import scope
from ztosc.verify.certificates import NETWORK
from ztosc.verify.moments import Timeline

CLAIMS = st.one_of(
    st.builds(never, st.sampled_from(SUBJECTS), st.sampled_from(TARGETS)),
    st.builds(only, st.sampled_from(SUBJECTS), st.sampled_from(TARGETS)),
    st.builds(isolated, st.sampled_from(SUBJECTS), st.sampled_from(TARGETS)),
    st.builds(reaches, st.sampled_from(SUBJECTS), st.sampled_from(TARGETS)),
    st.just(stays("phi", US)),
)


def _said(claim: Any) -> str:
    """All of these stand at one line of the text, where nobody says the same twice."""
    return str(claim.statement)


FAR = (region("us", "US"), region("ie", "IE"), site("home"), site("away", "ie"), node_("n1", "home", "resolver"), node_("n2", "away"))


def confirmed(given_: Network) -> int:
    """Every certificate holds; how many there were."""
    made = files(given_)
    checker = Checker(made[NETWORK])
    found = findings(made, checker)
    for name, finding in found.items():
        assert finding.state == "holds", (name, finding)
        forged = parsed(made, name)
        forged["outcome"] = "refuted" if forged["outcome"] == "proved" else "proved"
        assert checker.check(dumped(forged)).state != "holds"
    return len(found)


@fixed(60)
@given(parts(), st.lists(CLAIMS, min_size=1, max_size=3, unique_by=_said))
def test_every_certificate_holds_and_none_that_says_the_opposite(declared: list[Any], claims: list[Any]) -> None:
    assert confirmed(network(*declared, *claims)) == len(claims)


@fixed(20)
@given(parts(), st.lists(CLAIMS, min_size=1, max_size=2, unique_by=_said))
def test_with_externals_a_resolver_and_a_site_abroad(declared: list[Any], claims: list[Any]) -> None:
    assert confirmed(network(*declared, *FAR, external("internet"), system(), *claims)) == len(claims)


def test_both_look_as_far_as_dates_can_be_written() -> None:
    early, late = (int(datetime(9998, 12, day, tzinfo=UTC).timestamp()) for day in (1, 31))
    segments = (segment("a"), segment("b"), segment("c"))
    first = allow("segment:a", "segment:b", "tcp/1", valid=Validity(not_before=late))
    claims = (never("segment:a", "segment:b"), isolated("segment:a", "segment:c"))
    for second in (Validity(not_after=late), Validity(not_before=early)):
        assert confirmed(network(*segments, first, allow("segment:b", "segment:c", "tcp/1", valid=second), *claims)) == 2


@fixed(25)
@given(parts())
def test_both_see_the_same_sets_of_rules_in_force(declared: list[Any]) -> None:
    """The checker visits every edge of every window; the engine folds them into weeks and eras."""
    net = network(*declared)
    clock = Clock(net)
    stretches = clock.between((rule.validity for rule in net.intent.rules), net.at, None)
    mine = {tuple(rule.validity in force for rule in net.intent.rules) for force, _ in stretches}
    theirs = {tuple(in_force(rule.validity, instant) for rule in net.intent.rules) for instant in Timeline(net).moments}
    assert mine == theirs


@fixed(200)
@given(
    st.integers(3, 7).flatmap(lambda size: st.tuples(st.just(size), st.sets(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)))))
)
def test_a_node_is_passed_if_a_simple_path_passes_it(drawn: tuple[int, set[tuple[int, int]]]) -> None:
    size, pairs = drawn
    graph: dict[str, dict[str, str]] = {str(node): {} for node in range(size)}
    for a, b in pairs:
        if a != b:
            graph[str(a)][str(b)] = graph[str(b)][str(a)] = f"{min(a, b)}--{max(a, b)}"

    def simple(here: str, seen: tuple[str, ...]) -> Any:
        if here == "1":
            yield seen
        else:
            for other in graph[here]:
                if other not in seen:
                    yield from simple(other, (*seen, other))

    passed = {node for path in simple("0", ("0",)) for node in path}
    for node in range(2, size):
        assert passes(graph, str(node), "0", "1") == (str(node) in passed)


def test_names_mean_the_same_to_both() -> None:
    net = network(
        segment("a", admits=("pump",)), segment("b", carries=("phi",)), role("p", "a", "b"), service("s", "b"), external("x"), system()
    )
    names, policy = Names(net), Policy(net.intent)
    for text in ("segment:a", "segments:*", "label:phi", "role:p", "device:pump", "service:s", "external:x", "system:dns"):
        assert names.ends(ref(text)) == scope.destinations(policy, ref(text)), text
        if not text.startswith("system"):
            assert names.places(ref(text)) == tuple(start.place for start in scope.starts(policy, ref(text))), text
    with pytest.raises(KeyError):
        names.ends(ref("service:nobody"))
