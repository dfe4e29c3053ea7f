"""`never flows down`: where data of a label may come to, and what lies below."""

from __future__ import annotations

from typing import Any

import pytest

from tests.verify.networks import AT, DAY, allow, deny, down, external, here, network, replays, segment, service, verified
from ztosc.ir.intent import Governance, Label, Release
from ztosc.ir.values import Validity
from ztosc.ir.verdict import Verdict

SIGNED = Governance(releases=(Release(label="top", because="signed"),))


def label(name: str, *above: str) -> Label:
    """A label, and what it is directly above."""
    return Label(name=name, origin=here(1), above=above)


LABELS = (label("top", "middle"), label("middle", "low"), label("low"), label("beside"))
SECRET = segment("a", carries=("top",))
NET = external("net")
SIGNED_NET = NET.model_copy(update={"governance": SIGNED})
OPEN, OUT = segment("b"), allow("segment:a", "external:net", on="tcp/443")
WRITES = allow("segment:a", "segment:b", on="tcp/1")


def judge(*parts: Any, through: Any = ()) -> Verdict:
    """The one verdict; what is allowed in a refutation must replay."""
    given = network(*LABELS, *parts, down("top", through))
    (verdict,) = verified(given)
    assert verdict.verdict != "refuted" or replays(given, verdict)
    return verdict


@pytest.mark.parametrize(
    ("carried", "says"),
    [
        ((), "which carries nothing: "),
        (("low",), "which carries only `low`: "),
        (("middle",), "which carries only `middle`: "),
        (("low", "middle"), "which carries only `low` and `middle`: "),
        (("top",), ""),
        (("beside",), ""),
        (("beside", "low"), ""),
    ],
)
def test_below_is_every_lower_label_and_none_at_all(carried: tuple[str, ...], says: str) -> None:
    verdict = judge(SECRET, segment("b", carries=carried), WRITES)
    assert verdict.verdict == ("refuted" if says else "proved")
    assert f"`top` flows down to `b`, {says}" in verdict.reason if says else verdict.reason.endswith("reaches what lies below it")


def test_answers_and_further_hops_carry_it_down_in_the_order_of_time() -> None:
    assert "flows back" in judge(SECRET, OPEN, allow("segment:b", "segment:a", on="tcp/1")).reason
    between = segment("c", carries=("beside",))
    onward = allow("segment:c", "segment:b", on="tcp/1", valid=Validity(not_after=AT + DAY))
    assert len(judge(SECRET, OPEN, between, allow("segment:a", "segment:c", on="tcp/1"), onward).witness.hops) == 2
    late = allow("segment:a", "segment:c", on="tcp/1", valid=Validity(not_before=AT + DAY))
    assert judge(SECRET, OPEN, between, late, onward).verdict == "proved"


def test_what_is_never_joined_needs_no_search() -> None:
    assert judge(SECRET, OPEN, NET).verdict == "proved"
    assert judge(SECRET, OPEN, WRITES, deny("segment:a", "segment:b")).verdict == "proved"


def test_an_external_lies_below_unless_somebody_signs_for_it() -> None:
    assert "flows down to `net`, which carries nothing" in judge(SECRET, NET, OUT).reason
    assert judge(SECRET, SIGNED_NET, OUT).verdict == "proved"
    assert judge(SECRET, SIGNED_NET, OUT, OPEN, WRITES).reason.startswith("`top` flows down to `b`")


def test_data_ends_at_a_signed_segment_which_still_may_lie_below() -> None:
    assert judge(SECRET, segment("b", governance=SIGNED), WRITES).verdict == "refuted"
    parts = (SECRET, NET, allow("segment:a", "segment:b", on="tcp/1"), allow("segment:b", "external:net", on="tcp/1"))
    assert judge(*parts, segment("b", carries=("beside",))).verdict == "refuted"
    assert judge(*parts, segment("b", carries=("beside",), governance=SIGNED)).verdict == "proved"


def test_the_service_of_an_exception_lets_through_only_what_may_pass() -> None:
    parts = (SECRET, OPEN, service("gate", "b"), allow("segment:a", "service:gate"))
    assert judge(*parts).verdict == "refuted"
    trusted = judge(*parts, through=["service:gate"])
    assert (trusted.verdict, trusted.reason) == ("proved", "no data of `top` reaches what lies below it, other than by `gate`")
    assert judge(*parts, WRITES, through=["service:gate"]).verdict == "refuted"
    opened = (SECRET, OPEN, service("gate", "a"), allow("service:gate", "segment:b", on="tcp/1"))
    assert judge(*opened).verdict == "refuted"
    assert judge(*opened, through=["service:gate"]).verdict == "proved"
