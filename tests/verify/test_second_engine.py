"""Two engines: what one says the other confirms, what is too large for one the other decides, and a difference is nobody's verdict."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

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
    node,
    region,
    replays,
    role,
    segment,
    separate,
    service,
    site,
    stays,
    verified,
)
from ztosc.ir.intent import Rule
from ztosc.ir.network import Network
from ztosc.ir.values import BoolType, CountryType, EnumType, InstantType, Negation, Now, OtherAttribute, RangeType, Validity, all_of
from ztosc.logic.diagrams import TooLarge
from ztosc.verify import EnginesDisagree, answers, changes, reference, session, verify
from ztosc.verify.confirm import confirmed, solve
from ztosc.verify.finder import Finder
from ztosc.verify.judging import judge
from ztosc.verify.smtlib import Script

LEVEL = EnumType(values=("low", "mid", "high"), ordered=True)
TYPES = (
    attribute("user.mfa", BoolType()), attribute("user.risk", RangeType(low=0, high=100)),
    attribute("user.limit", RangeType(low=-5, high=9)),
    attribute("user.level", LEVEL), attribute("user.country", CountryType()), attribute("session.country", CountryType()),
    attribute("session.until", InstantType()),
)  # fmt: skip
BASE = (segment("a"), segment("b"), service("s", "b"), role("p", "a"), role("q", "a"), separate("p", "q"), *TYPES)
MFA = is_("user.mfa", True)

NOBODY: list[Any] = [
    [allow("segment:a", "service:s", when=all_of(is_("user.risk", 40, "<"), is_("user.risk", 60, ">")))],
    [allow("segment:a", "service:s", when=MFA), deny("segment:a", "service:s", when=MFA)],
    [allow("segment:a", "service:s", when=all_of(is_("user.level", "mid", ">"), is_("user.level", "high", "!=")))],
    [allow("segment:a", "service:s", when=all_of(is_("user.country", "US-CA"), is_("user.country", "US", "!=")))],
    [allow("segment:a", "service:s", when=all_of(is_("user.country", "DE"), is_("session.country", "FR"),
                                                 compare("user.country", "==", OtherAttribute(attribute="session.country"))))],
    [allow("segment:a", "service:s", when=all_of(compare("user.risk", "<", OtherAttribute(attribute="user.limit")),
                                                 is_("user.limit", 0, "<")))],
    [allow("segment:a", "service:s", when=all_of(compare("session.until", ">", Now()), is_("session.until", AT, "<")))],
    [allow("role:p", "service:s", when=MFA), deny("role:p", "service:s", when=Negation(part=Negation(part=MFA)))],
]  # fmt: skip


@pytest.mark.parametrize("rules", NOBODY)
def test_what_nobody_can_satisfy_is_confirmed_and_is_what_the_reference_says(rules: list[Any]) -> None:
    given = network(*BASE, *rules, never("segment:a", "service:s"))
    assert [each.verdict for each in verified(given)] == ["proved"]
    finder = Finder(given)
    judge(finder, given.intent.assertions[0])
    asked = list(finder.answers.nobody)
    assert asked
    assert set(solve(Script(finder.slices.reading, asked).text())) == {"unsat"}


@pytest.mark.parametrize("rules", NOBODY)
def test_the_text_is_satisfiable_once_a_grant_without_a_guard_is_added(rules: list[Any]) -> None:
    given = network(*BASE, *rules, never("segment:a", "service:s"))
    finder = Finder(given)
    judge(finder, given.intent.assertions[0])
    reading = finder.slices.reading
    free = [question._replace(free=True, denies=frozenset()) for question in finder.answers.nobody]
    assert set(solve(Script(reading, free).text())) == {"sat"}
    with pytest.raises(EnginesDisagree):
        confirmed(reading, free, 1_000_000)


def test_the_text_is_the_same_whatever_was_asked_before() -> None:
    given = network(*BASE, *NOBODY[0], *NOBODY[7], never("segment:a", "service:s"))
    texts = set()
    for warm in (False, True):
        finder = Finder(given)
        if warm:
            judge(finder, never("segment:b", "service:s"))
            finder.answers.nobody.clear()
        judge(finder, given.intent.assertions[0])
        texts.add(Script(finder.slices.reading, list(finder.answers.nobody)).text())
    assert len(texts) == 1


def test_an_engine_that_finds_nobody_where_there_is_somebody_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    given = network(*BASE, allow("segment:a", "service:s", when=MFA), never("segment:a", "service:s"))
    monkeypatch.setattr(answers.Answers, "_worked_out", lambda self, question: answers.NOBODY)
    with pytest.raises(EnginesDisagree):
        verify(given)


def test_one_question_that_is_too_hard_does_not_spoil_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    given = network(*BASE, *NOBODY[0], allow("role:p", "service:s", when=NOBODY[2][0].guard), never("segment:a", "service:s"))
    finder = Finder(given)
    judge(finder, given.intent.assertions[0])
    asked = list(finder.answers.nobody)
    assert len(asked) > 1
    monkeypatch.setattr("ztosc.verify.confirm.solve", lambda text: [] if "q1" in text or "user.level" in text else ["unsat"])
    agreed = confirmed(finder.slices.reading, asked, 1_000)
    assert True in agreed
    assert False in agreed


@pytest.mark.parametrize(
    "rules", [*NOBODY, [allow("role:p", "service:s", when=MFA)], [allow("segment:a", "service:s", when=is_("user.risk", 9, "<"))]]
)
def test_what_outgrows_the_diagrams_is_put_to_the_solver(rules: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def outgrown(self: object, question: object) -> int:
        raise TooLarge("a test says so")

    monkeypatch.setattr(answers.Answers, "_worked_out", outgrown)
    later = allow("segment:b", "segment:a", "tcp/1", valid=Validity(not_before=AT + HOUR))
    given = network(*BASE, *rules, later, never("segment:a", "service:s"), isolated("segment:b", "segment:a"))
    found = verified(given)
    assert found[1].verdict == "refuted"
    assert all(each.verdict != "refuted" or replays(given, each) for each in found)
    unknown = verify(given, rlimit=1)
    assert unknown[0].verdict in ("unknown", "refuted")
    assert reference.verify(given, rlimit=1)[0].verdict == unknown[0].verdict


@pytest.mark.parametrize(
    ("name", "value"),
    [("user.level", "low"), ("user.level", "high"), ("user.mfa", False), ("user.mfa", True), ("user.risk", 0), ("user.risk", 100),
     ("user.limit", -5), ("user.limit", 9), ("user.country", "ZZ"), ("user.country", "AA-1")],
)  # fmt: skip
def test_the_first_and_last_value_of_a_type_are_looked_at(name: str, value: Any) -> None:
    net = network(*BASE, allow("segment:a", "service:s", when=is_(name, value)), never("segment:a", "service:s"))
    (verdict,) = verified(net)
    (hop,) = verdict.witness.hops
    assert verdict.verdict == "refuted" and hop.flow and hop.flow.principal.attributes == ((name, value),)


def test_a_session_starts_afresh_where_more_than_rules_changed() -> None:
    given = network(*BASE, allow("segment:a", "service:s"), never("segment:b", "segment:a"))
    opened = session.Session(given)
    wider = network(*BASE, segment("c"), allow("segment:b", "segment:a", "tcp/1"), never("segment:b", "segment:a"))
    assert opened.update(wider).verdicts == verify(wider)
    assert opened.verdicts[0].verdict == "refuted"


def test_a_session_judges_what_an_edit_matters_to_and_keeps_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    grants = [allow("segment:a", "service:s"), allow("segment:b", "segment:a", "tcp/22", when=MFA)]
    given = network(*BASE, segment("c"), *grants, never("segment:b", "segment:c"), never("segment:a", "segment:b"))
    opened = session.Session(given)
    seen: list[str] = []
    monkeypatch.setattr(session, "judge", lambda finder, claim: seen.append(claim.statement) or judge(finder, claim))
    rules = (*given.intent.rules, allow("segment:b", "segment:c", "tcp/22", when=MFA))
    edited = given.model_copy(update={"intent": given.intent.model_copy(update={"rules": rules})})
    assert [each.verdict for each in opened.update(edited).verdicts] == ["refuted", "refuted"]
    assert seen == ["segment:b never reaches segment:c"]


def test_rules_that_change_places_are_taken_for_others() -> None:
    given = network(*BASE, allow("segment:a", "service:s"), allow("segment:b", "segment:a", "tcp/22"), never("segment:b", "segment:a"))
    opened = session.Session(given)
    other = never("segment:a", "service:s")  # of an end that nobody asked about yet
    update = {"rules": tuple(reversed(given.intent.rules)), "assertions": (*given.intent.assertions, other)}
    turned = given.model_copy(update={"intent": given.intent.model_copy(update=update)})
    assert opened.update(turned).verdicts == verify(turned)
    assert [each.verdict for each in opened.verdicts] == ["refuted", "refuted"]


def test_an_edit_is_of_rules_and_claims_alone() -> None:
    given = network(*BASE, allow("segment:a", "service:s"), never("segment:b", "segment:a"))
    same = given.model_copy(deep=True)
    assert changes.edit(given, same) is not None, "equal is enough"
    assert changes.edit(given, given.model_copy(update={"at": AT + HOUR})) is None
    intent = given.intent
    assert changes.edit(given, given.model_copy(update={"intent": intent.model_copy(update={"separations": ()})})) is None
    claimed = changes.edit(given, given.model_copy(update={"intent": intent.model_copy(update={"assertions": ()})}))
    assert claimed is not None and claimed.before == claimed.after == ()


def edited(given: Network, rules: Iterable[Rule]) -> Network:
    """The same with other rules."""
    return given.model_copy(update={"intent": given.intent.model_copy(update={"rules": tuple(rules)})})


def test_a_session_follows_logs_and_dates_that_come_and_go() -> None:
    parts = (segment("a", carries=("phi",)), segment("b"), segment("c", "abroad"), region("us", "US"), region("ie", "IE"), site("home"))
    places = (site("abroad", "ie"), node("n1"), node("n9", "abroad"), service("siem", "c"))
    plain = allow("segment:b", "segment:a", "tcp/1")
    first = network(*parts, *places, plain, stays("phi"), isolated("segment:a", "segment:c"))
    logs = allow("segment:b", "segment:a", "tcp/2", log_to="siem")
    dated = [allow("segment:a", "segment:c", "tcp/1", valid=Validity(not_before=AT + count * DAY)) for count in (5, 9)]
    opened = session.Session(first)
    told = []
    for rules in ([plain, logs], [plain], [plain, logs, dated[1]], [plain, dated[0]], [dated[1]], [plain]):
        current = edited(first, rules)
        assert opened.update(current).verdicts == verify(current)
        told.append("".join(each.verdict[0] for each in opened.verdicts))
    assert told == ["rp", "pp", "rr", "rr", "rr", "pp"]


def test_a_rule_with_two_targets_stays_when_one_of_them_is_edited() -> None:
    both = allow("segment:c", ("segment:a", "segment:b"), "tcp/1")
    given = network(
        segment("a"), segment("b"), segment("c"), segment("d"), both, never("segment:c", "segment:b"), isolated("segment:c", "segment:b")
    )
    opened = session.Session(given)
    for name in ("a", "b"):
        told = opened.update(edited(given, [both, allow("segment:d", f"segment:{name}", "tcp/1")])).verdicts
        assert [each.verdict for each in told] == ["refuted", "refuted"]


def test_a_session_follows_windows_as_long_as_the_last_date_that_came() -> None:
    daily = allow("segment:b", "segment:c", "tcp/1", valid=between(6, 7, "America/New_York"))
    late = allow("segment:a", "segment:b", "tcp/1", valid=Validity(not_before=AT + 40 * 366 * DAY))
    given = network(segment("a"), segment("b"), segment("c"), daily, never("segment:b", "segment:c"), isolated("segment:a", "segment:c"))
    opened = session.Session(given)
    assert [each.verdict for each in opened.verdicts] == ["refuted", "proved"]
    assert [each.verdict for each in opened.update(edited(given, [daily, late])).verdicts] == ["refuted", "refuted"]
