"""Direct flows: `never reaches` and `only … reach`, over roles, devices, services, attributes, ports and what `separate` forbids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.verify.networks import (
    AT,
    HEALTH,
    allow,
    attribute,
    compare,
    deny,
    external,
    is_,
    network,
    never,
    only,
    replays,
    role,
    segment,
    separate,
    service,
    system,
    verified,
)
from ztosc.ir.flow import DevicePrincipal, Flow, Host, Person, ServiceEndpoint
from ztosc.ir.values import AnyOf, BoolType, CountryType, DurationType, InstantType, Negation, Now, OtherAttribute, RangeType, all_of
from ztosc.ir.verdict import Verdict
from ztosc.verify import reference, verify

MFA = attribute("user.mfa", BoolType())
STATE = attribute("device.health", HEALTH)
HEALTHY = is_("device.health", "healthy")
BASE = (segment("a"), segment("b", carries=("phi",)), service("s", "b"), MFA, STATE)


def judge(*parts: Any) -> Verdict:
    """The one verdict on a network with one assertion; a refutation must replay."""
    given = network(*parts)
    (verdict,) = verified(given)
    assert verdict.verdict != "refuted" or replays(given, verdict)
    return verdict


def flow_of(verdict: Verdict) -> Flow:
    """The one flow of a refutation."""
    assert verdict.verdict == "refuted", verdict.reason
    flow = verdict.witness.hops[-1].flow
    assert flow is not None
    return flow


def test_nothing_is_allowed_unless_granted() -> None:
    verdict = judge(*BASE, never("segment:a", "label:phi"))
    assert (verdict.verdict, verdict.kind, verdict.property) == ("proved", "assert", "never-reaches")
    assert verdict.reason == "no flow from `a` to `phi` is ever allowed"


def test_a_witness_names_the_rule_and_the_roles_and_attributes_it_needs_and_no_more() -> None:
    grant = allow("role:r", "service:s", when=HEALTHY)
    verdict = judge(*BASE, role("q", "a"), role("r", "a", requires=is_("user.mfa", True)), grant, never("segment:a", "segment:b"))
    flow = flow_of(verdict)
    assert flow.principal == Person(roles=("r",), attributes=(("device.health", "healthy"), ("user.mfa", True)))
    assert (flow.protocol, flow.port, flow.destination.service, flow.instant) == (6, 443, "s", AT)
    assert verdict.witness.hops[0].rule == grant.origin
    assert f"net.ztos:{grant.origin.line}" in verdict.reason


def test_another_role_of_a_member_counts() -> None:
    """`a never reaches b, whatever other roles a member of a may also hold`."""
    parts = (*BASE, role("q", "a"), role("r", "a"), allow("role:r", "service:s"), never("role:q", "service:s"))
    assert flow_of(judge(*parts)).principal == Person(roles=("q", "r"))
    assert judge(*parts, separate("q", "r")).verdict == "proved"


def test_separation_sees_through_includes() -> None:
    parts = (
        *BASE,
        role("q", "a"),
        role("p", "b"),
        role("r", "a", includes=("p",)),
        allow("role:r", "service:s"),
        never("role:q", "service:s"),
    )
    assert judge(*parts).verdict == "refuted"
    assert judge(*parts, separate("p", "q")).verdict == "proved"


def test_an_included_role_is_granted_what_it_is_granted() -> None:
    parts = (*BASE, role("p", "a"), role("r", "a", includes=("p",)), allow("role:p", "service:s"))
    assert flow_of(judge(*parts, never("role:r", "service:s"))).principal == Person(roles=("r",))


def test_an_including_role_narrowed_by_a_deny_is_left_aside() -> None:
    parts = (*BASE, role("p", "a"), role("r", "a", includes=("p",)), allow("role:p", "service:s"), deny("role:p", "service:s"))
    assert judge(*parts, never("segment:a", "service:s")).verdict == "proved"


def test_a_role_acts_only_where_it_comes_from() -> None:
    parts = (*BASE, role("r", "b"), allow("role:r", "service:s"))
    assert judge(*parts, never("segment:a", "service:s")).verdict == "proved"
    assert judge(*parts, never("role:r", "service:s")).verdict == "refuted"
    held = (*parts, role("p", "a", includes=("r",)))
    assert judge(*held, never("segment:a", "service:s")).verdict == "proved", "who holds it by another role acts as it there alone too"
    both = (*BASE, role("r", "b"), role("q", "a"), role("p", "a", includes=("r",)), allow(["role:q", "role:r"], "service:s"))
    assert flow_of(judge(*both, never("role:p", "service:s"))).principal == Person(roles=("p", "q"))
    assert judge(*both, separate("p", "q"), never("role:p", "service:s")).verdict == "proved"


@pytest.mark.parametrize("wanted", [True, False])
def test_a_deny_fires_on_unknown(wanted: bool) -> None:
    """An absent attribute lets an allow fail and a deny fire, whichever value the deny asks for."""
    parts = (*BASE, allow("segment:a", "service:s"), deny("segment:a", "service:s", when=is_("user.mfa", wanted)))
    flow = flow_of(judge(*parts, never("segment:a", "service:s")))
    assert flow.principal == Host(attributes=(("user.mfa", not wanted),))


def test_a_deny_that_covers_an_allow_proves() -> None:
    """What is left of the allow would need an attribute to be absent and present at once."""
    parts = (*BASE, allow("segment:a", "service:s", when=HEALTHY), never("segment:a", "service:s"))
    assert judge(*parts, deny("segment:a", "segment:b", when=is_("device.health", "healthy", "!="))).verdict == "refuted"
    assert judge(*parts, deny("segment:a", "label:phi", when=HEALTHY)).verdict == "proved"


def test_absent_is_preferred_and_negation_of_unknown_is_unknown() -> None:
    sick = Negation(part=HEALTHY)
    either = AnyOf(parts=(sick, is_("user.mfa", False)))
    flow = flow_of(judge(*BASE, allow("segment:a", "service:s", when=either), never("segment:a", "service:s")))
    assert flow.principal.attributes == (("user.mfa", False),)


def test_ports_of_denies_and_allows_are_told_apart() -> None:
    parts = (*BASE, allow("segment:a", "segment:b", on="tcp/20-30"), never("segment:a", "segment:b"))
    assert flow_of(judge(*parts, deny("segment:a", "segment:b", on="tcp/20-29"))).port == 30
    assert judge(*parts, deny("segment:a", "segment:b", on="tcp/1-100")).verdict == "proved"
    assert judge(*parts, deny("segment:a", "segment:b", on="udp/1-100")).verdict == "refuted"


def test_any_port_is_shown_as_one_that_people_know() -> None:
    flow = flow_of(judge(*BASE, allow("segment:a", "segment:b", on="any"), never("segment:a", "segment:b")))
    assert (flow.protocol, flow.port) == (6, 443)


def test_devices_and_endpoints_are_principals_of_their_own() -> None:
    parts = (segment("a", admits=("pump",)), segment("b"), service("s", "b"), service("t", "a"))
    by_device = judge(*parts, allow("device:pump", "service:s"), never("segment:a", "service:s"))
    assert flow_of(by_device).principal == DevicePrincipal(device="pump")
    by_service = judge(*parts, allow("service:t", "service:s"), never("segment:a", "service:s"))
    assert flow_of(by_service).principal == ServiceEndpoint(service="t")
    assert judge(*parts, allow("device:pump", "service:s"), never("service:t", "service:s")).verdict == "proved"
    assert judge(*parts, allow("device:pump", "service:s"), never("device:pump", "segment:b")).verdict == "refuted"


def test_replicas_of_a_service_talk_unless_denied() -> None:
    assert flow_of(judge(*BASE, never("service:s", "service:s"))).principal == ServiceEndpoint(service="s")
    assert judge(*BASE, deny("segment:b", "service:s"), never("service:s", "service:s")).verdict == "proved"


def test_externals_systems_and_labels_are_ends() -> None:
    parts = (*BASE, external("net"), system())
    assert judge(*parts, allow("external:net", "service:s"), never("external:net", "label:phi")).verdict == "refuted"
    assert judge(*parts, allow("label:phi", "external:net", on="any"), never("label:phi", "external:net")).verdict == "refuted"
    assert judge(*parts, allow("segments:*", "system:dns"), never("segment:a", "system:dns")).verdict == "refuted"
    assert judge(*parts, never("system:dns", "segment:a")).verdict == "unsupported"


def test_to_reach_a_role_is_to_reach_where_its_people_sit() -> None:
    assert judge(*BASE, role("r", "b"), allow("segment:a", "service:s"), never("segment:a", "role:r")).verdict == "refuted"
    assert judge(*BASE, role("r", "a"), allow("segment:a", "service:s"), never("segment:a", "role:r")).verdict == "proved"


AGE, RISK = attribute("session.age", DurationType()), attribute("user.risk", RangeType(low=0, high=100))
ENDS, STARTS = attribute("session.ends", InstantType()), attribute("session.starts", InstantType())
HOME, STAY = attribute("user.country", CountryType()), attribute("session.country", CountryType())


@pytest.mark.parametrize(
    ("guard", "attributes"),
    [
        (compare("user.clearance", ">", is_("user.clearance", "low").operand), (("user.clearance", "high"),)),  # type: ignore[union-attr]
        (is_("user.risk", 40, ">"), (("user.risk", 41),)),
        (is_("user.risk", 0, "<"), None),
        (is_("user.risk", 100, ">"), None),
        (all_of(is_("session.age", 10, ">"), is_("session.age", 12, "<")), (("session.age", 11),)),
        (all_of(is_("session.age", 10, ">"), is_("session.age", 11, "<")), None),
        (compare("session.ends", ">", Now()), (("session.ends", AT + 1),)),
        (all_of(compare("session.ends", ">", Now()), is_("session.ends", AT, "<")), None),
        (
            all_of(compare("session.starts", ">", Now()), compare("session.ends", ">", OtherAttribute(attribute="session.starts"))),
            (("session.ends", AT + 2), ("session.starts", AT + 1)),
        ),
        (is_("user.country", "US"), (("user.country", "US"),)),
        (all_of(is_("user.country", "US"), is_("user.country", "US-CA", "!=")), (("user.country", "US"),)),
        (all_of(is_("user.country", "US-CA"), is_("user.country", "US", "!=")), None),
        (all_of(is_("user.country", "US", "!="), is_("user.country", "CA", "!=")), (("user.country", "XA"),)),
        (
            all_of(compare("user.country", "!=", OtherAttribute(attribute="session.country")), is_("session.country", "US")),
            (("session.country", "US"), ("user.country", "XA")),
        ),
    ],
)
def test_every_type_of_attribute(guard: Any, attributes: tuple[tuple[str, Any], ...] | None) -> None:
    """The least witness there is, or a proof that there is none."""
    clearance = attribute("user.clearance", HEALTH.model_copy(update={"values": ("low", "high"), "ordered": True}))
    kinds = (AGE, RISK, ENDS, STARTS, HOME, STAY, clearance)
    verdict = judge(*BASE, *kinds, allow("segment:a", "service:s", when=guard), never("segment:a", "service:s"))
    if attributes is None:
        assert verdict.verdict == "proved", verdict.reason
    else:
        assert flow_of(verdict).principal == Host(attributes=attributes)


def test_only_those_named_reach() -> None:
    parts = (*BASE, segment("c"), role("r", "a"), allow("role:r", "service:s"))
    assert judge(*parts, only("role:r", "segment:b")).verdict == "proved"
    assert judge(*parts, only("segment:a", "segment:b")).verdict == "proved"
    assert flow_of(judge(*parts, only("segment:c", "segment:b"))).principal == Person(roles=("r",))
    leak = judge(*parts, allow("segment:c", "segment:b", on="udp/1"), only("role:r", "segment:b"))
    assert flow_of(leak).source.name == "c"
    assert leak.reason.startswith("not only `r` can reach `b`")


def test_one_who_is_named_may_hold_other_roles_too_but_others_alone_may_not() -> None:
    parts = (*BASE, role("q", "a"), role("r", "a"), allow(["role:r", "role:q"], "service:s"))
    assert flow_of(judge(*parts, only("role:r", "service:s"))).principal == Person(roles=("q",))
    assert judge(*parts, only(["role:r", "role:q"], "service:s")).verdict == "proved"


def test_inbound_externals_and_neighbours_of_a_service_count_as_outside() -> None:
    inbound = judge(*BASE, external("net"), allow("external:net", "service:s"), only("segment:a", "service:s"))
    assert flow_of(inbound).source.kind == "external"
    neighbour = (*BASE, allow("segment:b", "service:s"))
    assert judge(*neighbour, only("segment:a", "service:s")).verdict == "refuted"
    assert judge(*neighbour, only("segment:a", "segment:b")).verdict == "proved"


@pytest.mark.parametrize("claim", [never, only])
def test_a_segment_that_only_observes_carries_no_proof(claim: Callable[..., Any]) -> None:
    verdict = judge(segment("a"), segment("b", observe=True), claim("segment:a", "segment:b"))
    assert verdict.verdict == "unsupported"
    assert "`b` only observes" in verdict.reason


def test_what_the_second_solver_does_not_confirm_in_its_budget_is_unknown() -> None:
    """A refutation is a flow that was replayed and needs no solver; a proof over guards needs both engines."""
    never_healthy = (allow("segment:a", "service:s", when=HEALTHY), deny("segment:a", "service:s", when=HEALTHY))
    (verdict,) = verify(network(*BASE, *never_healthy, never("segment:a", "service:s")), rlimit=1)
    assert verdict.verdict == "unknown"
    assert "did not confirm" in verdict.reason
    assert verdict.witness.hops == ()
    (verdict,) = verify(network(*BASE, never_healthy[0], never("segment:a", "service:s")), rlimit=1)
    assert verdict.verdict == "refuted"


def test_what_the_reference_cannot_decide_in_its_budget_is_unknown() -> None:
    given = network(*BASE, allow("segment:a", "service:s", when=HEALTHY), never("segment:a", "service:s"))
    (verdict,) = reference.verify(given, rlimit=1)
    assert verdict.verdict == "unknown"
    assert "the solver gave up" in verdict.reason
    assert verdict.witness.hops == ()


def test_verdicts_come_in_the_order_of_the_sources_and_are_announced() -> None:
    first, second = never("segment:a", "segment:b"), never("segment:b", "segment:a")
    seen: list[tuple[int, int, str]] = []
    verdicts = verify(network(*BASE, second, first), lambda *news: seen.append(news))
    assert [each.origin for each in verdicts] == [first.origin, second.origin]
    assert seen == [(0, 2, first.statement), (1, 2, second.statement)]
