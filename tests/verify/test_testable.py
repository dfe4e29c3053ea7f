"""Test blocks for values that the language has no words for: others that are decided alike, and the reason where there are none."""

from __future__ import annotations

import pytest

from tests.verify.networks import AT, allow, attribute, compare, here, is_, network, segment, service
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import Flow, Host, Place
from ztosc.ir.values import AttributeType, CountryType, DurationType, Guard, InstantType, Negation, OtherAttribute, RangeType, Value, all_of
from ztosc.verify.testable import Blocks, Untestable

HUNDRED_YEARS = 36_500 * 86_400


def block(guard: Guard, *, instant: int = AT, **facts: tuple[AttributeType, Value]) -> str:
    """The block for a flow that a guard lets in."""
    attributes = [attribute(f"user.{name}", kind) for name, (kind, _) in facts.items()]
    net = network(segment("a"), segment("b"), service("s", "b"), *attributes, allow("segment:a", "service:s", when=guard))
    given = tuple((f"user.{name}", value) for name, (_, value) in sorted(facts.items()))
    source, end = Place(kind="segment", name="a"), Place(kind="segment", name="b", service="s")
    flow = Flow(source=source, principal=Host(attributes=given), destination=end, protocol=6, port=443, instant=instant)
    return Blocks(Policy(net.intent), {}).expecting_deny("it", flow, here(1))


@pytest.mark.parametrize(
    ("kind", "guard", "given", "said"),
    [
        (RangeType(low=0, high=9), is_("user.x", 3, ">"), 7, "7"),
        (DurationType(), is_("user.x", HUNDRED_YEARS - 9, ">"), 10**12, f"{HUNDRED_YEARS}s"),
        (DurationType(), is_("user.x", HUNDRED_YEARS, ">="), HUNDRED_YEARS, f"{HUNDRED_YEARS}s"),
        (DurationType(), is_("user.x", 9, "<"), 0, "1s"),
        (InstantType(), is_("user.x", AT, "<"), 0, "1971-01-01T00:00:00Z"),
        (InstantType(), is_("user.x", AT, ">"), 10**12, "9998-12-29T23:59:59Z"),
        (CountryType(), is_("user.x", "DE", "!="), "XA", "NZ"),
        (CountryType(), is_("user.x", "NZ", "!="), "QZ", "IS"),
        (CountryType(), is_("user.x", "DE", "!="), "FR-75", "FR-75"),
    ],
)
def test_a_value_without_words_stands_as_one_that_does_as_well(kind: AttributeType, guard: Guard, given: Value, said: str) -> None:
    assert f"given a with user.x = {said} at 2026-11-22T00:00:00Z\n" in block(guard, x=(kind, given))


def test_a_part_of_a_country_stays_one() -> None:
    within, around = (compare(f"user.{one}", "==", OtherAttribute(attribute=f"user.{other}")) for one, other in (("x", "y"), ("y", "x")))
    text = block(all_of(within, Negation(part=around)), x=(CountryType(), "XA-AB"), y=(CountryType(), "XA"))
    assert "given a with user.x = NZ-AB, user.y = NZ at " in text


@pytest.mark.parametrize(
    ("guard", "given", "instant"),
    [
        (is_("user.x", HUNDRED_YEARS, ">"), HUNDRED_YEARS + 1, AT),
        (is_("user.x", 1, "<"), 0, AT),
        (is_("user.x", 5, ">"), 9, 31_535_999),
        (is_("user.x", 5, ">"), 9, 253_370_764_800 + 86_400 * 364),
    ],
    ids=["longer than durations are", "no duration at all", "before 1971", "after 9998"],
)
def test_what_has_no_words_at_all_is_told(guard: Guard, given: int, instant: int) -> None:
    with pytest.raises(Untestable, match="no words"):
        block(guard, instant=instant, x=(DurationType(), given))
