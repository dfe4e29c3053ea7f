"""Interfaces of a node: names, sizes, walls, what is said about ports that cannot be, and that an unrelated node changes nothing."""

from __future__ import annotations

import ipaddress
import json
import re
import time
from dataclasses import replace
from typing import Any

import pytest

from tests import support
from tests.backends.cases import CASES
from tests.bench.fabric import fabric
from tests.nodes import networks as n
from ztosc.backends import BackendFault, ReadFault
from ztosc.backends.interfaces import BACKEND
from ztosc.backends.interfaces.model import Interface, Interfaces
from ztosc.ir.intent import Attachment, Intent
from ztosc.nodes import NodeSpec, project
from ztosc.runner.wanted import parse

HOSTILE = ("a\nb", 'a"', "a}", "a;b", "a,b", "a\0b", "x" * 300, "", "..", "-x", "a/b", "a b", "é")


def lowered(intent: Intent | None = None) -> dict[str, Interfaces]:
    network = n.hospital() if intent is None else n.number(intent)
    return {spec.node: BACKEND.lower(spec) for spec in project(network)}


def of(model: Interfaces, kind: str) -> list[Interface]:
    return [each for each in model.interfaces if each.kind == kind]


def spec_of(name: str = "edge-1") -> NodeSpec:
    return next(spec for spec in project(n.hospital()) if spec.node == name)


def with_ports(spec: NodeSpec, *ports: Attachment) -> NodeSpec:
    first, *rest = spec.segments
    bare = [each.model_copy(update={"attachments": ()}) for each in rest]
    return spec.model_copy(update={"segments": (first.model_copy(update={"attachments": ports}), *bare)})


def port(name: str, vlan: int | None = None) -> Attachment:
    return Attachment(port=name, vlan=vlan, segment="ehr", origin=n.here(9))


@pytest.mark.parametrize("case", CASES)
def test_the_runner_takes_what_is_rendered(case: str) -> None:
    for spec in project(CASES[case]()):
        model = BACKEND.lower(spec)
        wanted = parse(BACKEND.render(model)[0].content)
        assert [each.name for each in wanted.interfaces] == [each.name for each in model.interfaces]
        assert all(len(each.name) <= 15 and each.name.startswith("z") for each in model.interfaces)


def test_names_from_the_lock_are_short_and_prefixed() -> None:
    network = support.hospital().network
    assert network is not None
    names = [each.name for spec in project(network) for each in BACKEND.lower(spec).interfaces]
    assert names and all(re.fullmatch(r"z[dmpsvwx][0-9]{1,7}", name) for name in names)


def test_sizes_follow_the_path() -> None:
    """One MACsec link in a domain takes its 32 bytes from every packet of the domain, and from nothing else."""
    without = n.hospital_intent().model_copy(update={"links": (n.link("branch-1", "edge-1"), n.link("dr-1", "edge-1"))})
    for intent, domain in ((n.hospital_intent(), 1338), (without, 1370)):
        for model in lowered(intent).values():
            assert {each.mtu for each in (*of(model, "vxlan"), *of(model, "bridge"))} == {domain}
    edge = lowered()["edge-1"]
    assert sorted(each.mtu or 0 for each in of(edge, "wireguard")) == [1388, 1420, 1420]
    assert [each.mtu for each in of(edge, "macsec")] == [1468]


def test_a_segment_has_a_vxlan_where_several_nodes_of_a_site_hold_it_and_it_is_isolated() -> None:
    models = lowered()
    purposes = {node: {each.purpose for each in of(model, "vxlan")} for node, model in models.items()}
    assert purposes["edge-1"] == purposes["edge-2"] == {"domain general", "segment ehr"}
    assert purposes["branch-1"] == purposes["dr-1"] == {"domain general"}
    assert all(each.isolated for model in models.values() for each in of(model, "vxlan") if each.purpose.startswith("segment"))


