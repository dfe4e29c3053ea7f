"""`test` blocks through `decide`: ports, ends, and what is expected of a whole segment."""

from __future__ import annotations

from typing import Any

import pytest

from tests.verify.networks import (
    AT,
    DAY,
    allow,
    attribute,
    deny,
    external,
    here,
    is_,
    network,
    ref,
    refs,
    role,
    segment,
    separate,
    service,
)
from ztosc.ir.assertions import Expectation, Given, Test
from ztosc.ir.flow import DevicePrincipal, Host, Person, ServiceEndpoint
from ztosc.ir.values import BoolType, Validity
from ztosc.verify import TestResult, run_tests
from ztosc.verify.literals import port_set
from ztosc.verify.tests_block import principal

BASE = (segment("a", admits=("pump",)), segment("b", carries=("phi",)), service("s", "b", "tcp/443, tcp/8443"), external("net"))
WITH_MFA = (("user.mfa", True),)


def block(effect: str, target: str, on: str | None = None, who: Any = "segment:a", source: str = "segment:a", **more: Any) -> Test:
    """A test with one expectation."""
    given = Given(subjects=refs(who), source=ref(source), **more)
    expected = {"effect": effect, "target": ref(target), "ports": port_set(on) if on else None, "origin": here(91)}
    return Test(name="t", given=given, expects=(Expectation.model_validate(expected),), origin=here(90))


def run(*parts: Any) -> TestResult:
    """The one result."""
    (result,) = run_tests(network(*BASE, *parts))
    return result


def test_a_service_means_all_it_listens_on() -> None:
    assert run(allow("segment:a", "service:s"), block("allow", "service:s")).passed
    half = run(allow("segment:a", "service:s", on="tcp/443"), block("allow", "service:s"))
    assert "gets deny on tcp/8443 to `s` in `b`: nothing allows it" in half.failures[0].reason
    assert half.failures[0].origin == here(91)


def test_every_cell_of_the_ports_is_asked() -> None:
    grant = allow("segment:a", "segment:b", on="tcp/20-30")
    assert run(grant, block("allow", "segment:b", "tcp/20-30")).passed
    assert not run(grant, deny("segment:a", "segment:b", on="tcp/25"), block("allow", "segment:b", "tcp/20-30")).passed
    assert not run(grant, block("deny", "segment:b", "tcp/30-40")).passed
    assert run(grant, block("deny", "segment:b", "tcp/31-40, udp/20")).passed


def test_a_segment_without_ports_means_any_port_at_all() -> None:
    grant = allow("segment:a", "segment:b", on="udp/5000")
    assert run(grant, block("allow", "segment:b")).passed
    assert run(grant, block("deny", "segment:b")).failures[0].reason.endswith(f"an allow in force matches (net.ztos:{grant.origin.line})")
    assert run(block("deny", "segment:b")).passed
    assert run(block("allow", "segment:b")).failures[0].reason == "expected allow to `b` on some port, but every port is denied"


def test_a_segment_stands_for_its_services_too() -> None:
    assert not run(allow("segment:a", "service:s"), block("deny", "segment:b")).passed
    assert not run(allow("segment:a", "service:s"), block("deny", "label:phi", "tcp/443")).passed


def test_given_facts_and_moments_count() -> None:
    grant = allow("role:r", "service:s", when=is_("user.mfa", True), valid=Validity(not_before=AT + DAY))
    parts = (attribute("user.mfa", BoolType()), role("r", "a"), grant)
    assert run(*parts, block("allow", "service:s", who="role:r", attributes=WITH_MFA, instant=AT + DAY)).passed
    assert run(*parts, block("deny", "service:s", who="role:r", attributes=WITH_MFA)).passed, "absent: the compiler's clock"
    assert run(*parts, block("deny", "service:s", who="role:r", instant=AT + DAY)).passed, "an absent attribute"


def test_roles_are_held_together() -> None:
    parts = (role("p", "a"), role("q", "a"), allow("role:p", "service:s"), separate("p", "q"))
    assert run(*parts, block("allow", "service:s", who="role:p")).passed
    assert run(*parts, block("deny", "service:s", who=["role:p", "role:q"])).passed


def test_an_expectation_that_stands_for_nothing_fails() -> None:
    assert "stands for nothing" in run(block("deny", "label:unused")).failures[0].reason


def test_an_external_may_act() -> None:
    assert run(allow("external:net", "service:s"), block("allow", "service:s", who="external:net", source="external:net")).passed


@pytest.mark.parametrize(
    ("who", "found"),
    [
        (["role:p", "role:q"], Person(roles=("p", "q"))),
        ("device:pump", DevicePrincipal(device="pump")),
        ("service:s", ServiceEndpoint(service="s")),
        ("segment:a", Host()),
    ],
)
def test_who_acts(who: Any, found: Any) -> None:
    assert principal(Given(subjects=refs(who), source=ref("segment:a"))) == found
