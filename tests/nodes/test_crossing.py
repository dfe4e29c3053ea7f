"""Segments of two isolation domains meet in the stricter one: who announces what there, what leads there, and what has no way."""

from __future__ import annotations

import pytest

from tests import support
from ztosc.backends.frr import BACKEND as FRR
from ztosc.backends.interfaces import BACKEND as INTERFACES
from ztosc.backends.nftables import BACKEND as NFTABLES
from ztosc.ir.domains import meeting
from ztosc.ir.network import IsolationDomain, Network
from ztosc.ir.values import Jurisdiction
from ztosc.nodes import NodeSpec, project
from ztosc.nodes.fabric_spec import DomainFabric
from ztosc.verify import verify

FRAME = """
import std.identity
network n { domain "n.example"
  prefix fd00:77::/48
}
region home { country DE }
region abroad { country US }
label bound { within DE }
site one in home {
  node a { underlay 2001:db8::1; serves gateway }
  node a2 { underlay 2001:db8::5; serves gateway }
}
site two in home { node b { underlay 2001:db8::2; serves gateway } }
site three in abroad { node c { underlay 2001:db8::3; serves gateway } }
link a -- b
link a -- a2
link b -- c
link c -- a
segment desks { at one; admits people }
segment offices { at three; admits people }
segment vault { at two; carries bound }
segment open { at two }
service web on vault { listen tcp/443 }
service help on desks { listen tcp/80; replicas 2 }
service mail on open { listen tcp/25 }
role staff { from desks; requires user.mfa }
allow offices to mail
"""
"""`desks` lives on `a` and `a2`, in the domain of everybody; `vault` on `b`, in one that `c` may not hold."""
CROSSING = "allow staff to web\nallow vault to help\n"


def specs(text: str = CROSSING) -> dict[str, NodeSpec]:
    return {spec.node: spec for spec in project(support.network(text, frame=FRAME))}


def fabric(spec: NodeSpec, domain: str) -> DomainFabric:
    return next(each for each in spec.fabric.domains if each.domain == domain)


def bounded(name: str, *countries: str) -> IsolationDomain:
    within = Jurisdiction(text=name, countries=countries) if countries else None
    return IsolationDomain(name=name, index=0, l3vni=1, interface="zd1", within=within)


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (bounded("main"), bounded("within-de", "DE"), "within-de"),
        (bounded("within-eu", "DE", "FR"), bounded("within-de", "DE"), "within-de"),
        (bounded("within-x", "DE"), bounded("within-y", "DE"), "within-x"),
        (bounded("main"), bounded("main"), "main"),
        (bounded("within-x", "DE", "FR"), bounded("within-y", "DE", "US"), None),
        (bounded("within-x", "FR"), bounded("within-y", "US"), None),
    ],
)
def test_two_meet_in_the_stricter(one: IsolationDomain, other: IsolationDomain, found: str | None) -> None:
    for pair in ((one, other), (other, one)):
        domain = meeting(*pair)
        assert (domain.name if domain else None) == found


def plan(network: Network, name: str) -> tuple[str, int, str]:
    """Prefix, VNI and bridge of a segment at its first place."""
    found = next(each for each in network.segments if each.segment == name)
    return found.places[0].prefix, found.vni, found.interface


def test_the_laxer_segment_is_announced_in_the_stricter_domain_and_nothing_the_other_way() -> None:
    network = support.network(CROSSING, frame=FRAME)
    (desks, vni, bridge), (vault, vault_vni, _) = plan(network, "desks"), plan(network, "vault")
    nodes = {spec.node: spec for spec in project(network)}
    for name in ("a", "a2"):
        strict, lax = fabric(nodes[name], "within-de"), fabric(nodes[name], "main")
        assert [(each.tag.number, each.prefixes, each.hosts, each.guest) for each in strict.exports] == [(vni, (desks,), (desks,), True)]
        assert [(each.tag.number, each.prefixes) for each in strict.imports if each.tag.number == vault_vni] == [(vault_vni, (vault,))]
        assert all(each.tag.number != vault_vni for each in (*lax.exports, *lax.imports)), "no route of a bound segment leaves its domain"
        # The kernel holds what is announced, in both tables; what comes out of the laxer one looks for the other in the stricter one.
        hosts = {f"{each.address}/128" for each in network.endpoints if each.node == name}
        assert len(hosts) == 1
        wanted = {(desks, strict.l3vni), *((each, table) for each in hosts for table in (strict.l3vni, lax.l3vni))}
        assert {(each.prefix, each.table) for each in nodes[name].fabric.held} == wanted
        assert {each.interface for each in nodes[name].fabric.held} == {bridge}
        assert [(each.vrf, each.prefix, each.table) for each in nodes[name].fabric.detours] == [(lax.vrf, vault, strict.l3vni)]
    imported = {each.vtep: (each.prefixes, each.hosts, each.guest) for each in fabric(nodes["b"], "within-de").imports}
    assert imported == {fabric(nodes[name], "within-de").vtep: ((desks,), (desks,), True) for name in ("a", "a2")}
    assert nodes["b"].fabric.held == () and nodes["b"].fabric.detours == (), "the laxer segment crosses, where it lives"


