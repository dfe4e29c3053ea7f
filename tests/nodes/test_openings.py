"""What the clock alone opens: exactly when the condition holds, for as long as what is built lives."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests import support
from ztosc.ir.clock import in_force, offset_changes
from ztosc.ir.flow import Host, ServiceEndpoint
from ztosc.ir.values import TRUE, AnyOf, Guard, Validity, Window
from ztosc.nodes import NodeSpec, holds, project
from ztosc.nodes.openings import life, openings
from ztosc.nodes.spec import ActsAs, Anyone, Condition, IsEndpoint, Term
from ztosc.prove.times import opened

AT = support.AT
FIRST, LAST = life(AT)
DAY = 86_400
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia")
SECONDS = some.integers(0, 95).map(lambda quarter: quarter * 900) | some.integers(0, DAY - 1)
INSTANTS = some.integers(FIRST - DAY, LAST + DAY)
DAYS = some.sets(some.integers(0, 6), min_size=1).map(lambda found: tuple(sorted(found)))
WINDOWS = some.builds(Window, start=SECONDS, end=SECONDS | some.just(DAY), days=DAYS, zone=some.sampled_from(ZONES))
VALIDITIES = some.builds(
    Validity,
    not_before=some.none() | INSTANTS,
    not_after=some.none() | INSTANTS,
    windows=some.lists(WINDOWS, max_size=3).map(tuple),
)


def edges(validity: Validity) -> list[int]:
    """Where something may begin or end, and the seconds around it."""
    known = [each for each in (FIRST, LAST, validity.not_before, validity.not_after) if each is not None]
    for window in validity.windows:
        changes = offset_changes(window.zone, FIRST, LAST)
        known += changes
        for around in (*changes, AT):
            midnight = around // DAY * DAY
            known += [midnight + day * DAY + second for day in (-1, 0, 1) for second in (0, window.start, window.end)]
    return [each + step for each in known for step in (-1, 0, 1)]


def among(times: tuple[tuple[int, int], ...], instant: int) -> bool:
    return any(low <= instant < high for low, high in times)


def of(*validities: Validity, denied: tuple[Validity, ...] = (), guard: Guard = TRUE) -> Condition:
    allows = tuple(Term(who=Anyone(), validity=each) for each in validities)
    return Condition(id="c-0123456789ab", allows=allows, denies=tuple(Term(who=Anyone(), validity=each, guard=guard) for each in denied))


@settings(max_examples=150)
@given(validity=VALIDITIES, seed=some.integers(0, 1 << 30))
def test_an_instant_is_written_exactly_if_the_validity_is_in_force(validity: Validity, seed: int) -> None:
    times = openings(of(validity), Host(), {}, FIRST, LAST)
    dice = Random(seed)
    for instant in [*edges(validity), *(dice.randrange(FIRST - DAY, LAST + DAY) for _ in range(200))]:
        assert among(times, instant) is (FIRST <= instant < LAST and in_force(validity, instant)), instant


@settings(max_examples=60)
@given(allowed=some.lists(VALIDITIES, min_size=1, max_size=2), denied=some.lists(VALIDITIES, max_size=2), seed=some.integers(0, 1 << 30))
def test_denies_take_their_times_away(allowed: list[Validity], denied: list[Validity], seed: int) -> None:
    condition = of(*allowed, denied=tuple(denied))
    times, dice = openings(condition, Host(), {}, FIRST, LAST), Random(seed)
    assert list(times) == sorted(times) and all(low < high for low, high in times)
    assert all(left[1] < right[0] for left, right in pairwise(times)), "they touch"
    for instant in [*(each for known in (*allowed, *denied) for each in edges(known)), *(dice.randrange(FIRST, LAST) for _ in range(100))]:
        assert among(times, instant) is (FIRST <= instant < LAST and holds(condition, Host(), instant, {})), instant


def test_a_life_is_this_year_and_the_next() -> None:
    year = [int(datetime(each, 1, 1, tzinfo=UTC).timestamp()) for each in (2026, 2027, 2028, 2029)]
    assert life(year[0]) == life(year[1] - 1) == (year[0], year[2]) and life(year[1]) == (year[1], year[3])
    last = int(datetime(9998, 12, 30, tzinfo=UTC).timestamp())
    assert life(last) == (int(datetime(9998, 1, 1, tzinfo=UTC).timestamp()), int(datetime(9999, 1, 1, tzinfo=UTC).timestamp()))


def test_what_is_not_known_of_an_endpoint_denies_and_allows_nothing() -> None:
    daily = Validity(windows=(Window(start=3600, end=7200, days=tuple(range(7)), zone="UTC"),))
    ours = Term(who=IsEndpoint(service="web"), validity=daily)
    web, other = ServiceEndpoint(service="web"), ServiceEndpoint(service="log")
    alone = Condition(id="c-0", allows=(ours, Term(who=ActsAs(role="staff", held=("staff",)))), denies=())
    assert len(openings(alone, web, {}, FIRST, LAST)) == (LAST - FIRST) // DAY
    assert openings(alone, other, {}, FIRST, LAST) == () == openings(alone, Host(), {}, FIRST, LAST)
    never = alone.model_copy(update={"allows": (ours.model_copy(update={"guard": AnyOf()}),)})
    assert openings(never, web, {}, FIRST, LAST) == ()
    denied = alone.model_copy(update={"denies": (Term(who=IsEndpoint(service="web"), validity=Validity(not_after=AT)),)})
    assert min(low for low, _ in openings(denied, web, {}, FIRST, LAST)) >= AT


TIMED = """
service backup on desks { listen tcp/873; replicas 2 }
allow desks to web on tcp/80 between 22:00 and 02:00 on sat
deny desks to web on tcp/80 from 2027-02-01 until 2027-02-28
allow backup to web on tcp/81 between 01:00 and 03:00
allow staff to web on tcp/81
allow backup to web on tcp/82
allow staff to web on tcp/82 between 01:00 and 03:00
allow internet to web on tcp/443 from 2027-06-01
"""


def spec(text: str = TIMED, at: int = AT) -> NodeSpec:
    found = support.compiled(text, at=at).network
    assert found is not None
    return project(found)[0]


def test_every_condition_of_time_has_one_opening_and_endpoints_theirs() -> None:
    found = spec()
    keys = {each.condition: {opening.address for opening in each.openings} for each in found.contract}
    times = [each for each in found.contract if each.holds == "time"]
    assert len(times) == 2 and all(keys[each.condition] == {None} for each in times)
    timed = [each for each in found.contract if each.holds == "sessions" and each.openings]
    assert len(timed) == 1 and len(timed[0].openings) == 2 and not timed[0].standing
    assert any(each.standing and not each.openings for each in found.contract), "who always may needs no time"
    for each in found.contract:
        condition = next(known for known in found.conditions if known.id == each.condition)
        for opening in each.openings:
            who = Host() if opening.address is None else ServiceEndpoint(service="backup")
            for instant in range(AT, LAST + DAY, 6 * 3600 + 900):
                assert among(opening.times, instant) is (instant < LAST and holds(condition, who, instant, {}))


@pytest.mark.parametrize("days", [1, 39])
def test_another_day_of_the_year_gives_the_same_times(days: int) -> None:
    assert spec(at=AT).contract == spec(at=AT + days * DAY - 1 - (DAY if days > 38 else 0)).contract
    assert spec(at=AT).life != spec(at=AT + 40 * DAY).life


def test_the_proof_finds_the_same_times_by_itself() -> None:
    network = support.network(TIMED)
    found = project(network)[0]
    wanted = {
        (each.condition, opening.address or "ipv6"): tuple((low, high - 1) for low, high in opening.times)
        for each in found.contract
        for opening in each.openings
    }
    assert len(wanted) == 4 and opened(network, found) == wanted
