"""The real FRR on our bytes: its parsers take every file, reloading what runs changes nothing, and nodes that run the files unchanged
exchange exactly the routes that the network grants, over veth and over WireGuard, a rogue node among them or not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import support
from tests.bench.fabric import fabric
from tests.oracles import frr_rig as rig
from ztosc.backends.frr import BACKEND
from ztosc.ir.network import Network
from ztosc.nodes import NodeSpec, project
from ztosc.prove import real_tools

TOOLS = ("vtysh", "bgpd")
NOT_JUDGED = [why for tool in TOOLS if (why := real_tools().why_missing(tool))]
judged = pytest.mark.skipif(bool(NOT_JUDGED), reason=f"NOT JUDGED: {'; '.join(NOT_JUDGED)}")
NO_NODES = rig.why_not()
runs = pytest.mark.skipif(NO_NODES is not None, reason=f"NOT RUN: {NO_NODES}")

THREE = """
import std.identity
import std.medical
network n { domain "n.example"
  prefix fd00:77::/48
}
region home { country DE }
site one in home { node a { underlay 2001:db8::1; serves gateway } }
site two in home { node b { underlay 2001:db8::2; serves gateway, reflector } }
site three in home { node c { underlay 2001:db8::3; serves gateway } }
link a -- b
link b -- c { cost 3 }
segment desks { at one; admits people }
segment vault { at three }
segment hidden { at three; admits infusion-pump }
service web on vault { listen tcp/443 }
role staff { from desks; requires user.mfa }
allow staff to web
"""
"""`a` and `c` have no link: `b`, where nothing lives, reflects their routes and relays their packets."""


def refused(spec: NodeSpec, change: Callable[[str], str] = lambda text: text) -> list[str]:
    """The tools that refuse a node's file, with what they say."""
    conf, daemons = BACKEND.render(BACKEND.lower(spec))
    changed = conf.__class__(conf.path, change(conf.content.decode()).encode(), conf.mode, conf.owner)
    results = real_tools().judge(BACKEND.manifest, (changed, daemons))
    assert {result.tool for result in results} == set(TOOLS)
    return [f"{result.tool}: {result.output}" for result in results if result.outcome != "accepted"]


@judged
def test_the_parsers_take_the_hospital() -> None:
    network = support.hospital().network
    assert network is not None
    assert [refused(spec) for spec in project(network)] == [[]] * 4


@judged
def test_the_parsers_take_a_fabric() -> None:
    specs = project(support.network(frame=fabric(48)))
    busiest = sorted(specs, key=lambda spec: -len(spec.fabric.domains[0].sessions))
    assert [refused(spec) for spec in (*busiest[:3], *busiest[-3:])] == [[]] * 6


MISTAKES = {
    "an unknown statement": (" bgp log-neighbor-changes", " bgp logs-neighbour-changes", ("vtysh", "bgpd")),
    "half a statement": (r" timers 3 9", " timers 3", ("vtysh", "bgpd")),
    "a route type that is none": ("route-type prefix", "route-type sixth", ("vtysh", "bgpd")),
    "a broken expression": (r"Rmac:\[0-9a-f:\]\+\$", "Rmac:[0-9a-f:+$", ("bgpd",)),
    "a session before its AS": (r" neighbor (\S+) remote-as \d+\n", "", ("bgpd",)),
    "a length that is too long": ("ge 128", "ge 129", ("vtysh", "bgpd")),
}
"""Each with who must refuse it: vtysh judges syntax, bgpd more, and neither references."""


@judged
@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_parsers_are_judges(mistake: str) -> None:
    old, new, judges = MISTAKES[mistake]
    spec = project(support.network(frame=THREE))[1]
    found = refused(spec, lambda text: re.sub(old, new, text, count=1))
    assert {each.split(":")[0] for each in found} >= set(judges), found