def test_a_node_outside_the_bound_sees_no_difference() -> None:
    """The grant changes the nodes of its ends, and no byte on any other."""
    for target in (FRR, INTERFACES, NFTABLES):
        with_it, without = (target.render(target.lower(specs(text)["c"])) for text in (CROSSING, ""))  # type: ignore[attr-defined]
        assert with_it == without
        changed = [target.render(target.lower(specs(text)["a"])) for text in (CROSSING, "")]  # type: ignore[attr-defined]
        assert changed[0] != changed[1]


def test_both_on_one_node_need_no_session() -> None:
    nodes = specs("segment safe { at one; carries bound }\nservice door on safe { listen tcp/22 }\nallow desks to door\n")
    strict, lax = fabric(nodes["a"], "within-de"), fabric(nodes["a"], "main")
    assert {each.peer for each in strict.sessions} == {"a2"}, "the other half of both lives there"
    assert {(each.vrf, each.table) for each in nodes["a"].fabric.detours} == {(lax.vrf, strict.l3vni)}
    assert not fabric(nodes["b"], "within-de").speaks


def strangers(spec: NodeSpec) -> set[tuple[str, ...]] | None:
    found = [each for each in NFTABLES.lower(spec).collections if each.name == "zt_strangers"]
    return {element.key for element in found[0].elements} if found else None


def test_what_came_by_a_tunnel_leaves_in_its_own_domain() -> None:
    network = support.network(CROSSING, frame=FRAME)
    nodes = {spec.node: spec for spec in project(network)}
    zd = {each.domain: f'"{each.interface}"' for each in nodes["a"].transits}
    assert strangers(nodes["a"]) == {(zd["main"], zd["within-de"]), (zd["within-de"], zd["main"])}, "desks are met in both"
    rules = next(each.rules for each in NFTABLES.lower(nodes["a"]).chains if each.name == "zt_forward")
    place = next(index for index, rule in enumerate(rules) if "zt_strangers" in rule)
    assert rules[place].endswith("goto zt_deny_domain") and all("zt_relay" in rule for rule in rules[:place])
    assert strangers(nodes["b"]) is None and strangers(nodes["c"]) is None
    both = specs(CROSSING + "segment safe { at one; carries bound }\n")["a"]
    safe = next(each.interface for each in both.segments if each.segment == "safe")
    assert strangers(both) == {(zd["main"], zd["within-de"]), (zd["within-de"], zd["main"]), (zd["main"], f'"{safe}"')}


OUTSIDE = {
    "the source": ("segment far { at one, three }\nallow far to web\n", "`far` at site `three` (node `c`) to `vault`"),
    "the target": ("segment far { at one, three }\nallow vault to far on tcp/80\n", "`vault` to `far` at site `three` (node `c`)"),
    "the only target": ("allow vault to offices on tcp/80\n", "`vault` to `offices` at site `three` (node `c`)"),
}


@pytest.mark.parametrize("which", OUTSIDE)
def test_a_laxer_segment_on_a_node_outside_the_bound_has_no_path(which: str) -> None:
    text, words = OUTSIDE[which]
    found = support.compiled(text, frame=FRAME)
    assert [each.code for each in found.diagnostics] == ["ZT316"]
    assert words in found.diagnostics[0].message and found.verifiable is not None


def test_two_bounds_of_which_neither_is_inside_the_other_do_not_meet() -> None:
    text = "segment north { at one; within DE, FR }\nsegment south { at two; within DE, IT }\nallow north to south on tcp/80\n"
    network = support.network(text, frame=FRAME)
    rule = next(each for each in network.intent.rules if each.targets and each.targets[0].name == "south")
    found = FRR.unsupported(network)
    assert [(each.code, each.span) for each in found] == [("ZT603", rule.origin)]
    assert "`north`" in found[0].message and "`south`" in found[0].message
    assert all(each.fabric.detours == () for each in project(network)), "and nothing is built that would let them"


def test_the_verifier_knows_where_they_meet() -> None:
    """`c` may relay between `desks` and others, never between `desks` and `vault`: the data stays."""
    text = "allow desks to web\nassert bound stays within DE\n"
    assert [each.verdict for each in verify(support.network(text, frame=FRAME))] == ["proved"]
    over = text.replace("allow desks to web", "allow desks to web\nallow desks to mail")
    assert [each.verdict for each in verify(support.network(over, frame=FRAME))] == ["refuted"], "on from there it may go over `c`"
