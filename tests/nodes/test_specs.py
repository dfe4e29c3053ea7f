"""What a spec holds and what it leaves out: reach of externals, ids of conditions, least knowledge, records."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from tests.nodes import networks as n
from tests.nodes.small import base
from ztosc.ir.base import canonical
from ztosc.ir.intent import External
from ztosc.ir.network import Network
from ztosc.ir.values import Validity
from ztosc.logic import addresses, intervals, ports, regions
from ztosc.nodes import NodeSpec, project
from ztosc.nodes.reach import as_ipv6, externals, outlines, overlay, underlay
from ztosc.nodes.spec import intervals_of

BOX = st.tuples(*(st.tuples(st.integers(0, 5), st.integers(0, 5)).map(lambda pair: (min(pair), max(pair))) for _ in range(3)))


def spec(network: Network, node: str) -> NodeSpec:
    return next(each for each in project(network) if each.node == node)


def reaches(network: Network, external: str, address: str) -> bool:
    found = as_ipv6(externals(network)[external], network.nat64_prefix)
    return intervals.contains(found, addresses.value(address))


def embedded(network: Network, address: str) -> str:
    return str(ipaddress.IPv6Network(network.nat64_prefix)[int(ipaddress.IPv4Address(address))])


@given(st.lists(BOX, max_size=6))
def test_regions_hold_the_same_points(boxes: list[regions.Box]) -> None:
    found = regions.normalize(boxes)
    points = [(x, y, z) for x in range(6) for y in range(6) for z in range(6)]

    def within(point: tuple[int, ...], parts: object) -> int:
        return sum(all(low <= at <= high for at, (low, high) in zip(point, box, strict=True)) for box in parts)  # type: ignore[attr-defined]

    assert [within(point, found) for point in points] == [min(1, within(point, boxes)) for point in points]
    assert regions.normalize(found) == found
    assert regions.disjoint(boxes) == all(within(point, boxes) <= 1 for point in points)


def test_an_external_is_what_is_left_over() -> None:
    network = n.number(base(()))
    refused = ("fd3c:91a2:77e0::1", "2001:db8:11::1", "fe80::1", "ff02::1", "::1", "::", "fd00::1", "64:ff9b::808:808", "2001:db8:77::1")
    translated = ("10.1.2.3", "192.168.0.1", "127.0.0.1", "169.254.1.1", "224.0.0.1", "100.64.0.1", "255.255.255.255")
    assert not [each for each in refused if reaches(network, "net", each)]
    assert not [each for each in translated if reaches(network, "net", embedded(network, each))]
    assert reaches(network, "net", "2600::1") and reaches(network, "net", embedded(network, "192.0.2.1"))
    assert reaches(network, "lab", "2001:db8:77::1") and not reaches(network, "lab", "2600::1")


def test_private_ranges_where_written_and_never_mapped_ones() -> None:
    reach = ("10.1.0.0/16", "fd77::/32", "::ffff:0:0/96")
    intent = base(()).model_copy(update={"externals": (n.named(External, "old", reach=reach),)})
    network = n.number(intent)
    assert reaches(network, "old", embedded(network, "10.1.2.3")) and reaches(network, "old", "fd77::1")
    assert not reaches(network, "old", embedded(network, "10.2.0.1")) and not reaches(network, "old", embedded(network, "8.8.8.8"))


def test_an_outline_is_the_external_and_underlay_addresses_alone() -> None:
    network = n.number(base(()))
    for name, outline in outlines(network, overlay(network)).items():
        more = intervals.subtract(outline, externals(network)[name])
        assert more == intervals.intersect(underlay(network), outline), name
    assert intervals.contains(outlines(network, overlay(network))["net"], addresses.value("2001:db8:11::1"))


def test_an_external_of_underlay_addresses_alone_is_nothing() -> None:
    intent = base(())
    nodes = (intent.nodes[0].model_copy(update={"underlay": "192.0.2.1"}), *intent.nodes[1:])
    reach = ("192.0.2.1/32", f"{nodes[1].underlay}/128", "2600::1/128")
    intent = intent.model_copy(update={"nodes": nodes, "externals": (n.named(External, "odd", reach=reach),)})
    left = intervals.union(addresses.of_prefix("2600::1/128"), addresses.of_prefix(f"{nodes[1].underlay}/128"))
    network = n.number(intent)
    assert outlines(network, overlay(network))["odd"] == left and externals(network)["odd"] == addresses.of_prefix("2600::1/128")


def test_a_rule_more_changes_no_other_condition() -> None:
    before = project(n.hospital())
    intent = n.hospital_intent()
    more = n.rule(1, "allow", "role:auditor", "segment:infusion", n.tcp(514))
    after = project(n.number(intent.model_copy(update={"rules": (more, *intent.rules)})))
    kept = {condition.id for each in before for condition in each.conditions}
    assert kept < {condition.id for each in after for condition in each.conditions}


def test_a_moved_line_changes_no_meaning() -> None:
    intent = n.hospital_intent()
    moved = tuple(each.model_copy(update={"origin": n.here(99)}) for each in reversed(intent.rules))
    before, after = project(n.hospital()), project(n.number(intent.model_copy(update={"rules": moved})))
    assert [canonical(each) for each in before] == [canonical(each) for each in after]


def test_a_grant_that_is_over_leaves_nothing() -> None:
    over = n.rule(1, "allow", "segment:any", "segment:drop", ports.ANY, validity=Validity(not_after=n.AT))
    assert [canonical(each) for each in project(n.number(base((over,))))] == [canonical(each) for each in project(n.number(base(())))]


def test_a_grant_that_has_begun_asks_for_nothing() -> None:
    begun = n.rule(1, "allow", "segment:any", "segment:drop", n.tcp(1), validity=Validity(not_before=n.AT))
    permit = next(each for each in spec(n.number(base((begun,))), "accept").permits if each.to.name == "drop")
    assert permit.condition is None and permit.origins == (n.here(1),)


def test_a_node_knows_only_what_lives_on_it() -> None:
    found = spec(n.hospital(), "dr-1")
    assert (found.segments, found.permits, found.inbound, found.conditions, found.resolver) == ((), (), (), (), None)
    infusion = n.hospital().segments[2].places[0].prefix
    assert "biomed" not in canonical(spec(n.hospital(), "edge-2")).decode() and infusion not in canonical(found).decode()


def test_endpoints_are_cut_out_only_where_they_differ() -> None:
    both = n.rule(1, "allow", "segment:drop", "segment:any", n.tcp(22))
    only = n.rule(2, "allow", "segment:drop", "service:ip")
    network = n.number(base((both, only)))
    found = sorted((each for each in spec(network, "queue").permits if each.to.name == "any"), key=lambda each: len(each.ports))
    rest, web = (intervals_of(each.destinations) for each in found)
    assert [each.ports for each in found] == [n.tcp(22), (*n.tcp(22), *n.tcp(443))]
    assert web == intervals.normalize((addresses.value(each.address),) * 2 for each in network.endpoints if each.service == "ip")
    assert intervals.union(rest, web) == addresses.of_prefix(network.segments[0].places[0].prefix)
    same = n.number(base((n.rule(1, "allow", "segment:drop", "segment:any", n.tcp(22)),)))
    assert [len(each.destinations) for each in spec(same, "queue").permits if each.to.name == "any"] == [1]


def test_permits_of_one_source_never_overlap() -> None:
    for each in (*project(n.hospital()), *project(n.number(base((n.rule(1, "allow", "segments:*", "external:net", ports.ANY),))))):
        boxes = [
            ((hash(permit.interface), hash(permit.interface)), part, (low, high), (first, last))
            for permit in each.permits
            if permit.interface
            for part in intervals_of(permit.destinations)
            for low, high, first, last in permit.ports
        ]
        assert regions.disjoint(boxes)


def test_nobody_else_sits_behind_a_port() -> None:
    found = next(each for each in spec(n.hospital(), "edge-1").segments if each.segment == "ehr")
    elsewhere = next(each.address for each in n.hospital().endpoints if each.node == "edge-2")
    hosts = intervals_of(found.hosts)
    assert not intervals.contains(hosts, addresses.value(elsewhere)) and not intervals.contains(hosts, addresses.value(found.gateway))


def test_records_of_the_hospital() -> None:
    resolver = spec(n.hospital(), "edge-1").resolver
    assert resolver is not None and resolver.dns64 == n.hospital().nat64_prefix
    found = {(each.name, each.type): each.value for zone in resolver.zones for each in zone.records}
    assert found[("_ehr._tcp.mercy.example.", "SRV")] == "0 0 443 ehr.mercy.example."
    assert found[("1.ehr.mercy.example.", "AAAA")] == n.hospital().endpoints[1].address
    assert found[(f"{ipaddress.ip_address(n.hospital().endpoints[1].address).reverse_pointer}.", "PTR")] == "1.ehr.mercy.example."
    assert found[("edge-2.campus.mercy.example.", "AAAA")] == n.hospital().nodes[3].loopbacks[0].address
    assert resolver.recursion == (n.hospital().segments[1].places[0].prefix,)
    assert all(zone.records[0].type == "SOA" for zone in resolver.zones)