@contextmanager
def running(network: Network, folder: Path, join: Callable[[dict[str, rig.Node]], None] = rig.join) -> Iterator[dict[str, rig.Node]]:
    """Every node of a network, up and with its daemons."""
    folder.chmod(0o755)
    for parent in folder.parents:
        if parent.name.startswith("pytest-"):
            parent.chmod(0o755)
    nodes: dict[str, rig.Node] = {}
    try:
        for spec in project(network):
            nodes[spec.node] = rig.Node(spec, folder)
        join(nodes)
        for node in nodes.values():
            node.interfaces()
        for node in nodes.values():
            node.start()
        yield nodes
    finally:
        for node in nodes.values():
            node.stop()


def kernel(node: rig.Node) -> dict[str, set[str]]:
    """The routes of the overlay that BGP put into the kernel: prefix to next hops."""
    vrf = node.spec.fabric.domains[0].vrf
    found: dict[str, set[str]] = {}
    for route in json.loads(node.run(f"ip -n {vrf} -6 -j route show proto bgp", check=False) or "[]"):
        hops = route.get("nexthops", [route])
        found[route["dst"]] = {hop["gateway"].removeprefix("::ffff:") for hop in hops}
    return found


def underlay(node: rig.Node) -> set[str]:
    """Loopbacks and VTEPs of others that the underlay taught the kernel."""
    shown = json.loads(node.run("ip -6 -j route show proto bgp")) + json.loads(node.run("ip -4 -j route show proto bgp"))
    return {route["dst"] for route in shown}


def known(node: rig.Node) -> set[tuple[str, str]]:
    """Every EVPN route that bgpd holds: type and prefix."""
    text = node.vtysh("show bgp l2vpn evpn")
    return {(match[1], match[2]) for match in re.finditer(r"\[(\d)\]:\[0\](?::\[\d+\])?:\[([0-9a-f:.]+)\]", text)}


def prefix(network: Network, segment: str) -> str:
    return next(plan.places[0].prefix for plan in network.segments if plan.segment == segment)


def vtep(nodes: dict[str, rig.Node], name: str) -> str:
    return nodes[name].spec.fabric.domains[0].vtep


def converged(network: Network, nodes: dict[str, rig.Node]) -> None:
    """Exactly what is granted, in the kernels and in BGP."""
    desks, vault, hidden = (prefix(network, name) for name in ("desks", "vault", "hidden"))
    wanted = {"a": {vault: {vtep(nodes, "c")}}, "b": {}, "c": {desks: {vtep(nodes, "a")}}}
    assert rig.until(lambda: {name: kernel(node) for name, node in nodes.items()} == wanted, 40), {n: kernel(x) for n, x in nodes.items()}
    granted = {("5", each.removesuffix("/64")) for each in (desks, vault)}
    assert {name: known(node) for name, node in nodes.items()} == dict.fromkeys(nodes, granted)
    assert hidden not in {dst for node in nodes.values() for dst in kernel(node)}
    for name, node in nodes.items():
        others = [other.spec.fabric.domains[0] for other in nodes.values() if other.name != name]
        assert underlay(node) == {each.loopback for each in others} | {each.vtep for each in others}


@runs
@pytest.mark.netns
def test_three_nodes_exchange_exactly_what_is_granted(tmp_path: Path) -> None:
    network = support.network(frame=THREE)
    with running(network, tmp_path) as nodes:
        converged(network, nodes)
        assert [node.drift().strip() for node in nodes.values()] == [""] * 3, "reloading what runs would change something"
        _a_change_is_seen(nodes["a"])
        _a_rogue_gains_nothing(network, nodes)
        assert all(node.alive() for node in nodes.values())


def _packets(network: Network, nodes: dict[str, rig.Node]) -> None:
    """The overlay carries packets between granted segments, through a relay; the rest of the overlay's prefix is a wall."""
    gateways = {plan.segment: plan.places[0].gateway for plan in network.segments}
    vrf = nodes["a"].spec.fabric.domains[0].vrf
    assert nodes["c"].listens_to(nodes["a"], gateways["desks"], gateways["vault"], vrf=vrf)
    assert not nodes["c"].listens_to(nodes["a"], gateways["desks"], gateways["hidden"], vrf=vrf)
    assert "blackhole" in nodes["a"].run(f"ip -n {vrf} -6 route show {network.prefix}")
    assert "blackhole" in nodes["b"].run(f"ip -6 route show {network.prefix}")


