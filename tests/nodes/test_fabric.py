"""Routes follow grants: what each node announces, imports, reflects and lets pass, and how little a new node changes."""

from __future__ import annotations

import ipaddress

import pytest

from tests import support
from tests.bench.fabric import fabric
from tests.nodes import networks as n
from tests.nodes.small import base
from ztosc.allocate import allocate
from ztosc.backends.frr import BACKEND
from ztosc.compiler import compile_project
from ztosc.diagnostics import Report
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import DevicePrincipal, Flow, Host, Person, Place, Principal, ServiceEndpoint
from ztosc.ir.network import Network
from ztosc.nodes import NodeSpec, project
from ztosc.nodes.fabric_spec import DomainFabric
from ztosc.nodes.view import Whole
from ztosc.source import MemoryLoader

FRAME = """
import std.identity
import std.medical
network n { domain "n.example"
  prefix fd00:77::/48
}
region home { country DE }
region abroad { country IE }
label bound { within DE }
site one in home { node a { underlay 2001:db8::1; serves gateway } }
site two in home { node b { underlay 2001:db8::2; serves gateway } }
site three in abroad { node c { underlay 2001:db8::3; serves gateway } }
site four in home { node d { underlay 2001:db8::4; serves gateway } }
link a -- b
link b -- c
link c -- d
link d -- a
segment desks { at one; admits people }
segment vault { at two }
segment lab { at three; admits infusion-pump }
segment lone { at four; admits people }
service web on vault { listen tcp/443 }
role staff { from desks; requires user.mfa }
allow staff to web
"""


def one(network: Network, node: str) -> NodeSpec:
    return next(spec for spec in project(network) if spec.node == node)


def main(network: Network, node: str) -> DomainFabric:
    return next(domain for domain in one(network, node).fabric.domains if domain.domain in ("main", "general"))


def imported(network: Network, node: str) -> set[str]:
    """Segments whose routes a node may use."""
    by_vni = {plan.vni: plan.segment for plan in network.segments}
    return {by_vni[each.tag.number] for each in main(network, node).imports if each.tag.kind == "segment" and each.prefixes}


def hosts_of(network: Network, node: str) -> set[str]:
    """Prefixes inside which a node may use routes to single hosts."""
    return {prefix for each in main(network, node).imports for prefix in each.hosts}


def test_a_mesh_joins_exactly_those_who_exchange_routes() -> None:
    network = support.network(frame=FRAME)
    assert {name: imported(network, name) for name in "abcd"} == {"a": {"vault"}, "b": {"desks"}, "c": set(), "d": set()}
    sessions = {name: [(each.peer, each.kind) for each in main(network, name).sessions] for name in "abcd"}
    assert sessions == {"a": [("b", "mesh")], "b": [("a", "mesh")], "c": [], "d": []}


def test_a_reflector_joins_all_who_exchange_routes_and_knows_nobody_else() -> None:
    network = support.network(frame=FRAME.replace("2001:db8::4; serves gateway", "2001:db8::4; serves gateway, reflector"))
    sessions = {name: [(each.peer, each.kind) for each in main(network, name).sessions] for name in "abcd"}
    assert sessions == {"a": [("d", "reflector")], "b": [("d", "reflector")], "c": [], "d": [("a", "client"), ("b", "client")]}
    assert main(network, "d").reflects and not main(network, "d").speaks
    client, own = main(network, "d").sessions[0], main(network, "a")
    assert client.vtep == own.vtep, "a client is believed only what it originates itself"
    assert client.accepts == tuple(each.tag for each in own.exports) and client.offers == tuple(each.tag for each in own.imports)


def test_a_reflector_that_is_cut_off_is_none() -> None:
    """Its part of the domain has one, the other part has none and meshes."""
    text = FRAME.replace("2001:db8::4; serves gateway", "2001:db8::4; serves gateway, reflector")
    text = text.replace("link d -- a\n", "").replace("link b -- c\n", "")
    network = support.network(frame=text)
    assert [each.kind for each in main(network, "a").sessions] == ["mesh"] and main(network, "d").sessions == ()


