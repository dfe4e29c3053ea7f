"""The instants that matter, against a clock that looks at every quarter of an hour."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.verify.networks import (
    AT,
    DAY,
    HOUR,
    WEEK,
    allow,
    attribute,
    between,
    compare,
    is_,
    network,
    never,
    segment,
    verified,
)
from ztosc.ir.clock import in_force, offset_changes
from ztosc.ir.network import Network
from ztosc.ir.values import InstantType, Now, Validity, all_of
from ztosc.verify.moments import Timeline, validity_text
from ztosc.verify.scope import Undecided
from ztosc.verify.times import Times

WEEKDAYS = (0, 1, 2, 3, 4)


def rules(*validities: Validity, at: int = AT) -> Network:
    """A network whose rules have these validities."""
    return network(segment("a"), segment("b"), *(allow("segment:a", "segment:b", on="tcp/1", valid=each) for each in validities), at=at)


def vector(given: Network, instant: int) -> tuple[bool, ...]:
    """Which rules are in force."""
    return tuple(in_force(rule.validity, instant) for rule in given.intent.rules)


def day(text: str) -> int:
    """Seconds since 1970 of a UTC instant."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


CASES = {
    "no rule": (),
    "until": (Validity(not_after=AT + DAY),),
    "over": (Validity(not_after=AT - DAY), Validity(not_before=AT - DAY)),
    "from and until": (Validity(not_before=AT + 2 * DAY, not_after=AT + 5 * DAY), Validity(not_before=AT + 3 * DAY)),
    "daily": (between(6, 20),),
    "past midnight": (between(22, 6, days=(5,)),),
    "all day from 6": (between(6, 6, days=(0,)),),
    "weekdays": (between(8, 18, "America/New_York", WEEKDAYS), between(8, 18, "Europe/Berlin", WEEKDAYS)),
    "kathmandu": (between(0, 1, "Asia/Kathmandu"),),
    "window with an end": (between(6, 20, until=AT + 3 * WEEK), between(19, 21)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("weeks", [60])
def test_every_way_to_be_in_force_has_its_first_instant(case: str, weeks: int) -> None:
    """Windows here begin and end at full hours of zones whose offset is whole quarters, so quarters of an hour see everything."""
    given = rules(*CASES[case])
    first: dict[tuple[bool, ...], int] = {}
    for instant in range(AT, AT + weeks * WEEK, HOUR // 4):
        first.setdefault(vector(given, instant), instant)
    assert Timeline(given).moments == tuple(sorted(first.values()))


@pytest.mark.parametrize("case", CASES)
def test_what_comes_back_comes_back_first_then(case: str) -> None:
    given = rules(*CASES[case])
    after = AT + 4 * DAY + 7 * HOUR + 1
    first = {vector(given, after): after}
    for instant in range(AT + 4 * DAY + 7 * HOUR + HOUR // 4, AT + 60 * WEEK, HOUR // 4):
        first.setdefault(vector(given, instant), instant)
    assert Timeline(given).after(after) == tuple(sorted(first.values()))


def test_the_hour_that_the_clock_skips_and_the_one_it_repeats() -> None:
    """New York, 2027: at 02:00 on 14 March the clock goes to 03:00, at 02:00 on 7 November back to 01:00."""
    assert offset_changes("America/New_York", AT, day("2027-12-01"))[:2] == (day("2027-03-14T07:00"), day("2027-11-07T06:00"))
    given = rules(between(2, 3, "America/New_York", (6,)))
    timeline = Timeline(given)
    first = timeline.after(day("2027-03-14T00:00"))
    assert vector(given, first[0]) == (False,)
    assert first[1] == day("2027-03-21T06:00"), "on 14 March there is no time between two and three"
    repeated = rules(between(1, 2, "America/New_York", (6,)))
    assert Timeline(repeated).after(day("2027-11-07T05:00"))[:2] == (day("2027-11-07T05:00"), day("2027-11-07T07:00"))


def test_two_zones_are_apart_differently_for_a_few_weeks_a_year() -> None:
    """22:00 to 23:00 in Berlin is inside 17:00 to 18:00 in New York only while America alone has changed its clock."""
    both = rules(between(22, 23, "Europe/Berlin"), between(17, 18, "America/New_York"))
    found = [instant for instant in Timeline(both).moments if vector(both, instant) == (True, True)]
    assert found == [day("2027-03-14T21:00")]


def test_an_hour_of_a_friday_that_is_missing_once_a_year() -> None:
    """Cairo, 2027: the clock goes forward at midnight of the last Friday of April, the 30th, so that Friday has no first hour."""
    found = Timeline(rules(between(0, 1, "Africa/Cairo", (4,)))).after(day("2027-04-29T00:00"))
    assert found == (day("2027-04-29T00:00"), day("2027-05-06T21:00"))


def test_after_the_horizon_nothing_is_taken_for_absent() -> None:
    timeline = Timeline(rules(between(6, 20, "Europe/Berlin")))
    assert timeline.after(AT + 20 * 366 * DAY)
    with pytest.raises(Undecided):
        timeline.after(AT + 40 * 366 * DAY)


def test_without_a_change_of_clocks_the_last_era_has_no_end() -> None:
    assert len(Timeline(rules(between(6, 20))).after(AT + 5000 * 366 * DAY)) == 2


def test_the_last_dates_that_can_be_written_are_looked_at() -> None:
    """Years are written up to 9998, and the clock may be set to its end."""
    late = day("9998-12-31T23:59:59")
    parts = (segment("a"), segment("b"), never("segment:a", "segment:b"))
    for valid in (Validity(not_before=late), between(6, 7, "America/New_York").model_copy(update={"not_before": late})):
        (verdict,) = verified(network(*parts, allow("segment:a", "segment:b", on="tcp/1", valid=valid)))
        assert verdict.verdict == "refuted"
        assert verified(network(*parts, allow("segment:a", "segment:b", on="tcp/1", valid=valid), at=late))[0].verdict == "refuted"


def test_beyond_the_calendar_nothing_is_taken_for_absent() -> None:
    timeline = Timeline(rules(between(6, 20)))
    assert len(timeline.after(day("9999-11-29"))) == 2
    with pytest.raises(Undecided):
        timeline.after(day("9999-12-01"))


@pytest.mark.parametrize("start", range(4))
def test_a_change_of_clocks_is_found_to_the_second(start: int) -> None:
    """Wherever the days begin that are halved to find it."""
    assert offset_changes("America/New_York", AT + start, day("2027-12-01"))[0] == day("2027-03-14T07:00")


def test_now_against_a_date_is_seen_to_become_impossible() -> None:
    """`session.ends > now and session.ends < D` can be satisfied until D - 2 s, and not after."""
    limit = AT + 30 * DAY
    guard = all_of(compare("session.ends", ">", Now()), is_("session.ends", limit, "<"))
    until = Validity(not_before=limit - 1)
    parts = (segment("a"), segment("b"), attribute("session.ends", InstantType()), never("segment:a", "segment:b"))
    early = network(*parts, allow("segment:a", "segment:b", on="tcp/1", when=guard))
    assert verified(early)[0].verdict == "refuted"
    assert limit - 2 in Timeline(early).moments
    assert verified(network(*parts, allow("segment:a", "segment:b", on="tcp/1", when=guard, valid=until)))[0].verdict == "proved"
    almost = Validity(not_before=limit - 2)
    assert verified(network(*parts, allow("segment:a", "segment:b", on="tcp/1", when=guard, valid=almost)))[0].verdict == "refuted"


def test_a_grant_counts_from_when_it_begins_and_not_once_it_is_over() -> None:
    parts = (segment("a"), segment("b"), never("segment:a", "segment:b"))
    begins = network(*parts, allow("segment:a", "segment:b", on="tcp/1", valid=Validity(not_before=AT + 400 * DAY)))
    (verdict,) = verified(begins)
    assert verdict.witness.hops[0].flow is not None
    assert verdict.witness.hops[0].flow.instant == AT + 400 * DAY
    over = network(*parts, allow("segment:a", "segment:b", on="tcp/1", valid=Validity(not_after=AT)))
    assert verified(over)[0].verdict == "proved"


def test_validities_in_words() -> None:
    assert validity_text(Validity(not_after=AT)) == "until 2026-11-22T00:00:00Z"
    assert validity_text(between(22, 6, "UTC", (5, 6))) == "between 22:00 and 06:00 on sat, sun (UTC)"


def test_guards_that_speak_of_now_matter_to_rules_without_dates() -> None:
    always, dated = (
        allow("segment:a", "segment:b", on="tcp/1"),
        allow("segment:a", "segment:b", on="tcp/2", valid=Validity(not_before=AT + 50)),
    )
    net = network(segment("a"), segment("b"), always, dated)
    assert Times(net).after([always]) == (AT,)
    assert Times(net).after([always, dated]) == (AT, AT + 50)
    assert Times(net, (AT + 100,)).after([always]) == (AT, AT + 100)
    assert Times(net, (AT + 100,)).after([always, dated]) == (AT, AT + 50, AT + 100)
    assert Times(net, (AT + 100,)).after([always], AT + 30) == (AT + 30, AT + 100)
