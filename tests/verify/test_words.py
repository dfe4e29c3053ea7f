"""Sentences about names, ends and values, word for word."""

from __future__ import annotations

import pytest

from tests.verify.networks import refs
from ztosc.ir.flow import Place
from ztosc.ir.values import BoolType, InstantType, RangeType
from ztosc.source import Span
from ztosc.verify import words


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
