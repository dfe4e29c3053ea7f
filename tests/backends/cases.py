"""Networks that every backend is tried on: the hospital, names that are keywords elsewhere, words that want to break out."""

from __future__ import annotations

from typing import Any

from tests import support
from tests.nodes import networks as n
from tests.nodes.small import base
from ztosc.ir.network import Network
from ztosc.logic import ports

HOSTILE = (
    'close"; } flush ruleset',
    "two\nlines\r\nand # a comment",
    "nul\0and\x1b[31mred\u202eesrever",
    "x" * 300,
    "é" * 200,
    "back\\slash\\",
    "*/ // ; { $INCLUDE /etc/passwd",
)


def keywords() -> Network:
    """Segments, services, nodes and roles called as nft and BIND call their own things, with a rule of every kind."""
    rules = (
        n.rule(1, "allow", "segments:*", "system:dns"),
        n.rule(2, "allow", "role:set", "segment:any", ports.ANY, guard=n.MFA),
        n.rule(3, "allow", "segment:drop", "external:net", (*n.tcp(443), (58, 58, 128, 128))),
        n.rule(4, "allow", "external:lab", "service:log"),
        n.rule(5, "allow", "external:net", "service:ip", validity=n.Validity(windows=(n.DAYTIME,))),
        n.rule(6, "allow", "device:pump", "segment:fwd", n.udp(5000, 5100)),
        n.rule(7, "deny", "role:map", "service:ip", n.tcp(443), guard=n.HEALTHY),
    )
    return n.number(base(rules))


def hostile() -> Network:
    """The same with hostile words wherever the language lets people write freely."""
    network = keywords()
    intent = network.intent
    changes: dict[str, Any] = {
        name: tuple(each.model_copy(update={"doc": HOSTILE[index % len(HOSTILE)]}) for index, each in enumerate(getattr(intent, name)))
        for name in ("sites", "nodes", "segments", "roles", "services", "externals", "rules")
    }
    changes["rules"] = tuple(each.model_copy(update={"because": HOSTILE[0]}) for each in changes["rules"])
    return network.model_copy(update={"intent": intent.model_copy(update=changes)})


def reversed_network(network: Network) -> Network:
    """The same network with its collections the other way round."""
    intent = network.intent
    turned = {name: tuple(reversed(value)) for name, value in dict(intent).items() if isinstance(value, tuple)}
    around = {name: tuple(reversed(value)) for name, value in dict(network).items() if isinstance(value, tuple)}
    return network.model_copy(update={**around, "intent": intent.model_copy(update=turned)})


CROSSING = """
label bound { within DE }
site t in home {
  node h { underlay 2001:db8::2; serves gateway }
  node i { underlay 2001:db8::3; serves gateway }
}
link g -- h { macsec }
link h -- i
segment deep { at t; carries bound; addressing dhcp }
segment wide { at t }
service files on deep { listen tcp/445; replicas 2 }
service print on wide { listen tcp/631; replicas 2 }
allow desks to files
allow deep to print
"""


def crossing() -> Network:
    """Grants into a stricter isolation domain and out of it, segments on several nodes, DHCP in one of them."""
    network = support.network(CROSSING)
    keys = tuple(n.public_key(each.name) for each in network.intent.nodes)
    return network.model_copy(update={"intent": network.intent.model_copy(update={"public_keys": keys})})


MANAGED = """
segment desk { at s; admits people }
role operator { from desk; requires user.mfa }
"""

DENYING = """
allow desk to files
deny desk to files on tcp/400-500, icmp
allow operator to print on tcp/9100-9102
deny operator to print on tcp/9101
deny lab to wide on tcp/1-1023
deny desks to print on udp/53 between 08:00 and 18:00
deny staff to files on tcp/22
deny lab to internet
"""


def managed() -> Network:
    """A node that is reached by whoever sits in one segment, and by a role in another; by ping too. Denies of every kind."""
    said = "timezone Europe/Berlin\n  manage from operator on tcp/22, icmp\n  manage from lab on tcp/443, udp/1000-2000"
    network = support.network(CROSSING + MANAGED + DENYING, frame=support.FRAME.replace("timezone Europe/Berlin", said))
    keys = tuple(n.public_key(each.name) for each in network.intent.nodes)
    return network.model_copy(update={"intent": network.intent.model_copy(update={"public_keys": keys})})


OBSERVING = """
segment trial { at s, t; admits people }
service beta on trial { listen tcp/8080; replicas 2 }
allow staff to beta { log to beta }
allow lab to trial on tcp/22, icmp { log to beta }
allow desks to beta on udp/9 between 08:00 and 18:00 { log to beta }
allow desks to internet on tcp/443 { log to beta }
allow internet to beta { log to beta }
deny desks to trial on tcp/23
deny desks to print on tcp/23, icmp
"""


def observing() -> Network:
    """A segment that only observes, on two nodes, with a grant into it; two isolation domains."""
    network = support.network(CROSSING + OBSERVING.replace("admits people }", "admits people; observe }"))
    keys = tuple(n.public_key(each.name) for each in network.intent.nodes)
    return network.model_copy(update={"intent": network.intent.model_copy(update={"public_keys": keys})})


GATHERING = """
segment stage { at s; multicast ff15::/32, ff35::/32; mdns }
segment talk { at s, t; mdns }
segment film { at s; multicast }
allow desks to stage on tcp/7000
"""
PORTS = "attach p1 to stage; attach p2 vlan 7 to stage; attach p3 to talk; attach p4 to talk; attach p5 to film; attach p6 to film"


def gathering() -> Network:
    """Segments whose hosts hear each other's groups: some groups, multicast DNS alone, and every group but that."""
    whole = "underlay 2001:db8::1; serves gateway, resolver"
    network = support.network(CROSSING + GATHERING, frame=support.FRAME.replace(whole, f"{whole}; {PORTS}"))
    keys = tuple(n.public_key(each.name) for each in network.intent.nodes)
    return network.model_copy(update={"intent": network.intent.model_copy(update={"public_keys": keys})})


CASES = {"hospital": n.hospital, "keywords": keywords, "hostile": hostile, "crossing": crossing, "managed": managed, "observing": observing}
CASES["gathering"] = gathering
