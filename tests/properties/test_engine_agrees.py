"""The engine against the reference, on random networks with everything that a claim can stumble over: the same bytes.

Externals, resolvers, labels that release and log, countries, clocks, places and failures are in here, which brute force
(`test_verify_agrees`) leaves out.
"""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.properties.test_verify_agrees import LEVEL, fixed, guards, times
from tests.verify.networks import (
    AT,
    DAY,
    US,
    allow,
    attribute,
    compare,
    deny,
    down,
    external,
    is_,
    isolated,
    link,
    network,
    never,
    node,
    only,
    reaches,
    ref,
    region,
    role,
    segment,
    separate,
    service,
    site,
    stays,
    system,
    verified,
)
from ztosc.ir.intent import Label, Role
from ztosc.ir.values import (
    TRUE,
    BoolType,
    Constant,
    CountryType,
    DurationType,
    Guard,
    InstantType,
    Negation,
    Now,
    OtherAttribute,
    RangeType,
    Validity,
    all_of,
)
from ztosc.source import Span
from ztosc.verify import Session, reference, verify
from ztosc.verify.answers import NOBODY
from ztosc.verify.confirm import solve
from ztosc.verify.finder import Finder
from ztosc.verify.questions import Limits
from ztosc.verify.scope import destinations, starts
from ztosc.verify.smtlib import Script
from ztosc.verify.symbolic import RLIMIT

TYPES = {
    "user.mfa": BoolType(), "user.level": LEVEL, "user.risk": RangeType(low=0, high=2), "user.limit": RangeType(low=1, high=2),
    "user.country": CountryType(), "session.country": CountryType(), "session.until": InstantType(), "session.age": DurationType(),
}  # fmt: skip
ENDS = ("segment:a", "segment:b", "segment:c", "segment:d", "service:s", "service:t", "label:phi", "external:net")
SUBJECTS = (*ENDS[:4], "service:s", "label:phi", "role:p", "role:q", "role:r", "device:pump", "external:net")
COUNTRIES = ("DE", "FR", "US", "US-CA")

richer: st.SearchStrategy[Guard] = st.one_of(
    guards,
    st.builds(
        lambda name, sign, value: is_(name, value, sign),
        st.sampled_from(["user.country", "session.country"]),
        st.sampled_from(["==", "!="]),
        st.sampled_from(COUNTRIES),
    ),
    st.builds(
        lambda values: compare("user.country", "in", Constant(values=tuple(values))),
        st.lists(st.sampled_from(COUNTRIES), min_size=1, max_size=2, unique=True),
    ),
    st.builds(lambda sign: compare("user.country", sign, OtherAttribute(attribute="session.country")), st.sampled_from(["==", "!="])),
    st.builds(lambda sign: compare("session.until", sign, Now()), st.sampled_from([">", "<="])),
    st.builds(lambda sign: is_("session.until", AT + 2 * DAY, sign), st.sampled_from(["<", ">=", "=="])),
    st.builds(lambda number: is_("session.age", number, "<"), st.integers(0, 2)),
)
both = st.one_of(richer, st.builds(lambda x, y: all_of(x, y), richer, richer), st.builds(lambda x: Negation(part=x), richer))
validities = st.one_of(st.just(Validity()), st.just(Validity()), times)


@st.composite
def rules(draw: st.DrawFn) -> Any:
    """One rule of any shape; most are plain, so that chains come about."""
    subjects = draw(st.lists(st.sampled_from(SUBJECTS), min_size=1, max_size=2, unique=True))
    target = draw(st.sampled_from((*ENDS, "system:dns")))
    when = draw(st.one_of(st.just(TRUE), both))
    valid = draw(validities)
    if draw(st.integers(0, 4)) == 0:
        return deny(subjects, target, draw(st.sampled_from([None, "tcp/22", "tcp/22-30"])), when, valid)
    bare = target in ("service:s", "service:t", "system:dns") and draw(st.booleans())
    on = None if bare else draw(st.sampled_from(["tcp/22", "tcp/22-30", "any", "udp/53", "icmp"]))
    more: dict[str, Any] = {}
    if draw(st.integers(0, 5)) == 0:
        more["releases"] = ("phi",)
    elif draw(st.integers(0, 5)) == 0:
        more["log_to"] = "t"
    return allow(subjects, target, on, when, valid, **more)


def label(name: str, *above: str) -> Label:
    """A label."""
    return Label(name=name, origin=Span("net.ztos", 1, 1, 1, 2), above=above)


def released(given: Role) -> Role:
    """A role that carries nothing further."""
    return given.model_copy(update={"governance": allow("segment:a", "segment:b", releases=("phi",)).governance})