def test_gateways_are_alike_on_every_node_and_routers_are_not() -> None:
    one, other = ({each.name: each for each in of(lowered()[node], "bridge")} for node in ("edge-1", "edge-2"))
    shared = {name for name in one.keys() & other.keys() if one[name].purpose.startswith("segment")}
    assert shared and all(one[name] == other[name] for name in shared)
    assert one["zt-d0"].mac != other["zt-d0"].mac


def test_both_ends_of_a_link_fit() -> None:
    ends = {node: {each.name: each for each in model.interfaces} for node, model in lowered().items()}
    for link in ("zt-w0", "zt-w3"):
        sides = [each[link] for each in ends.values() if link in each]
        assert len(sides) == 2 and sides[0].mtu == sides[1].mtu
        assert len({ipaddress.ip_interface(side.addresses[0]).network for side in sides}) == 1
        assert len({address for side in sides for address in side.addresses}) == 4
    routes = {node: [each for each in model.routes if each.via] for node, model in lowered().items()}
    (one,), (other,) = routes["edge-1"], routes["edge-2"]
    macsec = {node: of(lowered()[node], "macsec")[0] for node in ("edge-1", "edge-2")}
    assert f"{one.via}/64" in macsec["edge-2"].addresses and f"{other.via}/64" in macsec["edge-1"].addresses
    assert one.prefix == f"{other.source}/128" and other.prefix == f"{one.source}/128"


def test_walls_stand_behind_every_way_out() -> None:
    for model in lowered().values():
        walls = {(each.table, each.prefix) for each in model.routes if each.type in ("blackhole", "unreachable")}
        for vrf in of(model, "vrf"):
            assert {(vrf.table, "::/0"), (vrf.table, "0.0.0.0/0")} <= walls
        for each in model.routes:
            assert each.type != "unicast" or any(table == each.table and _covers(wall, each.prefix) for table, wall in walls)
        assert (None, "10.192.0.0/16") in walls


def test_a_host_of_a_shared_segment_has_a_route_on_its_node_alone() -> None:
    network = n.hospital()
    l3vni = network.domains[0].l3vni
    ehr = next(plan.interface for plan in network.segments if plan.segment == "ehr")
    found = {
        node: {
            (each.prefix, each.dev, each.table) for each in model.routes if each.type == "unicast" and not each.via and each.table == l3vni
        }
        for node, model in lowered().items()
    }
    placed = {node: {(f"{each.address}/128", ehr, l3vni) for each in network.endpoints if each.node == node} for node in found}
    assert found == placed and len(placed["edge-1"]) == 2 and len(placed["edge-2"]) == 1
    alone = n.hospital_intent().model_copy(
        update={"nodes": tuple(each for each in n.hospital_intent().nodes if each.name != "edge-2"), "links": n.hospital_intent().links[:1]}
    )
    assert not [
        each
        for model in lowered(alone).values()
        for each in model.routes
        if each.type == "unicast" and not each.via and each.table == l3vni
    ]


def _covers(wall: str, prefix: str) -> bool:
    inner, outer = ipaddress.ip_network(prefix), ipaddress.ip_network(wall)
    return inner.version == outer.version and int(outer[0]) <= int(inner[0]) and int(inner[-1]) <= int(outer[-1])


def _specs(text: str) -> dict[str, NodeSpec]:
    return {spec.node: spec for spec in project(support.network(text))}


def _routes(model: Interfaces, kind: str) -> set[tuple[int | None, str, str | None]]:
    return {(each.table, each.prefix, each.dev) for each in model.routes if each.type == kind and each.via is None}


OUT = """
external clinic { reach 2001:db8:77::/48 }
external inner { reach fd00:77:0:1::/64 }
"""


