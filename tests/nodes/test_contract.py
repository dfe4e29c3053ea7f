"""The contract for sessions: each condition has one set, and an address stands in it only where its role comes from."""

from __future__ import annotations

import pytest

from tests import support
from tests.backends.cases import CASES
from ztosc.logic import addresses, intervals
from ztosc.nodes import NodeSpec, project
from ztosc.nodes.contract import may_stand
from ztosc.nodes.spec import intervals_of

ROLES = """
role guard { from lab-desks; requires user.mfa; stale 5m }
role chief { from desks; includes staff; stale 1h }
allow staff to web on tcp/22
allow guard to web on tcp/22
allow chief to web on tcp/80 when device.managed { stale 90s }
allow desks to internet on tcp/443 between 08:00 and 18:00
allow internet to web on tcp/443 between 08:00 and 18:00
segment lab-desks { at s; admits people }
"""


def spec(text: str) -> NodeSpec:
    return project(support.network(text))[0]


@pytest.mark.parametrize("case", CASES)
def test_every_condition_has_one_set_and_what_stands_is_behind_its_ports(case: str) -> None:
    for each in project(CASES[case]()):
        assert [one.condition for one in each.contract] == [one.id for one in each.conditions]
        named = {permit.condition for permit in (*each.permits, *each.management)} - {None}
        assert named == {one.condition for one in each.contract}
        for one in each.contract:
            assert (one.holds == "time") is next(known.of_time_alone for known in each.conditions if known.id == one.condition)
            assert all(may_stand(each, one.condition, address) for address in one.standing)
            for admission in one.admissions:
                segment = next((known for known in each.segments if known.interface == admission.interface), None)
                assert segment is None or admission.addresses == segment.hosts


def test_a_role_stands_only_where_it_comes_from_and_for_no_longer_than_its_bound() -> None:
    found = spec(ROLES)
    ports = {each.segment: each for each in found.segments}
    sets = {permit.source.name: permit.condition for permit in found.permits if permit.ports == ((6, 6, 22, 22),)}
    contract = {each.condition: each for each in found.contract}
    assert {name: contract[each or ""].stale for name, each in sets.items()} == {"desks": None, "lab-desks": 300}
    for name, condition in sets.items():
        for other, segment in ports.items():
            low, high = intervals_of(segment.hosts)[-1]
            at = addresses.address_text((low + high) // 2)
            assert may_stand(found, condition or "", at) is (other == name)
    bounded = [
        each.stale
        for each in found.contract
        if any(permit.condition == each.condition and permit.ports == ((6, 6, 80, 80),) for permit in found.permits)
    ]
    assert bounded == [90], "of the rule and the role, the least"


def test_a_time_is_no_address_and_the_outside_no_port() -> None:
    found = spec(ROLES)
    (timed,) = [each for each in found.contract if each.holds == "time"]
    assert [each.interface is None for each in timed.admissions] == [False, True]
    assert not may_stand(found, timed.condition, "2600::1") and not may_stand(found, "c-nothing", "2600::1")
    outside = intervals_of(timed.admissions[1].addresses)
    assert intervals.contains(outside, addresses.value("2600::1")) and not intervals.contains(outside, addresses.value("fd00:77::1"))
