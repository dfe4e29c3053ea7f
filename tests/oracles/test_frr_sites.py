"""Real FRR nodes where one node is not the whole of a segment: two nodes of a site share a prefix and announce their hosts, and
gateways tell hosts where they are."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from tests import support
from tests.oracles import frr_rig as rig
from tests.oracles.test_frr import kernel, prefix, running, stays, vtep, walled
from ztosc.ir.network import Network

NO_NODES = rig.why_not() or rig.why_no_wireguard()
pytestmark = [pytest.mark.netns, pytest.mark.skipif(NO_NODES is not None, reason=f"NOT RUN: {NO_NODES}")]

SITE = """
import std.identity
network n { domain "n.example"
  prefix fd00:77::/48
}
region home { country DE }
site west in home { node w { underlay 2001:db8::1; serves gateway } }
site east in home {
  node e1 { underlay 2001:db8::2; serves gateway, resolver }
  node e2 { underlay 2001:db8::3; serves gateway }
}
link w -- e1
link e1 -- e2 { macsec }
segment desks { at west; admits people }
segment ehr { at east; addressing dhcp }
service web on ehr { listen tcp/443; replicas 2 }
role staff { from desks; requires user.mfa }
allow staff to web
"""
"""`ehr` lives on both nodes of `east`: one /64, a replica behind each."""


def hosts(network: Network) -> dict[str, str]:
    """The replicas' addresses by node."""
    return {each.node: each.address for each in network.endpoints}


def wanted(network: Network, nodes: dict[str, rig.Node]) -> dict[str, dict[str, set[str]]]:
    """Exactly these routes: the /64 from both, each replica from its own node, and between the two nodes the replicas alone."""
    (desks, ehr), at = (prefix(network, name) for name in ("desks", "ehr")), hosts(network)
    one, other, west = (vtep(nodes, name) for name in ("e1", "e2", "w"))
    dns = network.anycast[0].address
    return {
        "w": {ehr: {one, other}, at["e1"]: {one}, at["e2"]: {other}, dns: {one}},
        "e1": {desks: {west}, at["e2"]: {other}},
        "e2": {desks: {west}, at["e1"]: {one}, dns: {one}},
    }


def test_each_host_of_a_shared_segment_is_reached_on_its_own_node(tmp_path: Path) -> None:
    network = support.network(frame=SITE)
    at = hosts(network)
    assert set(at) == {"e1", "e2"}
    with running(network, tmp_path, walled) as nodes:
        found = wanted(network, nodes)
        assert rig.until(lambda: {name: kernel(node) for name, node in nodes.items()} == found, 40), {
            n: kernel(x) for n, x in nodes.items()
        }
        assert [node.drift().strip() for node in nodes.values()] == [""] * 3, "reloading what runs would change something"
        client = str(ipaddress.IPv6Network(prefix(network, "desks"))[0x4000])
        inside = {"w": nodes["w"].host("desks", client), **{name: nodes[name].host("ehr", address) for name, address in at.items()}}
        _advertised(network, nodes, inside)
        for name, node in nodes.items():
            assert rig.until(lambda here=node, host=inside[name]: "default" in here.run(f"ip -n {host} -6 route"), 20), name  # type: ignore[misc]
        for name, address in at.items():
            assert nodes[name].listens_to(nodes["w"], client, address, vrf=inside[name], sender=inside["w"]), name
        ends = (at["e1"], at["e2"])
        assert nodes["e2"].listens_to(nodes["e1"], *ends, vrf=inside["e2"], sender=inside["e1"]), "replicas meet, over the L3VNI"
        _a_false_claim_gains_nothing(network, nodes)
        _a_host_that_comes_and_goes(network, nodes)


def _advertised(network: Network, nodes: dict[str, rig.Node], inside: dict[str, str]) -> None:
    """What a host hears: its prefix is not on-link, what fits through every tunnel, who knows names, and where addresses come from."""
    dns = network.anycast[0].address
    for name, segment, managed in (("w", "desks", False), ("e2", "ehr", True)):
        heard = Advertisement(bytes.fromhex(nodes[name].run(f"ip netns exec {inside[name]} python3 -c '{rig.SOLICIT}'").strip()))
        assert heard.managed is managed and heard.lifetime > 0
        assert heard.mtu == 1338, "there is a MACsec link in the domain"
        assert heard.prefixes == {prefix(network, segment): (False, not managed)}
        assert heard.resolvers == {dns} and b"\x01n\x07example\x00" in heard.search
        routes = nodes[name].run(f"ip -n {inside[name]} -6 route show")
        assert not [line for line in routes.splitlines() if line.startswith(prefix(network, segment))], "the host's own kernel agrees"


