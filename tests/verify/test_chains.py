"""`isolated from`: chains of flows, in the order of time, over segments, externals and resolvers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.verify.networks import (
    AT,
    DAY,
    HOUR,
    allow,
    attribute,
    between,
    deny,
    external,
    is_,
    isolated,
    network,
    never,
    node,
    replays,
    role,
    segment,
    separate,
    service,
    system,
    verified,
)
from ztosc.ir.flow import Person
from ztosc.ir.values import BoolType, Validity
from ztosc.ir.verdict import Verdict
from ztosc.logic.closure import bits
from ztosc.verify.questions import Bound
from ztosc.verify.slices import Slices
from ztosc.verify.structure import Structure
from ztosc.verify.within import bounds

ABC = (segment("a"), segment("b"), segment("c"))
MFA = attribute("user.mfa", BoolType())
A_TO_C = isolated("segment:a", "segment:c")


def judge(*parts: Any, at: int = AT) -> Verdict:
    """The one verdict; a refutation must replay, hop by hop and in time."""
    given = network(*parts, at=at)
    (verdict,) = verified(given)
    assert verdict.verdict != "refuted" or replays(given, verdict)
    return verdict


def way(verdict: Verdict) -> list[str]:
    """The places that a refutation passes."""
    assert verdict.verdict == "refuted", verdict.reason
    return [hop.flow.destination.name for hop in verdict.witness.hops if hop.flow]


def test_two_hops_are_a_chain_though_neither_reaches_alone() -> None:
    grants = (allow("segment:a", "segment:b", on="tcp/1"), allow("segment:b", "segment:c", on="tcp/2"))
    assert judge(*ABC, *grants, never("segment:a", "segment:c")).verdict == "proved"
    verdict = judge(*ABC, *grants, A_TO_C)
    assert way(verdict) == ["b", "c"]
    assert [hop.rule for hop in verdict.witness.hops] == [grant.origin for grant in grants]
    assert verdict.reason.startswith("a chain of 2 hops leads from `a` to `c`: ")


def test_no_chain_is_proved() -> None:
    verdict = judge(*ABC, allow("segment:b", "segment:a", on="any"), allow("segment:b", "segment:c", on="any"), A_TO_C)
    assert (verdict.verdict, verdict.reason) == ("proved", "no chain of flows leads from `a` to `c`")


def test_the_shortest_chain_is_shown() -> None:
    long = [allow(f"segment:{x}", f"segment:{y}", on="tcp/1") for x, y in ("ab", "bd", "dc")]
    assert way(judge(*ABC, segment("d"), *long, A_TO_C)) == ["b", "d", "c"]
    assert way(judge(*ABC, segment("d"), *long, allow("segment:b", "segment:c", on="tcp/1"), A_TO_C)) == ["b", "c"]


def test_whoever_is_in_a_segment_has_every_role_that_comes_from_it_with_fresh_attributes() -> None:
    roles = (MFA, role("r", "b", requires=is_("user.mfa", True)))
    grants = (allow("segment:a", "segment:b", on="tcp/1", when=is_("user.mfa", False)), allow("role:r", "segment:c", on="tcp/2"))
    verdict = judge(*ABC, *roles, *grants, A_TO_C)
    assert verdict.witness.hops[1].flow is not None
    assert verdict.witness.hops[1].flow.principal == Person(roles=("r",), attributes=(("user.mfa", True),))


def test_separation_holds_within_a_hop_and_not_over_hops() -> None:
    roles = (role("p", "a"), role("q", "b"), separate("p", "q"))
    assert (
        judge(*ABC, *roles, allow("role:p", "segment:b", on="tcp/1"), allow("role:q", "segment:c", on="tcp/1"), A_TO_C).verdict == "refuted"
    )


def test_one_who_starts_as_a_role_waits_for_whoever_else_signs_in_there() -> None:
    parts = (*ABC, role("p", "a"), role("q", "a"), separate("p", "q"), allow("role:q", "segment:c", on="tcp/1"))
    assert way(judge(*parts, isolated("role:p", "segment:c"))) == ["c"]
    elsewhere = (role("p", "a"), role("q", "b"), allow("role:q", "segment:c", on="tcp/1"))
    assert judge(*ABC, *elsewhere, isolated("role:p", "segment:c")).verdict == "proved"
    assert judge(*ABC, role("p", "a"), isolated("role:p", "segment:a")).verdict == "refuted"


def test_a_service_is_reached_with_anything_in_its_segment() -> None:
    parts = (*ABC, service("s", "c"), service("t", "c", "tcp/8883"), allow("segment:a", "service:t"))
    assert judge(*parts, never("segment:a", "service:s")).verdict == "proved"
    assert judge(*parts, isolated("segment:a", "service:s")).verdict == "refuted"


def test_a_grant_that_ends_before_the_next_begins_is_no_chain() -> None:
    first = allow("segment:a", "segment:b", on="tcp/1", valid=Validity(not_after=AT + DAY))
    assert judge(*ABC, first, allow("segment:b", "segment:c", on="tcp/1", valid=Validity(not_before=AT + DAY)), A_TO_C).verdict == "refuted"
    late = allow("segment:a", "segment:b", on="tcp/1", valid=Validity(not_before=AT + DAY))
    assert judge(*ABC, late, allow("segment:b", "segment:c", on="tcp/1", valid=Validity(not_after=AT + DAY)), A_TO_C).verdict == "proved"
    assert (
        judge(*ABC, late, allow("segment:b", "segment:c", on="tcp/1", valid=Validity(not_after=AT + DAY + 1)), A_TO_C).verdict == "refuted"
    )


def test_an_earlier_arrival_by_a_longer_way_still_makes_the_last_train() -> None:
    """The direct hop to b opens too late for b to c; the way over d arrives in time."""
    direct = allow("segment:a", "segment:b", on="tcp/1", valid=Validity(not_before=AT + 10 * DAY))
    around = (allow("segment:a", "segment:d", on="tcp/1"), allow("segment:d", "segment:b", on="tcp/1", valid=Validity(not_before=AT + DAY)))
    onward = allow("segment:b", "segment:c", on="tcp/1", valid=Validity(not_after=AT + 2 * DAY))
    assert way(judge(*ABC, segment("d"), direct, *around, onward, A_TO_C)) == ["d", "b", "c"]


def test_windows_come_back_so_a_chain_can_wait_for_the_next_day() -> None:
    evening = allow("segment:a", "segment:b", on="tcp/1", valid=between(20, 21))
    morning = allow("segment:b", "segment:c", on="tcp/1", valid=between(6, 7))
    verdict = judge(*ABC, evening, morning, A_TO_C)
    assert [hop.flow.instant for hop in verdict.witness.hops if hop.flow] == [AT + 20 * HOUR, AT + 30 * HOUR]
    last_morning = allow("segment:b", "segment:c", on="tcp/1", valid=between(6, 7, until=AT + 20 * HOUR))
    assert judge(*ABC, evening, last_morning, A_TO_C).verdict == "proved"


def test_a_window_is_followed_to_the_last_date_of_any_rule() -> None:
    late = allow("segment:a", "segment:b", on="tcp/1", valid=Validity(not_before=AT + 40 * 366 * DAY))
    daily = allow("segment:b", "segment:c", on="tcp/1", valid=between(6, 7, "America/New_York"))
    assert way(judge(*ABC, late, daily, A_TO_C)) == ["b", "c"]


def test_externals_are_hops() -> None:
    parts = (*ABC, external("net"), allow("segment:a", "external:net", on="tcp/80"), allow("external:net", "segment:c", on="tcp/80"))
    assert way(judge(*parts, A_TO_C)) == ["net", "c"]
    assert judge(*parts, isolated("segment:a", "segment:c", through=["external:net"])).verdict == "proved"


def test_a_resolver_recurses_for_those_granted_an_external() -> None:
    """What a resolver looks up for a segment with a grant to some external travels to every external."""
    parts = (segment("a"), segment("b"), external("net"), external("vendor", "2001:db8:f::/48"), node("n1", "home", "resolver"))
    parts = (*parts, system(), allow("segments:*", "system:dns"))
    claim = isolated("segment:a", "external:net")
    assert judge(*parts, claim).verdict == "proved"
    verdict = judge(*parts, allow("segment:a", "external:vendor", on="tcp/443"), claim)
    assert verdict.verdict == "refuted"
    assert [bool(hop.flow) for hop in verdict.witness.hops] == [True, False]
    assert "the resolver passes the question on" in verdict.reason
    assert judge(*parts, allow("segment:b", "external:vendor", on="tcp/443"), claim).verdict == "proved"
    over = allow("segment:a", "external:vendor", on="tcp/443", valid=Validity(not_after=AT))
    assert judge(*parts, over, claim).verdict == "proved"
    excepted = isolated("segment:a", "external:net", through="system:dns")
    assert judge(*parts, allow("segment:a", "external:vendor", on="tcp/443"), excepted).verdict == "proved"


def test_an_exception_takes_out_a_segment_or_just_a_service() -> None:
    gate = (*ABC, service("gate", "b"), allow("segment:a", "service:gate"), allow("segment:b", "segment:c", on="tcp/1"))
    assert judge(*gate, isolated("segment:a", "segment:c", through="service:gate")).verdict == "proved"
    assert judge(*gate, isolated("segment:a", "segment:c", through="segment:b")).verdict == "proved"
    beside = (*gate, allow("segment:a", "segment:b", on="tcp/9"))
    assert judge(*beside, isolated("segment:a", "segment:c", through="segment:b")).verdict == "proved"
    assert way(judge(*beside, deny("segment:a", "service:gate"), isolated("segment:a", "segment:c", through="service:gate"))) == ["b", "c"]


def test_the_exception_does_not_take_out_the_target() -> None:
    assert (
        judge(*ABC, allow("segment:a", "segment:c", on="tcp/1"), isolated("segment:a", "segment:c", through="segment:c")).verdict
        == "refuted"
    )


def test_an_exception_that_is_no_place_is_unsupported() -> None:
    assert judge(*ABC, role("r", "b"), isolated("segment:a", "segment:c", through="role:r")).verdict == "unsupported"


@pytest.mark.parametrize("target", ["segment:a", "service:s", "label:phi"])
def test_what_lives_in_a_is_not_isolated_from_a(target: str) -> None:
    verdict = judge(segment("a", carries=("phi",)), service("s", "a"), isolated("segment:a", target))
    assert verdict.verdict == "refuted"
    assert "`a` is on both sides" in verdict.reason


def test_a_search_looks_only_where_what_is_left_of_the_shortest_chain_is_enough() -> None:
    """From a over b and c to d, and by a longer way over e; f leads nowhere, and nothing leads to g."""
    ways = [allow(f"segment:{x}", f"segment:{y}", on="tcp/1") for x, y in ("ab", "bc", "cd", "be", "ec", "af", "ga")]
    slices = Slices(network(*map(segment, "abcdefg"), *ways))
    places = {place.name: place for place in slices.places}

    def look(bound: Bound) -> dict[tuple[str, int], str]:
        asked = {(name, step): "".join(each.name for each in bound.places(places[name], step)) for name in "abcef" for step in range(1, 5)}
        return {key: found for key, found in asked.items() if found}

    region, (tight, wide) = bounds(Structure(slices), slices.mask("segment", "a"), slices.mask("segment", "d"), ())
    assert {slices.places[index].name for index in bits(region)} == set("abcdeg")
    assert look(tight) == {
        ("a", 1): "b",
        ("b", 1): "ce",
        ("b", 2): "c",
        ("c", 1): "d",
        ("c", 2): "d",
        ("c", 3): "d",
        ("e", 1): "c",
        ("e", 2): "c",
    }
    assert {step: look(wide)["b", step] for step in range(1, 5)} == dict.fromkeys(range(1, 5), "ce")
    nothing = bounds(Structure(slices), slices.mask("segment", "d"), slices.mask("segment", "a"), ())
    assert nothing[1] == []


def test_an_observing_segment_on_the_way_carries_no_proof() -> None:
    assert judge(segment("a"), segment("b", observe=True), segment("c"), A_TO_C).verdict == "unsupported"
