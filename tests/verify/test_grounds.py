"""What a grant rests on and where it is enforced, what would have to change for a denied flow, and what the model covers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import HOSPITAL, compiled, hospital
from tests.support import network as written
from ztosc.compiler import compile_project
from ztosc.ir.flow import Flow
from ztosc.ir.network import Network
from ztosc.nodes import project
from ztosc.source import MemoryLoader
from ztosc.verify import Asker, Assurances, Explanation, coverage, why

HERE = hospital().network
assert HERE is not None
MFA = ("user.mfa=true", "device.health=healthy")


def explain(network: Network, *question: Any, **more: Any) -> Explanation:
    """The explanation of one question from the command line."""
    asker = Asker(network)
    flow, _ = asker.ask(*question, **more).answer(asker.policy)
    return why(network, flow)


PORTS = """
site t in home {
  node h { underlay 2001:db8::2; serves gateway; attach eth1 to open; attach eth2 to own exclusive; attach eth3 to known dot1x
    attach eth4 to pumps dot1x; attach eth5 to badges dot1x; attach eth6 vlan 7 to mixed; attach eth7 to mixed dot1x }
}
device badge-reader { recognised by certificate }
device camera { recognised by inventory }
segment open   { at t; admits people }
segment own    { at t; admits people }
segment known  { at t; admits people }
segment mixed  { at t; admits people }
segment pumps  { at t; admits infusion-pump }
segment badges { at t; admits badge-reader, camera }
segment bare   { at t }
service hub on own { listen tcp/1 }
service lab-hub on known { listen tcp/1 }
role open-role   { from open }
role known-role  { from known }
role both-role   { from open, known }
role strong-role { from open; requires session.assurance >= mac and user.mfa }
role weak-role   { from open; requires session.assurance >= mac or user.mfa }
link g -- h
"""
LEVELS = {
    "open": ("none", "port `eth1` of `h` is shared: its hosts are one trust domain"),
    "own": ("address", "port `eth2` of `h` is exclusive: one endpoint, known by its address"),
    "known": ("dot1x", "port `eth3` of `h` authenticates each host (802.1X)"),
    "mixed": ("none", "port `eth6 vlan 7` of `h` is shared: its hosts are one trust domain"),
    "bare": ("none", "no port is said to carry `bare`"),
    "infusion-pump": ("mac", "`infusion-pump` is recognised by mac"),
    "badge-reader": ("dot1x", "port `eth5` of `h` authenticates each host (802.1X)"),
    "camera": ("mac", "`camera` is recognised by inventory"),
    "hub": ("address", "port `eth2` of `h` is exclusive: one endpoint, known by its address"),
    "lab-hub": ("address", "`lab-hub` is known by the addresses of its endpoints"),
    "open-role": ("none", "port `eth1` of `h` is shared: its hosts are one trust domain"),
    "known-role": ("dot1x", "port `eth3` of `h` authenticates each host (802.1X)"),
    "both-role": ("none", "port `eth1` of `h` is shared: its hosts are one trust domain"),
    "strong-role": ("mac", "the guard asks for `session.assurance` of at least `mac`"),
    "weak-role": ("none", "port `eth1` of `h` is shared: its hosts are one trust domain"),
    "internet": ("none", "nothing is known of who is in `internet`"),
}


@pytest.mark.parametrize("subject", LEVELS)
def test_a_grant_rests_on_the_weakest_of_what_it_names(subject: str) -> None:
    network = written(f"{PORTS}allow {subject} to vault on tcp/22\n")
    (grant,) = [each for each in Assurances(network).grants() if each.targets == ("vault",)]
    assert (grant.level, grant.because) == LEVELS[subject]


@pytest.mark.parametrize(
    ("guard", "level"),
    [
        ("session.assurance == dot1x", "dot1x"),
        ("session.assurance > address", "mac"),
        ("session.assurance in dot1x, tunnel", "dot1x"),
        ("session.assurance != none", "none"),
        ("not session.assurance < dot1x", "none"),
        ("session.assurance <= dot1x", "none"),
        ("user.mfa implies session.assurance >= mac", "none"),
    ],
)
def test_only_what_a_guard_asks_in_any_case_raises_the_floor(guard: str, level: str) -> None:
    network = written(f"{PORTS}allow open to vault on tcp/22 when {guard}\n")
    (grant,) = [each for each in Assurances(network).grants() if each.targets == ("vault",)]
    assert grant.level == level


def test_where_nothing_authenticates_admits_is_unenforced() -> None:
    found = {each.segment: (each.admits, each.ports) for each in Assurances(written(PORTS)).unenforced()}
    assert found == {"open": (("people",), ("h eth1",)), "own": (("people",), ("h eth2",)), "mixed": (("people",), ("h eth6 vlan 7",))}


def origins(network: Network, flow: Flow, side: str) -> set[str]:
    """The nodes whose spec holds something about that source, or lets something in, that comes from the rule that allows a flow."""
    rule = Asker(network).policy.decide(flow).rule
    assert rule is not None
    if side == "destination":
        return {spec.node for spec in project(network) if any(rule.origin in each.origins for each in spec.inbound)}
    mine = ((spec.node, each) for spec in project(network) for each in spec.permits if each.source.name == flow.source.name)
    return {node for node, each in mine if rule.origin in each.origins}


QUESTIONS = (
    (("clinician", "ehr-web"), {"given": MFA}),
    (("infusion", "pump-hub"), {}),
    (("guest", "internet"), {}),
    (("staff", "node-dns"), {}),
    (("biomed", "infusion"), {"given": ("user.mfa=true", "device.managed=true"), "at": "2027-01-12T15:00Z"}),
    (("ehr-web", "infusion"), {}),
    (("internet", "ehr-web"), {}),
)


@pytest.mark.parametrize(("question", "more"), QUESTIONS)
def test_a_flow_is_enforced_where_the_nodes_have_it(question: tuple[str, str], more: dict[str, Any]) -> None:
    source = (HOSPITAL / "network.ztos").read_text() + "allow ehr-web to infusion on tcp/9\nallow internet to ehr-web\n"
    network = compile_project(MemoryLoader({"network.ztos": source.encode()}), HERE.at if HERE else 0).network
    assert network is not None
    found = explain(network, *question, **more)
    assert found.decision.allowed and found.grounds is not None
    edges = found.grounds.enforced
    assert set(edges.source) == origins(network, found.flow, "source")
    arriving = origins(network, found.flow, "destination")
    assert set(edges.destination) == arriving, (edges, arriving)


def test_an_allowed_flow_shows_what_it_rests_on() -> None:
    network = written(
        'allow staff to web when device.managed between 06:00 and 20:00 until 2027-06-30 because "why not" '
        '{ owner "it"; ticket "CHG-1"; review by 2027-01-31 }\n'
    )
    found = explain(network, "staff", "web", given=["user.mfa=true", "device.managed=true"], at="2026-11-23T10:00Z")
    assert found.grounds is not None
    assert found.guard == "device.managed == true and user.mfa == true"
    assert found.grounds.holds == "until 2027-06-30T22:00:00Z between 06:00 and 20:00 (Europe/Berlin)"
    assert (found.grounds.because, found.grounds.governance.owner, found.grounds.governance.tickets) == ("why not", "it", ("CHG-1",))
    assert found.ways == ()


@pytest.mark.parametrize("who", ["open", "own", "known", "infusion-pump", "hub", "internet"])
def test_an_allowed_flow_rests_on_what_its_initiator_is(who: str) -> None:
    network = written(f"{PORTS}allow {who} to vault on tcp/22\n")
    grounds = explain(network, who, "vault", "tcp/22").grounds
    assert grounds is not None
    assert (grounds.assurance.level, grounds.assurance.because) == LEVELS[who]


def test_a_denied_flow_shows_whole_ways_the_shortest_first() -> None:
    network = written("allow staff to web when device.managed\ndeny desks to web when not device.managed\nallow lab to web\n")
    found = explain(network, "staff", "web")
    assert found.grounds is None
    told = [[(change.about, change.origin.line if change.origin else None) for change in way.changes] for way in found.ways]
    base = compiled().sources["network.ztos"].text.count("\n") + 1
    assert told == [
        [("deny", base + 1), ("allow", base)],
        [("deny", base + 1), ("allow", base + 2)],
        [("deny", base + 1), ("new", None)],
    ]
    assert found.ways[0].changes[0].text.startswith("this deny matches, and a deny always wins while it is not known")
    assert found.ways[2].changes[1].text == "no rule is there for it yet: `allow staff to web on tcp/443`"


def test_where_only_a_deny_stands_in_the_way_it_alone_is_told() -> None:
    found = explain(written("allow lab to web\ndeny lab to vault on tcp/443\n"), "lab", "web")
    (way,) = found.ways
    assert [change.about for change in way.changes] == ["deny"]


def test_two_separated_roles_are_told_with_each_way() -> None:
    network = written("role other { from desks }\nseparate staff, other\nallow staff to web\n")
    asker = Asker(network)
    record = {"from": {"roles": ["staff", "other"], "attributes": {"user.mfa": True}}, "to": "web"}
    flow, _ = asker.ask_record(record).answer(asker.policy)
    (way,) = why(network, flow).ways
    assert [change.about for change in way.changes] == ["separate"]
    assert way.changes[0].origin is not None


TOPICS = {
    "observe": "segment watched { at s; observe }",
    "shared ports": "site t in home { node h { underlay 2001:db8::2; serves gateway; attach eth1 to more } }\nsegment more { at t }",
    "admission": "site t in home { node h { underlay 2001:db8::2; serves gateway; attach eth1 to more } }\n"
    "segment more { at t; admits people }",
    "entry": "allow internet to web",
    "externals": "allow desks to internet on tcp/443",
    "multicast": "segment loud { at s; mdns }",
    "layer 2": "segment flat { at s; stretched }",
    "IPv4": "segment old { at s; ipv4 10.0.0.0/24 }",
    "management": "",
    "logs": "",
    "partners": 'partner lab-two { domain "two.example"; ca "sha256:' + "0" * 64 + '" }',
    "age of facts": "role late { from desks; stale 5m }",
    "emergencies": "break-glass role on-call for 1h { from desks }",
    "clocks": "allow desks to web when session.valid-until > now",
}
NAMES = {
    "observe": "watched",
    "shared ports": "h eth1",
    "admission": "more",
    "entry": "internet",
    "externals": "internet",
    "multicast": "loud",
    "layer 2": "flat",
    "IPv4": "old",
    "partners": "lab-two",
    "age of facts": "late",
    "emergencies": "on-call",
}


@pytest.mark.parametrize("topic", [topic for topic, text in TOPICS.items() if text])
def test_what_is_not_covered_is_said_of_this_network_and_of_no_other(topic: str) -> None:
    without = {line.topic for line in coverage(written()).does_not_cover}
    (line,) = [line for line in coverage(written(TOPICS[topic] + "\n")).does_not_cover if line.topic == topic]
    assert topic not in without
    assert line.names == ((NAMES[topic],) if topic in NAMES else ())


def test_management_is_told() -> None:
    frame = """
network n { domain "n.example"; manage from desks on tcp/22; log all to web }
region home { country DE }
site s in home { node g { underlay 2001:db8::1; serves gateway } }
segment desks { at s }
service web on desks { listen tcp/443 }
"""
    found = {line.topic: line.names for line in coverage(written(frame=frame)).does_not_cover}
    assert found["management"] == ("desks",)
    assert "logs" not in found, "`stays within` follows records of flows, those of `log all` too"


def test_what_is_covered_names_the_clock_and_the_zones_that_are_used() -> None:
    plain = {line.topic: line.text for line in coverage(written()).covers}
    assert plain["time"] == "every instant from 2026-11-22T00:00:00Z on"
    timed = {line.topic: line.text for line in coverage(written("allow desks to web between 06:00 and 20:00\n")).covers}
    assert "Europe/Berlin as tzdata 20" in timed["time"] and "28 years" in timed["time"]


def test_the_same_network_gives_the_same_lines() -> None:
    assert HERE is not None
    assert coverage(HERE) == coverage(HERE.model_copy(deep=True))