@st.composite
def declared(draw: st.DrawFn) -> list[Any]:
    """Four segments on three nodes in two countries, roles, services, an external, a resolver, and up to eight rules."""
    places = st.lists(st.sampled_from(["home", "away", "third"]), min_size=1, max_size=2, unique=True)
    carried = {name: draw(st.sampled_from([(), ("phi",), ("public",)])) for name in "bcd"}
    people = [role(name, *draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=2, unique=True))) for name in ("p", "q")]
    wanted, includes = draw(st.one_of(st.just(TRUE), richer)), draw(st.sampled_from([(), ("p",), ("p", "q")]))
    where = draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=2, unique=True))
    third = role("r", *where, requires=wanted, includes=includes)
    roles = [*people, released(third) if draw(st.integers(0, 4)) == 0 else third]
    ways = draw(st.lists(st.sampled_from([("n1", "n2"), ("n2", "n3"), ("n1", "n3"), ("n3", "n4"), ("n1", "n4")]), unique=True, max_size=5))
    return [
        region("us", "US"), region("de", "DE"), site("home"), site("away", draw(st.sampled_from(["us", "de"]))), site("third"),
        node("n1", "home", "resolver"), node("n2", "away", *draw(st.sampled_from([(), ("nat64",)]))), node("n3", "third", "directory"),
        node("n4", "third"), *(link(*way) for way in ways),
        label("phi", "public"), label("public"),
        segment("a", *draw(places), admits=("pump",)), *(segment(name, *draw(places), carries=carried[name]) for name in "bcd"),
        service("s", "b", replicas=draw(st.integers(1, 2))), service("t", draw(st.sampled_from("cd")), "tcp/22"),
        external("net"), system(), *roles, *draw(st.sampled_from([(), (separate("p", "q"),), (separate("p", "q", "r"),)])),
        *(attribute(name, kind) for name, kind in TYPES.items()),
        *draw(st.lists(rules(), min_size=1, max_size=8)),
    ]  # fmt: skip


through = st.sampled_from([(), ("segment:c",), ("service:s",), ("external:net",), ("system:dns",), ("segment:b", "service:t")])
claims = st.one_of(
    st.builds(never, st.sampled_from(SUBJECTS), st.sampled_from((*ENDS, "system:dns", "role:q", "device:pump"))),
    st.builds(only, st.lists(st.sampled_from(SUBJECTS), min_size=1, max_size=2, unique=True), st.sampled_from(ENDS)),
    st.builds(isolated, st.sampled_from(SUBJECTS), st.sampled_from(ENDS), through),
    st.builds(isolated, st.sampled_from(SUBJECTS), st.sampled_from(ENDS)),
    st.builds(
        reaches, st.sampled_from(SUBJECTS[:10]), st.sampled_from(ENDS), st.integers(0, 2), st.sampled_from(["any", "links", "nodes"])
    ),
    st.builds(stays, st.sampled_from(["phi", "public", "personal"]), st.just(US)),
    st.builds(down, st.just("phi"), st.sampled_from([(), ("service:s",)])),
)


@fixed(250)
@given(declared(), st.lists(claims, min_size=1, max_size=4))
def test_verdicts_reasons_and_witnesses_are_those_of_the_reference(parts: list[Any], asked: list[Any]) -> None:
    net = network(*parts, *asked)
    told = [each.model_dump_json() for each in verify(net)]
    wanted = [each.model_dump_json() for each in reference.verify(net)]
    for one, other in zip(told, wanted, strict=True):
        assert one == other


@fixed(120)
@given(declared(), st.lists(claims, min_size=2, max_size=5), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2), rules()), max_size=4))
def test_a_session_says_after_each_edit_what_a_fresh_look_says(parts: list[Any], asked: list[Any], edits: list[Any]) -> None:
    given_first = network(*parts, *asked)
    session = Session(given_first)
    current = given_first
    for position, length, fresh in edits:
        before = current.intent.rules
        put_in = () if length == 2 and position % 2 else (fresh,)
        changed = (*before[:position], *put_in, *before[position + length :])
        current = current.model_copy(update={"intent": current.intent.model_copy(update={"rules": changed})})
        assert session.update(current).verdicts == verify(current)


@fixed(20)
@given(declared(), st.lists(claims, min_size=1, max_size=3))
def test_a_network_that_is_asked_twice_says_the_same(parts: list[Any], asked: list[Any]) -> None:
    net = network(*parts, *asked)
    assert verified(net) == verify(net)


def test_the_solver_answers_each_question_as_the_diagrams_do() -> None:
    """Not only those that have to be confirmed: one that nobody satisfies in the text would be confirmed whatever was asked."""
    met: list[bool] = []

    @fixed(60)
    @given(declared(), st.sampled_from([(), ("role:p",), ("role:q", "segment:b")]))
    def each(parts: list[Any], outside: tuple[str, ...]) -> None:
        finder = Finder(network(*parts))
        limits = Limits(outside=tuple(map(ref, outside)))
        for subject, target in itertools.product(SUBJECTS, ENDS):
            finder.first(starts(finder.policy, ref(subject)), destinations(finder.policy, ref(target)), limits)
        questions = dict(finder.answers._known)
        told = solve(Script(finder.slices.reading, list(questions)).text(rlimit=RLIMIT))  # or the limit of an earlier text holds
        somebody = [found != NOBODY for found in questions.values()]
        assert told == ["sat" if found else "unsat" for found in somebody]
        met.extend(bool(question.chosen) and found for question, found in zip(questions, somebody, strict=True))

    each()
    assert sum(met) >= 20, "hardly anybody was found in a role"
