"""Sentences about names, ends and values, word for word."""

from __future__ import annotations

import pytest

from tests.verify.networks import AT, allow, attribute, network, refs, segment, service
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import DevicePrincipal, Flow, Host, Person, Place, Principal, ServiceEndpoint
from ztosc.ir.values import BoolType, InstantType, RangeType
from ztosc.source import Span
from ztosc.verify import words
from ztosc.verify.finder import Finder


@pytest.mark.parametrize(
    ("parts", "said"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_a_list_ends_with_and(parts: list[str], said: str) -> None:
    assert words.listing(parts) == said


def test_names_stand_between_backticks() -> None:
    assert words.names(refs(("segment:desk", "role:nurse"))) == "`desk` and `nurse`"


def test_an_end_is_told_by_its_service_or_its_name() -> None:
    assert words.place(Place(kind="segment", name="ehr", service="web")) == "`web` in `ehr`"
    assert words.place(Place(kind="segment", name="ehr")) == "`ehr`"
    assert words.place(Place(kind="external", name="")) == "an address that is nobody's"


@pytest.mark.parametrize(
    ("protocol", "number", "said"),
    [(6, 443, "tcp/443"), (17, 0, "udp/0"), (58, 128, "icmp"), (58, 135, "proto/58"), (47, 0, "proto/47"), (132, 2905, "sctp/2905")],
)
def test_a_port_is_told_as_the_language_writes_it(protocol: int, number: int, said: str) -> None:
    assert words.port(protocol, number) == said


def test_where_something_stands() -> None:
    assert words.at(Span("a.ztos", 7, 1, 7, 4)) == " (a.ztos:7)"
    assert words.at(None) == ""


def test_only_what_the_calendar_holds_is_told_as_an_instant() -> None:
    assert words.value(InstantType(), 0) == "1970-01-01T00:00:00Z"
    assert words.value(InstantType(), 253_402_300_799) == "9999-12-31T23:59:59Z"
    assert words.value(InstantType(), 253_402_300_800) == "253402300800"
    assert words.value(InstantType(), -1) == "-1"
    assert words.value(RangeType(low=0, high=9), 7) == "7"
    assert words.value(BoolType(), True) == "true"


@pytest.mark.parametrize(
    ("who", "said"),
    [
        (Person(roles=("a", "b")), "someone who holds `a` and `b`"),
        (Person(), "someone"),
        (DevicePrincipal(device="pump"), "a device of class `pump`"),
        (ServiceEndpoint(service="web"), "an endpoint of `web`"),
        (Host(attributes=(("user.mfa", True),)), "whoever or whatever is with `user.mfa` = true"),
    ],
)
def test_an_initiator_is_told_with_what_it_needs(who: Principal, said: str) -> None:
    net = network(
        segment("desk"), segment("ehr"), service("web", "ehr"), attribute("user.mfa", BoolType()), allow("segment:desk", "service:web")
    )
    assert words.principal(Policy(net.intent), who) == said


def test_a_step_names_the_rule_that_allows_it() -> None:
    grant = allow("segment:desk", "service:web")
    finder = Finder(network(segment("desk"), segment("ehr"), service("web", "ehr"), grant))
    flow = Flow(
        source=Place(kind="segment", name="desk"), principal=Host(), destination=Place(kind="segment", name="ehr", service="web"),
        protocol=6, port=443, instant=AT,
    )  # fmt: skip
    said = words.hop(finder, flow)
    assert (
        said.text == f"whoever or whatever is in `desk` may open tcp/443 to `web` in `ehr` at 2026-11-22T00:00:00Z{words.at(grant.origin)}"
    )
    assert said.rule == grant.origin and said.flow == flow
    own = flow.model_copy(update={"source": Place(kind="segment", name="ehr"), "principal": ServiceEndpoint(service="web")})
    said = words.hop(finder, own)
    assert said.text.endswith("00Z (replicas of one service may talk)") and said.rule is None