class Advertisement:
    """A router advertisement (RFC 4861 §4.2, RFC 8106)."""

    def __init__(self, content: bytes) -> None:
        assert content[0] == 134
        self.managed, self.lifetime = bool(content[5] & 0x80), int.from_bytes(content[6:8], "big")
        self.mtu, self.search = 0, b""
        self.prefixes: dict[str, tuple[bool, bool]] = {}
        """Whether on-link, and whether hosts make addresses of it."""
        self.resolvers: set[str] = set()
        rest = content[16:]
        while rest:
            kind, option, rest = rest[0], rest[: 8 * rest[1]], rest[8 * rest[1] :]
            if kind == 3:
                flags = (bool(option[3] & 0x80), bool(option[3] & 0x40))
                self.prefixes[f"{ipaddress.IPv6Address(option[16:32])}/{option[2]}"] = flags
            elif kind == 5:
                self.mtu = int.from_bytes(option[4:8], "big")
            elif kind == 25:
                self.resolvers |= {str(ipaddress.IPv6Address(option[at : at + 16])) for at in range(8, len(option), 16)}
            elif kind == 31:
                self.search = option[8:]


def _a_false_claim_gains_nothing(network: Network, nodes: dict[str, rig.Node]) -> None:
    """`w` announces a replica that lives elsewhere, and a host of `e2`'s segment, under its own segment's tag."""
    rogue, at = nodes["w"], hosts(network)
    vrf, asn = rogue.spec.fabric.domains[0].vrf, network.asn
    tag = next(f"{asn}:1:{plan.vni}" for plan in network.segments if plan.segment == "desks")
    stranger = at["e2"].rsplit(":", 1)[0] + ":beef"
    before = {name: kernel(nodes[name]) for name in ("e1", "e2")}
    for address in (at["e2"], stranger):
        rogue.run(f"ip -n {vrf} -6 route add {address}/128 dev {rogue.spec.segments[0].interface} proto 122 metric 10")
    rogue.vtysh("configure terminal", "route-map ROGUE permit 1", f"set large-community {tag}")
    lie = ("address-family ipv6 unicast", "redistribute kernel route-map ROGUE")
    rogue.vtysh("configure terminal", f"router bgp {asn} vrf {vrf}", *lie)
    for name in ("e1", "e2"):
        assert rig.until(lambda here=nodes[name]: stranger in here.vtysh("show bgp l2vpn evpn"), 20), "bgpd cannot tell"  # type: ignore[misc]
    assert stays(lambda: {name: kernel(nodes[name]) for name in ("e1", "e2")} == before), "the kernels believe nobody but the owners"
    rogue.vtysh("configure terminal", f"router bgp {asn} vrf {vrf}", "address-family ipv6 unicast", "no redistribute kernel")


def _a_host_that_comes_and_goes(network: Network, nodes: dict[str, rig.Node]) -> None:
    """Whoever adds the kernel's route announces the host; who takes it away withdraws it. A node keeps its own before another's."""
    address = str(ipaddress.IPv6Network(prefix(network, "ehr"))[0x5000])
    here, other = nodes["e2"], vtep(nodes, "e2")
    vrf, bridge = here.spec.fabric.domains[0].vrf, here.spec.segments[0].interface
    here.run(f"ip -n {vrf} -6 route add {address}/128 dev {bridge} proto 122 metric 11")
    for name in ("w", "e1"):
        assert rig.until(lambda node=nodes[name]: kernel(node).get(address) == {other}, 10), name  # type: ignore[misc]
    nodes["e1"].run(f"ip -n {vrf} -6 route add {address}/128 dev {bridge} proto 122 metric 11")
    both = {other, vtep(nodes, "e1")}
    assert rig.until(lambda: kernel(nodes["w"]).get(address) == both, 10)
    assert rig.until(lambda: address not in kernel(nodes["e1"]), 10), "its own host is behind its own bridge"
    assert stays(lambda: bridge in nodes["e1"].run(f"ip -n {vrf} -6 route get {address}"))
    for name in ("e1", "e2"):
        nodes[name].run(f"ip -n {vrf} -6 route del {address}/128 dev {bridge} proto 122")
    assert rig.until(lambda: all(address not in kernel(node) for node in nodes.values()), 10)