def test_the_one_who_relays_learns_of_no_segment() -> None:
    network = support.network(frame=FRAME.replace("service web on vault", "service web on lab"))
    relay = one(network, "b")
    assert main(network, "b").imports == () and main(network, "b").exports == () and main(network, "b").sessions == ()
    assert not [flow for flow in relay.flows if flow.purpose == "vxlan"]
    assert {flow.purpose for flow in relay.flows if flow.interface} == {"bgp", "bfd"}


def principals(network: Network, segment: str) -> list[Principal]:
    """Whoever may sit in a segment, with everything that could be true of them."""
    intent = network.intent
    facts = tuple((each.name, True if each.type.kind == "bool" else "healthy") for each in intent.attributes if each.name != "device.os")
    roles = [role.name for role in intent.roles if segment in role.sources]
    found: list[Principal] = [Person.model_validate({"roles": (role,), "attributes": facts}) for role in roles]
    found += [DevicePrincipal(device=each.name) for each in intent.devices]
    return [*found, *(ServiceEndpoint(service=each.name) for each in intent.services if each.segment == segment), Host()]


def granted(network: Network, policy: Policy, source: str, target: str) -> bool:
    """Whether `decide` lets anybody in one segment open anything in another, at noon or at midnight."""
    homes = [Place(kind="segment", name=target)]
    homes += [Place(kind="segment", name=target, service=each.name) for each in network.intent.services if each.segment == target]
    return any(
        policy.decide(
            Flow(
                source=Place(kind="segment", name=source),
                principal=principal,
                destination=place,
                protocol=protocol,
                port=port,
                instant=instant,
            )
        ).allowed
        for principal in principals(network, source)
        for place in homes
        for protocol, port in ((6, 22), (6, 80), (6, 443), (6, 8883), (17, 500), (17, 5050), (58, 128))
        for instant in (n.NOON, n.LATE)
    )


RULES = (
    (),
    (n.rule(1, "allow", "segment:any", "segment:drop", n.tcp(22)),),
    (n.rule(1, "allow", "role:set", "service:log"),),
    (n.rule(1, "allow", "segments:*", "segment:fwd", n.tcp(22)), n.rule(2, "deny", "segment:drop", "label:red")),
    (n.rule(1, "allow", "device:pump", "service:ip"), n.rule(2, "allow", "external:net", "service:ip")),
    (n.rule(1, "allow", "segments:*", "external:net", n.tcp(443)),),
)


@pytest.mark.parametrize("rules", RULES)
def test_imports_are_what_decide_grants(rules: tuple[object, ...]) -> None:
    """For each node and remote segment: imported exactly where `decide` joins it, in either direction, with one that lives here."""
    intent = base(rules)
    network = n.number(intent.model_copy(update={"systems": (), "nodes": tuple(_without(each) for each in intent.nodes)}))
    policy = Policy(network.intent)
    pairs = {
        (left.segment, right.segment)
        for left in network.segments
        for right in network.segments
        if granted(network, policy, left.segment, right.segment)
    }
    for spec in project(network):
        here = {segment.segment: segment.prefix for segment in spec.segments}
        wanted = {
            plan.segment
            for plan in network.segments
            for place in plan.places
            for own in here
            if ((plan.segment, own) in pairs or (own, plan.segment) in pairs)
            and set(place.nodes) - {spec.node}
            and here.get(plan.segment) != place.prefix
        }
        assert imported(network, spec.node) == wanted, spec.node
        # Of a prefix on several nodes, hosts too: for those who import it, and for its own nodes where anything may reach it.
        asked = {segment for pair in pairs for segment in pair}
        asked |= {name for (kind, name), targets in Whole(network).cells.items() if kind == "segment" and targets}
        shared = {
            place.prefix
            for plan in network.segments
            for place in plan.places
            if len(place.nodes) > 1 and (plan.segment in wanted or (here.get(plan.segment) == place.prefix and plan.segment in asked))
        }
        assert hosts_of(network, spec.node) == shared, spec.node


