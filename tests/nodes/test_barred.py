"""What denies close by name: nothing passes there, each rule named is a deny that speaks of it, and no deny of everybody is left out."""

from __future__ import annotations

import pytest

from tests import support
from tests.backends.cases import CASES
from ztosc.ir.network import Network
from ztosc.logic import addresses, intervals, ports
from ztosc.nodes import NodeSpec, project
from ztosc.nodes.spec import Barred, intervals_of

DENYING = """
service files on vault { listen tcp/445; replicas 2 }
role guard { from desks }
role nurse { from desks; includes guard }
allow desks to web on tcp/20-30
deny desks to web on tcp/22-23, icmp
deny desks to files
allow staff to files
allow guard to web on tcp/2000-2002
deny guard to web on tcp/2001
deny staff to web on tcp/2002
deny lab to internet on udp/53
allow lab to web on tcp/443
deny lab to web on tcp/443 between 08:00 and 18:00
deny lab to web on tcp/443 until 2026-12-31
allow lab to web on tcp/444
"""


@pytest.mark.parametrize("case", ["managed", "observing", "hospital", "crossing"])
def test_what_is_closed_is_nowhere_granted_and_closed_once(case: str) -> None:
    network = CASES[case]()
    for spec in project(network):
        apart(spec)
        denies = {rule.id for rule in network.intent.rules if rule.effect == "deny"}
        assert all(each.rules and set(each.rules) <= denies for each in spec.barred)


def apart(spec: NodeSpec) -> None:
    ways = [(each.interface, intervals_of(each.destinations), each.ports) for each in (*spec.permits, *spec.barred)]
    for index, each in enumerate(spec.barred, start=len(spec.permits)):
        for other, (interface, destinations, boxes) in enumerate(ways):
            if other != index and interface == each.interface and intervals.intersect(destinations, intervals_of(each.destinations)):
                assert not ports.intersect(boxes, each.ports)


def at(network: Network, source: str, service: str, protocol: int, port: int) -> list[Barred]:
    """What closes a port of a service to a segment."""
    (spec,) = project(network)
    apart(spec)
    address = next(addresses.value(each.address) for each in network.endpoints if each.service == service)
    found = [each for each in spec.barred if each.source.name == source and ports.contains(each.ports, protocol, port)]
    return [each for each in found if intervals.contains(intervals_of(each.destinations), address)]


def written(network: Network, rules: tuple[str, ...]) -> set[str]:
    """The lines of the rules, as they stand in the sources."""
    lines = (support.FRAME + DENYING).splitlines()
    return {lines[rule.origin.line - 1] for rule in network.intent.rules if rule.id in rules}


@pytest.mark.parametrize(
    ("source", "service", "protocol", "port", "names"),
    [
        ("desks", "web", 6, 22, {"deny desks to web on tcp/22-23, icmp"}),
        ("desks", "web", 58, 128, {"deny desks to web on tcp/22-23, icmp"}),
        ("desks", "web", 6, 24, set()),
        ("desks", "web", 6, 99, set()),
        ("desks", "files", 6, 445, {"deny desks to files"}),
        ("desks", "files", 6, 7, {"deny desks to files"}),
        ("desks", "web", 6, 2001, {"deny guard to web on tcp/2001"}),
        ("desks", "web", 6, 2002, set()),
        ("lab", "web", 6, 443, set()),
        ("lab", "web", 6, 444, set()),
        ("lab", "web", 17, 53, set()),
    ],
)
def test_the_deny_that_closes_is_named(source: str, service: str, protocol: int, port: int, names: set[str]) -> None:
    """One that needs a session, or a time, closes nothing by itself: that is the condition's business."""
    network = support.network(DENYING)
    found = at(network, source, service, protocol, port)
    assert len(found) == bool(names) and written(network, found[0].rules if found else ()) == names


def test_a_condition_names_the_rules_that_it_comes_from() -> None:
    network = support.network(DENYING)
    (spec,) = project(network)
    (timed,) = [each for each in spec.permits if each.source.name == "lab" and each.ports == ((6, 6, 443, 443),)]
    assert written(network, timed.rules) == {
        "allow lab to web on tcp/443",
        "deny lab to web on tcp/443 between 08:00 and 18:00",
        "deny lab to web on tcp/443 until 2026-12-31",
    }
    (roles,) = [each for each in spec.permits if each.ports == ((6, 6, 2002, 2002),)]
    assert written(network, roles.rules) == {"allow guard to web on tcp/2000-2002", "deny staff to web on tcp/2002"}
    assert all(bool(each.rules) <= bool(each.condition) for each in spec.permits)


def test_a_quarantine_is_named() -> None:
    network = support.network('quarantine lab from 2026-11-01 because "a pump spoke of its own"\n')
    (spec,) = project(network)
    quarantined = {rule.id for rule in network.intent.rules if rule.quarantine}
    assert quarantined and quarantined <= {name for each in spec.barred for name in each.rules}
    assert {each.source.name for each in spec.barred} == {"desks", "lab", "vault"}