def test_only_who_exchanges_flows_with_an_external_has_a_way_out_of_its_domain() -> None:
    """What is thrown is what is written, and only that; the overlay stays behind a wall."""
    ways = {
        "": set(),
        "deny desks to internet on tcp/80": set(),
        "allow desks to internet on tcp/443": {"::/0"},
        "allow desks to clinic on tcp/443": {"2001:db8:77::/48"},
        "allow clinic to web": {"2001:db8:77::/48"},
        "allow desks to inner on tcp/443": set(),
    }
    for rule, wanted in ways.items():
        spec = _specs(OUT + rule)["g"]
        model, table = BACKEND.lower(spec), spec.transits[0].l3vni
        assert _routes(model, "throw") == {(table, prefix, None) for prefix in wanted}, rule
        back = {(None, each.prefix, each.interface) for each in spec.segments if each.segment == ("vault" if "web" in rule else "desks")}
        assert {each for each in _routes(model, "unicast") if each[0] is None} == (back if wanted else set()), rule
        overlay = {(table, prefix, None) for prefix in ("fd00:77::/48", "64:ff9b::/96")}
        assert (overlay <= _routes(model, "unreachable")) == bool(wanted), rule
        assert ((None, "fd00:77::/48", None) in _routes(model, "blackhole")) == bool(wanted), rule


def test_answers_of_system_services_find_into_every_domain_and_nowhere_else() -> None:
    network = support.hospital().network
    assert network is not None
    for spec in project(network):
        model = BACKEND.lower(spec)
        addresses = {f"{each.address}/128" for each in spec.systems}
        assert {(each.source, each.table) for each in model.rules if each.source} == {(address, 31348) for address in addresses}
        found = {each for each in _routes(model, "unicast") if each[0] == 31348}
        assert bool(found) == bool(addresses) == ((31348, "::/0", None) in _routes(model, "unreachable"))
        assert (
            bool(addresses) == (model.sysctls.get("ipv4/udp_l3mdev_accept") == "1") == (model.sysctls.get("ipv4/tcp_l3mdev_accept") == "1")
        )
        if addresses:
            assert {(31348, each.prefix, f"zv{spec.transits[0].l3vni}") for each in spec.segments} <= found


def test_a_vlan_has_an_interface_of_its_own_and_the_port_stays_free() -> None:
    model = BACKEND.lower(with_ports(spec_of(), port("enp130s0f1np1", 4094), port("eth9", 5), port("eth9")))
    assert {(each.parent, each.vlan, each.isolated) for each in of(model, "vlan")} == {("enp130s0f1np1", 4094, True), ("eth9", 5, True)}
    assert max(len(each.name) for each in of(model, "vlan")) == 15
    assert {each.name: each.master for each in model.ports} == {"enp130s0f1np1": None, "eth9": "zt-s0"}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_port_that_cannot_be_is_an_error_where_it_is_attached(name: str) -> None:
    intent = n.hospital_intent()
    node = intent.nodes[0].model_copy(update={"attachments": (port(name),)})
    found = BACKEND.unsupported(n.number(intent.model_copy(update={"nodes": (node, *intent.nodes[1:])})))
    assert [(each.code, each.span) for each in found] == [("ZT603", n.here(9))]
    assert found[0].message.isprintable() and "branch-1" in found[0].message
    with pytest.raises(BackendFault):
        BACKEND.lower(with_ports(spec_of(), port(name)))


@pytest.mark.parametrize("name", ["zs10001", "zd1", "zp30-00000000", "lo", "all", "default"])
def test_a_port_called_like_ours_is_an_error(name: str) -> None:
    intent = n.hospital_intent()
    node = intent.nodes[0].model_copy(update={"attachments": (port(name),)})
    found = BACKEND.unsupported(n.number(intent.model_copy(update={"nodes": (node, *intent.nodes[1:])})))
    assert [each.span for each in found] == [n.here(9)]