def _a_change_is_seen(node: rig.Node) -> None:
    """`drift` is no judge that always keeps quiet."""
    node.vtysh("configure terminal", "ipv6 prefix-list ZT-P6-stray seq 1 permit ::/0")
    assert "ZT-P6-stray" in node.drift()


def _a_rogue_gains_nothing(network: Network, nodes: dict[str, rig.Node]) -> None:
    """`c` drops its own filters and announces all it can think of, first under its own segment's tag, then under another's."""
    rogue, reflector, victim = nodes["c"], nodes["b"], nodes["a"]
    asn, vrf = network.asn, rogue.spec.fabric.domains[0].vrf
    desks, vault, hidden = (prefix(network, name) for name in ("desks", "vault", "hidden"))
    half = desks.replace("::/64", "::/65")
    for address in (desks.replace("::/64", "::9/64"), half.replace("::/65", "::8/65")):
        rogue.run(f"ip -n {vrf} addr add {address} dev {rogue.spec.segments[0].interface} nodad")
    session = rogue.spec.fabric.domains[0].sessions[0].address
    out = next(each.offer for each in BACKEND.lower(rogue.spec).overlay)
    tags = {plan.segment: f"{asn}:1:{plan.vni}" for plan in network.segments}
    rogue.vtysh("configure terminal", "route-map ROGUE permit 1", f"set large-community {tags['vault']}")
    evpn = ("address-family l2vpn evpn", f"no neighbor {session} route-map {out} out")
    rogue.vtysh("configure terminal", f"router bgp {asn}", *evpn)
    own = ("address-family ipv6 unicast", "redistribute connected route-map ROGUE")
    rogue.vtysh("configure terminal", f"router bgp {asn} vrf {vrf}", *own)
    lies = {("5", each.split("/")[0]) for each in (hidden, half)}
    assert rig.until(lambda: lies <= known(reflector), 20), "the reflector cannot know whose prefix it is"
    assert stays(lambda: kernel(victim) == {vault: {vtep(nodes, "c")}}), "only the true route may reach the victim's kernel"
    rogue.vtysh("configure terminal", "route-map ROGUE permit 1", f"set large-community {tags['desks']}")
    assert rig.until(lambda: known(reflector) == {("5", desks.removesuffix("/64"))}, 20), "another's tag does not pass the reflector"
    assert rig.until(lambda: kernel(victim) == {}, 10)
    hops = {path["nexthops"][0]["ip"] for path in _paths(reflector, desks)}
    assert hops == {vtep(nodes, "a")}


def stays(holds: Callable[[], bool]) -> bool:
    """Whether something is true now and in a few seconds."""
    return holds() and not rig.until(lambda: not holds(), 6)


def _paths(node: rig.Node, wanted: str) -> list[dict[str, list[dict[str, str]]]]:
    shown = json.loads(node.vtysh("show bgp l2vpn evpn json"))
    found = [value for rd in shown.values() if isinstance(rd, dict) for key, value in rd.items() if wanted.removesuffix("/64") + "]" in key]
    return [path for each in found for paths in each["paths"] for path in (paths if isinstance(paths, list) else [paths])]


@runs
@pytest.mark.netns
@pytest.mark.skipif(rig.why_no_wireguard() is not None, reason=f"NOT RUN: {rig.why_no_wireguard()}")
def test_the_same_over_wireguard_behind_the_nodes_own_firewalls(tmp_path: Path) -> None:
    network = support.network(frame=THREE)
    with running(network, tmp_path, walled) as nodes:
        converged(network, nodes)
        _packets(network, nodes)
        ends = [nodes[name].spec.fabric.domains[0].loopback for name in ("a", "c")]
        assert not nodes["c"].listens_to(nodes["a"], *ends), "a relay passes nothing but sessions and VXLAN"


def walled(nodes: dict[str, rig.Node]) -> None:
    """Tunnels, and each node's own ruleset."""
    rig.join_by_wireguard(nodes)
    for node in nodes.values():
        node.firewall()
