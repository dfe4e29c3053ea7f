"""Slices and their diagrams against `decide`, assignment by assignment, on small random networks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.properties.test_verify_agrees import fixed, instants, parts
from tests.verify.networks import AT, DAY, allow, attribute, compare, deny, external, network, role, segment, service
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import Flow, Place
from ztosc.ir.values import BoolType, Constant, DurationType, EnumType, InstantType, Now, RangeType
from ztosc.logic import ports
from ztosc.logic.closure import bits
from ztosc.logic.diagrams import FALSE
from ztosc.verify.encoding import Encoding
from ztosc.verify.slices import HOST, PERSON, Slices, principal


def assignments(encoding: Encoding, kind: Any) -> Iterator[dict[int, int]]:
    """Every assignment; people hold some role."""
    sizes = [len(encoding.values[name]) + 1 for name in encoding.attribute]
    for values in itertools.product(*map(range, sizes)):
        facts = dict(zip(encoding.attribute.values(), values, strict=True))
        for held in itertools.product((0, 1), repeat=len(encoding.roles)) if kind == PERSON else [(0,) * len(encoding.roles)]:
            yield facts | dict(zip(encoding.role.values(), held, strict=True))


def test_denies_take_away_what_they_say() -> None:
    """Random networks seldom have both at one place: here several denies meet every allow."""
    net = network(
        segment("a"), segment("b"), role("r", "a"), role("s", "a"), attribute("user.mfa", BoolType()),
        attribute("user.risk", RangeType(low=0, high=20)),
        allow("segment:a", "segment:b", "tcp/22"),
        allow("role:r", "segment:b", "tcp/23"),
        deny("segment:a", "segment:b", "tcp/22-23", compare("user.risk", ">", Constant(values=(5,)))),
        deny("role:s", "segment:b", "tcp/22-23", compare("user.mfa", "==", Constant(values=(False,)))),
    )  # fmt: skip
    slices, policy, end = Slices(net), Policy(net.intent), Place(kind="segment", name="b")
    cut, here, seen = slices.slice(end), Place(kind="segment", name="a"), set()
    for ports_, kind in itertools.product(cut.classes, slices.kinds(here)):
        who = slices.initiators(here, kind, cut, ports_, AT)
        for each in assignments(slices.reading.encoding, kind):
            someone = principal(kind, *slices.reading.encoding.decoded(each))
            flow = Flow(source=here, principal=someone, destination=end, protocol=ports_.protocol, port=ports_.port, instant=AT)
            allowed = policy.decide(flow).allowed
            assert slices.diagrams.holds(who, each) == allowed
            seen.add((ports_.port, kind, allowed))
    assert {(22, PERSON, True), (22, PERSON, False), (23, PERSON, True), (23, PERSON, False), (22, HOST, True), (22, HOST, False)} <= seen


@fixed(60)
@given(parts(), st.integers(0, 5))
def test_initiators_are_those_whom_decide_allows(declared: list[Any], pick: int) -> None:
    net = network(*declared)
    slices, policy = Slices(net), Policy(net.intent)
    encoding = slices.reading.encoding
    instant = instants(net)[pick % len(instants(net))]
    ends = list(slices.ends())
    cut = slices.slice(ends[pick % len(ends)])
    for place, ports_ in itertools.product(slices.places, cut.classes):
        for kind in slices.kinds(place):
            every = list(assignments(encoding, kind))
            assume(len(every) <= 600)
            who = slices.initiators(place, kind, cut, ports_, instant)
            for each in every:
                someone = principal(kind, *encoding.decoded(each))
                flow = Flow(
                    source=place, principal=someone, destination=cut.end, protocol=ports_.protocol, port=ports_.port, instant=instant
                )
                held = set(encoding.decoded(each)[0])
                if held <= set(slices.reading.roles_from(place.name)):
                    assert slices.diagrams.holds(who, each) == policy.decide(flow).allowed


@fixed(80)
@given(parts(), st.integers(0, 5))
def test_areas_are_initiators_together(declared: list[Any], pick: int) -> None:
    net = network(*declared)
    slices = Slices(net)
    instant = instants(net)[pick % len(instants(net))]
    for cut in map(slices.slice, slices.ends()):
        for ports_ in cut.classes:
            found = {
                (index, area.kind): area.who
                for area in slices.areas(cut, ports_, instant)
                for index in range(len(slices.places))
                if area.sources >> index & 1
            }
            for index, place in enumerate(slices.places):
                for kind in slices.kinds(place):
                    who = slices.initiators(place, kind, cut, ports_, instant)
                    assert found.get((index, kind), FALSE) == who
                    assert who == FALSE or cut.sources >> index & 1


def test_segments_with_other_people_are_other_areas() -> None:
    """One grant to all of them, of which one has people, one devices and one neither."""
    net = network(
        segment("a"), segment("b", admits=("pump",)), segment("c"), segment("d"), role("r", "c"), service("s", "d"), external("net"),
        allow(["segments:*", "external:net"], "segment:a", "tcp/22"),
    )  # fmt: skip
    slices = Slices(net)
    cut = slices.slice(Place(kind="segment", name="a"))
    (ports_,) = cut.classes
    areas = [(slices.places[index], area.kind) for area in slices.areas(cut, ports_, AT) for index in bits(area.sources)]
    assert sorted(map(str, areas)) == sorted(str((place, kind)) for place in slices.places for kind in slices.kinds(place))


def test_segments_alike_in_people_are_told_apart_by_rules() -> None:
    """Random networks have other people in nearly every segment; here only rules tell four of them apart."""
    net = network(
        *map(segment, "abcde"), attribute("user.mfa", BoolType()),
        allow("segment:a", "segment:e", "tcp/22"),
        allow(["segment:b", "segment:c"], "segment:e", "tcp/22", compare("user.mfa", "==", constant(True))),
        deny("segment:c", "segment:e", "tcp/22", compare("user.mfa", "==", constant(True))),
    )  # fmt: skip
    slices = Slices(net)
    cut = slices.slice(Place(kind="segment", name="e"))
    (ports_,) = cut.classes
    areas = {slices.places[index].name: area.who for area in slices.areas(cut, ports_, AT) for index in bits(area.sources)}
    assert areas == {name: who for name in "abcde" if (who := slices.initiators(place(name), HOST, cut, ports_, AT)) != FALSE}
    assert len(set(areas.values())) == len(areas) == 2


@fixed(60)
@given(parts())
def test_classes_part_the_ports_that_are_granted(declared: list[Any]) -> None:
    slices = Slices(network(*declared))
    for cut in map(slices.slice, slices.ends()):
        regions = [slices.region(cut, each) for each in cut.classes]
        assert all(ports.contains(region, each.protocol, each.port) for region, each in zip(regions, cut.classes, strict=True))
        assert all(not ports.intersect(one, other) for one, other in itertools.combinations(regions, 2))
        granted = [boxes for index, boxes in enumerate(cut.spoken) if any(each.speaking >> index & 1 for each in cut.classes)]
        allowed = ports.union(*(slices._spoken(each.rule, cut.end) for each in cut.allows))
        assert not ports.subtract(allowed, ports.union(*regions))
        assert granted or not regions


def test_protocols_that_one_set_has_more_than_another_are_a_class() -> None:
    """As of `any except …`: of one set the last protocol is 9, of the other 10."""
    rules = [allow("segment:a", "segment:b", "any").model_copy(update={"ports": ((0, last, 0, 65535),)}) for last in (9, 10)]
    slices = Slices(network(segment("a"), segment("b"), *rules))
    cut = slices.slice(Place(kind="segment", name="b"))
    assert {(each.protocol, slices.region(cut, each)) for each in cut.classes} == {
        (6, ((0, 9, 0, 65535),)),
        (10, ((10, 10, 0, 65535),)),
    }


def test_two_networks_share_their_variables() -> None:
    """An order that grew by a word, a range that grew, and an attribute that only the new network has."""
    old = network(
        segment("a"), segment("b"), role("r", "a"),
        attribute("user.level", EnumType(values=("low", "high"), ordered=True)), attribute("user.risk", RangeType(low=0, high=10)),
        allow("segment:a", "segment:b", "tcp/22", compare("user.level", ">=", constant("high"))),
        allow("segment:a", "segment:b", "tcp/23", compare("user.risk", "<", constant(5))),
    )  # fmt: skip
    new = network(
        segment("a"), segment("b"), role("r", "a"), role("s", "a"), attribute("user.mfa", BoolType()),
        attribute("user.level", EnumType(values=("low", "high", "top"), ordered=True)), attribute("user.risk", RangeType(low=0, high=20)),
        allow("segment:a", "segment:b", "tcp/22", compare("user.level", ">=", constant("high"))),
        allow("segment:a", "segment:b", "tcp/23", compare("user.risk", "<", constant(5))),
        allow("segment:a", "segment:b", "tcp/24", compare("user.mfa", "==", constant(True))),
    )  # fmt: skip
    encoding = Encoding(old, new)
    before, after = (Slices(net, reading) for net, reading in zip((old, new), encoding.readings, strict=True))
    assert encoding.roles == ("r", "s")
    assert encoding.values["user.level"] == ("low", "high", "top")

    def who(slices: Slices, number: int) -> int:
        cut = slices.slice(Place(kind="segment", name="b"))
        (found,) = (area.who for each in cut.classes if each.port == number for area in slices.areas(cut, each, AT) if area.kind == HOST)
        return found

    gained = encoding.diagrams.without(who(after, 22), who(before, 22))
    assert encoding.decoded(encoding.diagrams.least(gained) or {}) == ((), (("user.level", "top"),))
    assert who(after, 23) == who(before, 23)
    assert who(after, 24) not in (FALSE, who(after, 22))


def test_a_value_that_a_type_did_not_have_was_held_by_nobody() -> None:
    rules = (
        allow("segment:a", "segment:b", "tcp/22", compare("user.risk", ">", constant(5))),
        allow("segment:a", "segment:b", "tcp/23", compare("user.left", "<", constant(3))),
    )
    segments = (segment("a"), segment("b"))
    old = network(*segments, attribute("user.risk", RangeType(low=0, high=10)), attribute("user.left", DurationType()), *rules)
    new = network(*segments, attribute("user.risk", RangeType(low=0, high=20)), attribute("user.left", RangeType(low=-5, high=9)), *rules)
    encoding = Encoding(old, new)
    before, after = (Slices(net, reading) for net, reading in zip((old, new), encoding.readings, strict=True))
    for number, name, low, high in ((22, "user.risk", 11, 20), (23, "user.left", -5, -1)):
        here, there = (
            next(slices.initiators(place("a"), HOST, cut, each, AT) for each in cut.classes if each.port == number)
            for slices in (before, after)
            for cut in [slices.slice(place("b"))]
        )
        assert encoding.diagrams.without(here, there) == FALSE
        ((told, value),) = encoding.decoded(encoding.diagrams.least(encoding.diagrams.without(there, here)) or {})[1]
        assert (told, low <= int(value) <= high) == (name, True)


def test_classes_of_numbers_are_shown_by_their_ends() -> None:
    net = network(
        segment("a"), segment("b"), attribute("user.risk", RangeType(low=0, high=100)),
        allow("segment:a", "segment:b", "tcp/22", compare("user.risk", "<", constant(50))),
        allow("segment:a", "segment:b", "tcp/22", compare("user.risk", "==", constant(70))),
    )  # fmt: skip
    encoding = Encoding(net)
    assert [encoding.shown("user.risk", value) for value in range(5)] == [None, (0, 49), (50, 69), (70, 70), (71, 100)]


def test_a_guard_with_now_is_taken_at_its_instant() -> None:
    net = network(
        segment("a"), segment("b"), attribute("session.until", InstantType()),
        allow("segment:a", "segment:b", "tcp/22", compare("session.until", ">", Now())),
        allow("segment:a", "segment:b", "tcp/23", compare("session.until", "<", constant(AT + DAY))),
    )  # fmt: skip
    slices = Slices(net)
    end = slices.slice(Place(kind="segment", name="b"))
    for instant, overlap in ((AT, True), (AT + 3 * DAY, False)):
        one, other = (slices.areas(end, each, instant)[0].who for each in end.classes)
        assert (slices.diagrams.both(one, other) != FALSE) is overlap


def place(name: str) -> Place:
    """A segment."""
    return Place(kind="segment", name=name)


def constant(value: Any) -> Any:
    """A value as an operand."""
    return Constant(values=(value,))