def test_what_a_segment_asks_in_vain_is_an_error_at_the_segment() -> None:
    intent = n.hospital_intent()
    odd = intent.segments[0].model_copy(update={"stretched": True, "ipv4": "10.0.0.0/24", "access_tunnel": True, "origin": n.here(77)})
    found = BACKEND.unsupported(n.number(intent.model_copy(update={"segments": (odd, *intent.segments[1:])})))
    assert [(each.code, each.span) for each in found] == [("ZT603", n.here(77))] * 3
    assert BACKEND.unsupported(n.hospital()) == ()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_reach_no_command(name: str) -> None:
    """Names that no source can hold, in every place from which a text reaches the file."""
    spec = spec_of()
    odd = spec.model_copy(
        update={
            "node": name,
            "segments": tuple(each.model_copy(update={"segment": name}) for each in spec.segments),
            "tunnels": tuple(each.model_copy(update={"link": name}) for each in spec.tunnels),
        }
    )
    artifact = BACKEND.render(BACKEND.lower(odd))[0]
    assert BACKEND.read([artifact]) == BACKEND.lower(odd)
    assert all(line.isprintable() for line in artifact.content.decode("ascii").splitlines())
    for each in parse(artifact.content).interfaces:
        assert re.fullmatch(r"[A-Za-z0-9 ,._-]{1,200}", each.purpose)
    with pytest.raises(BackendFault):
        BACKEND.lower(spec.model_copy(update={"segments": (spec.segments[0].model_copy(update={"interface": name}),)}))


CHANGES: dict[str, tuple[str, Any]] = {
    "another size": ("mtu", 1500),
    "not isolated": ("isolated", False),
    "another master": ("master", "zt-s1"),
    "another number": ("vni", 7),
}


@pytest.mark.parametrize("what", CHANGES)
def test_every_change_is_read_back(what: str) -> None:
    """The values of a VXLAN changed in the file: the model that is read is another."""
    model = BACKEND.lower(spec_of())
    artifact = BACKEND.render(model)[0]
    key, value = CHANGES[what]
    lines = artifact.content.decode().splitlines()
    index = next(number for number, line in enumerate(lines) if '"purpose": "segment ehr"' in line and "vxlan" in line)
    record = json.loads(lines[index].rstrip(","))
    assert record[key] != value
    lines[index] = json.dumps({**record, key: value}, sort_keys=True) + ("," if lines[index].endswith(",") else "")
    assert BACKEND.read([replace(artifact, content=("\n".join(lines) + "\n").encode())]) != model


@pytest.mark.parametrize("text", ['"mtu": "1338"', '"mtu": 1338, "mtu": 1338', '"mtu": 1338, "hook": "x"', '"mtu":1338'])
def test_a_record_that_is_no_record_is_refused_with_its_line(text: str) -> None:
    artifact = BACKEND.render(BACKEND.lower(spec_of()))[0]
    content = artifact.content.decode().replace('"mtu": 1338', text, 1)
    with pytest.raises(ReadFault) as refused:
        BACKEND.read([replace(artifact, content=content.encode())])
    assert refused.value.line == (1 if '1338, "mtu"' in text else content[: content.index(text)].count("\n") + 1)


def test_an_unrelated_node_changes_no_file() -> None:
    """Of 24 nodes, only the two that are linked to the one that is left out differ."""
    whole, less = (support.network(fabric(24, skip), frame="") for skip in (None, 10))
    before, after = ({spec.node: BACKEND.render(BACKEND.lower(spec)) for spec in project(network)} for network in (less, whole))
    assert set(after) - set(before) == {"n2-2"}
    changed = {node for node, files in before.items() if files != after[node]}
    assert changed == {"n2-1", "n2-3"}


def test_two_hundred_nodes_take_a_fraction_of_a_second() -> None:
    specs = project(support.network(fabric(200), frame=""))
    start = time.process_time()
    size = sum(len(BACKEND.render(BACKEND.lower(spec))[0].content) for spec in specs)
    spent = time.process_time() - start
    assert size > 200_000
    assert spent < 2, f"{spent:.2f} s; on a calm machine it is below 0.3"
