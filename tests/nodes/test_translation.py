"""What may leave in IPv4 is what some permit or arrival of the node lets be translated: address by address, port by port."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from tests.nodes import networks as n
from ztosc.ir.flow import Place
from ztosc.ir.intent import External
from ztosc.ir.network import Network
from ztosc.ir.spaces import TRANSLATED
from ztosc.logic import addresses, intervals, ports
from ztosc.nodes import NodeSpec, project
from ztosc.nodes.spec import intervals_of
from ztosc.nodes.translation import extracted, in_ipv4
from ztosc.verify.addresses import NOWHERE, AddressBook

PREFIX = "64:ff9b::/96"
EDGES = ("0.0.0.0", "9.255.255.255", "10.0.0.0", "192.0.2.1", "198.51.100.7", "255.255.255.255", "100.126.255.255", "100.127.0.0")
WAYS = [(6, 80), (6, 443), (6, 444), (17, 443), (17, 80), (1, 8), (1, 0), (47, 0)]


def network() -> Network:
    intent = n.hospital_intent()
    more = (
        n.rule(20, "allow", "segment:guest", "external:internet", ((58, 58, 128, 128),)),
        n.rule(21, "allow", "segment:staff", "external:partner", n.tcp(444)),
        n.rule(22, "allow", "segment:ehr", "external:partner", n.tcp(445)),
    )
    partner = n.named(External, "partner", reach=("198.51.100.0/24", "2001:db8:5::/48"))
    return n.number(intent.model_copy(update={"rules": (*intent.rules, *more), "externals": (*intent.externals, partner)}))


NETWORK = network()
SPECS = {each.node: each for each in project(NETWORK)}


def leaves(spec: NodeSpec, address: str, protocol: int, port: int) -> bool:
    assert spec.translator is not None
    number = addresses.value(address)
    return any(
        intervals.contains(intervals_of(each.destinations), number) and ports.contains(each.ports, protocol, port)
        for each in spec.translator.leaving
    )


def asked_for(spec: NodeSpec, address: str, protocol: int, port: int) -> bool:
    """The same question to what is said of IPv6, which has its own ping and no other message of ICMP."""
    if protocol in (1, 58) and (protocol, port) != (1, 8):
        return False
    embedded = int(ipaddress.IPv6Network(NETWORK.nat64_prefix)[int(ipaddress.IPv4Address(address))])
    way = (58, 128) if protocol == 1 else (protocol, port)
    return any(
        intervals.contains(intervals_of(each.destinations), embedded) and ports.contains(each.ports, *way)
        for each in [*(permit for permit in spec.permits if permit.interface), *spec.inbound]
    )


def test_only_a_node_that_serves_it_translates() -> None:
    assert [name for name, spec in SPECS.items() if spec.translator] == ["branch-1"]


def test_what_leaves_is_what_was_granted() -> None:
    spec = SPECS["branch-1"]
    found = {(each, *way): leaves(spec, each, *way) for each in EDGES for way in WAYS}
    assert found == {(each, *way): asked_for(spec, each, *way) for each in EDGES for way in WAYS}
    assert [way for way in WAYS if found["192.0.2.1", *way]] == [(6, 80), (6, 443), (17, 443), (1, 8)], "guests, from here"
    assert found["198.51.100.7", 6, 444] and not found["198.51.100.7", 6, 80], "staff, from another node too"


@given(st.integers(0, 2**32 - 1), st.integers(0, 255), st.integers(0, 65535))
def test_at_any_address(address: int, protocol: int, port: int) -> None:
    text = str(ipaddress.IPv4Address(address))
    assert leaves(SPECS["branch-1"], text, protocol, port) is asked_for(SPECS["branch-1"], text, protocol, port)


def test_ping_changes_its_name_and_what_one_family_has_alone_stays() -> None:
    assert in_ipv4(ports.ANY) == ports.union(((0, 0, 0, 65535),), ((1, 1, 8, 8),), ((2, 57, 0, 65535),), ((59, 255, 0, 65535),))
    assert in_ipv4(((58, 58, 129, 65535),)) == ()


def test_addresses_are_taken_out_of_the_prefix() -> None:
    given_ = intervals.normalize([(addresses.value("64:ff9b::c000:201"),) * 2, (addresses.value("2001:db8::1"),) * 2])
    assert extracted(given_, PREFIX) == ((addresses.value("192.0.2.1"),) * 2,)


def test_what_hosts_are_called_behind_it_is_nobodys() -> None:
    """However exactly an external is written; where nobody translates, it is an external's like any other."""
    inside = ipaddress.ip_network(TRANSLATED)[77]
    narrow = n.named(External, "odd", reach=(str(ipaddress.ip_network(f"{inside}/32")),))
    for serves in (True, False):
        intent = n.hospital_intent()
        nodes = tuple(each if serves else each.model_copy(update={"serves": ("gateway",)}) for each in intent.nodes)
        given_ = n.number(intent.model_copy(update={"externals": (narrow,), "rules": intent.rules[:4], "nodes": nodes}))
        place = AddressBook(given_).place(inside)
        assert place == (NOWHERE if serves else Place(kind="external", name="odd"))