def _without(node: object) -> object:
    """A node that offers nothing to segments itself."""
    return node.model_copy(update={"serves": ("gateway",)})  # type: ignore[attr-defined]


def test_services_of_nodes_are_routed_to_and_find_back() -> None:
    network = n.hospital()
    tags = {each.tag.kind for each in main(network, "branch-1").imports}
    assert tags == {"segment", "system"}
    address = network.anycast[0].address
    assert {each.vtep for each in main(network, "branch-1").imports if each.prefixes == (f"{address}/128",)} == {"10.192.0.3", "10.192.0.4"}
    assert "guest" in imported(network, "edge-2"), "an answer to a guest's question must find back"


def test_a_bound_domain_has_sessions_and_pools_of_its_own() -> None:
    text = FRAME.replace("segment vault { at two }", "segment vault { at two; carries bound }").replace(
        "segment desks { at one; admits people }", "segment desks { at one; admits people; carries bound }"
    )
    network = support.network(frame=text)
    fabrics = {spec.node: {domain.domain: domain for domain in spec.fabric.domains} for spec in project(network)}
    assert [sorted(found) for found in fabrics.values()] == [["main", "within-de"], ["main", "within-de"], ["main"], ["main", "within-de"]]
    bound = fabrics["a"]["within-de"]
    assert bound.speaks and not fabrics["a"]["main"].speaks and bound.vtep_pool != fabrics["a"]["main"].vtep_pool
    abroad = {peer.peer: peer.loopback_pools for peer in one(network, "b").fabric.underlay}
    assert bound.loopback_pool in abroad["a"] and bound.loopback_pool not in abroad["c"]
    foreign = b"".join(artifact.content for artifact in BACKEND.render(BACKEND.lower(one(network, "c")))).decode()
    assert bound.loopback_pool.removesuffix("/64") not in foreign and str(bound.l3vni) not in foreign
    home = ipaddress.IPv6Network(bound.loopback_pool)
    assert all(ipaddress.IPv6Address(session.address) in home for session in bound.sessions) and bound.sessions


def test_flows_are_those_of_neighbours_and_partners_alone() -> None:
    network = support.network(frame=FRAME)
    spec = one(network, "a")
    partner = main(network, "b")
    ends = {(flow.purpose, flow.remote) for flow in spec.flows if flow.interface}
    neighbours = {side.peer_address for side in spec.tunnels}
    assert ends == {
        *(("bgp", address) for address in neighbours),
        *(("bfd", address) for address in neighbours),
        ("bgp", partner.loopback),
        ("vxlan", partner.vtep),
    }


def changed_nodes(nodes: int, skip: int) -> tuple[set[str], set[str]]:
    """Nodes whose frr.conf changes when one node is inserted into a fabric with its lock kept, and who should."""
    before = compile_project(MemoryLoader({"network.ztos": fabric(nodes, skip).encode()}), support.AT)
    assert before.network is not None and before.lock is not None
    after = compile_project(MemoryLoader({"network.ztos": fabric(nodes).encode()}), support.AT)
    assert after.intent is not None
    allocated = allocate(after.intent, before.lock, support.AT, Report())
    assert allocated is not None
    old, new = ({spec.node: BACKEND.render(BACKEND.lower(spec)) for spec in project(each)} for each in (before.network, allocated.network))
    (inserted,) = set(new) - set(old)
    specs = {spec.node: spec for spec in project(allocated.network)}
    concerned = {side.peer for side in specs[inserted].tunnels}
    concerned |= {name for name, spec in specs.items() if any(domain.reflects for domain in spec.fabric.domains)}
    vtep = specs[inserted].fabric.domains[0].vtep
    concerned |= {name for name, spec in specs.items() if vtep in spec.fabric.domains[0].peers}
    return {name for name in old if old[name] != new[name]}, concerned


@pytest.mark.slow
def test_a_new_node_changes_only_those_that_have_to_do_with_it() -> None:
    changed, concerned = changed_nodes(48, 30)
    assert changed == concerned
