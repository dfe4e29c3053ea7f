"""Networks built by hand: the hospital of docs/language.md, and a function that numbers any intent plainly."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
from typing import Any

from ztosc.ir.intent import (
    Attachment,
    Attribute,
    DeviceClass,
    External,
    Intent,
    Label,
    Link,
    NetworkSettings,
    Node,
    Region,
    Role,
    Rule,
    Segment,
    Separation,
    Service,
    Site,
    System,
)
from ztosc.ir.network import (
    AnycastService,
    Endpoint,
    IsolationDomain,
    Loopback,
    Network,
    NodePlan,
    SegmentPlan,
    SitePrefix,
    Tunnel,
    Zone,
)
from ztosc.ir.secrets import PublicKey
from ztosc.ir.values import AllOf, BoolType, Compare, Constant, EnumType, Guard, Ref, Validity, Value, Window
from ztosc.logic.ports import Boxes
from ztosc.source import Span

AT = 1_795_305_600
"""2026-11-22T00:00:00Z, a Sunday."""

NOON = AT + 17 * 3600
"""Noon in New York on that day."""

LATE = AT + 5 * 3600
"""Midnight there."""

PREFIX = ipaddress.IPv6Network("fd3c:91a2:77e0::/48")
TCP, UDP = 6, 17


def here(line: int, file: str = "network.ztos") -> Span:
    """A place in the sources."""
    return Span(file, line, 1, line, 2)


def tcp(first: int, last: int | None = None) -> Boxes:
    """`tcp/first-last`."""
    return ((TCP, TCP, first, last or first),)


def udp(first: int, last: int | None = None) -> Boxes:
    """`udp/first-last`."""
    return ((UDP, UDP, first, last or first),)


def is_(attribute: str, value: Value) -> Compare:
    """`attribute == value`."""
    return Compare(attribute=attribute, operator="==", operand=Constant(values=(value,)))


def ref(kind: str, name: str) -> Ref:
    """A resolved name."""
    return Ref.model_validate({"kind": kind, "name": name})


def rule(line: int, effect: str, subject: str, target: str, ports: Boxes | None = None, **more: Any) -> Rule:
    """A rule; ends are written `kind:name`, several with a blank between."""
    subjects = tuple(ref(*each.split(":")) for each in subject.split())
    targets = tuple(ref(*each.split(":")) for each in target.split())
    fields = {"effect": effect, "subjects": subjects, "targets": targets, "ports": ports, **more}
    return Rule(id=f"r-{line}", origin=here(line), **fields)


def segment(name: str, *at: str, people: bool = False, **more: Any) -> Segment:
    """A segment at sites."""
    return Segment(name=name, at=at, admits_people=people, origin=here(1), **more)


def node(name: str, site: str, number: int, serves: tuple[Any, ...], *attached: str) -> Node:
    """A node with one port a segment it carries."""
    ports = tuple(Attachment(port=f"eth{index + 2}", segment=each, origin=here(2)) for index, each in enumerate(attached))
    return Node(name=name, site=site, underlay=f"2001:db8:{number:x}::1", serves=serves, attachments=ports, origin=here(2))


def number(intent: Intent, *, at: int = AT) -> Network:
    """A network with plain numbers: the n-th segment at the n-th place has the n-th /64, and so on."""
    sites = [site.name for site in intent.sites]
    by_site = {site: [each for each in intent.nodes if each.site == site] for site in sites}
    plans = tuple(_plan(index, each, by_site, sites) for index, each in enumerate(intent.segments))
    keyed = (
        intent if intent.public_keys else intent.model_copy(update={"public_keys": tuple(public_key(node.name) for node in intent.nodes)})
    )
    return Network(
        intent=keyed,
        at=at,
        prefix=str(PREFIX),
        asn=4_200_000_000,
        nat64_prefix=str(_subnet(0xFF64, 96)),
        generation=1,
        domains=(IsolationDomain(name="general", index=0, l3vni=1000, interface="zt-d0", nodes=tuple(each.name for each in intent.nodes)),),
        nodes=tuple(_node_plan(index, each) for index, each in enumerate(intent.nodes)),
        tunnels=tuple(_tunnel(index, each) for index, each in enumerate(intent.links)),
        segments=plans,
        endpoints=tuple(_endpoints(intent, plans)),
        anycast=tuple(_anycast(index, each, intent) for index, each in enumerate(intent.systems)),
        zones=(Zone(name=intent.network.domain, serial=7), Zone(name="0.e.7.7.2.a.1.9.c.3.d.f.ip6.arpa", serial=9)),
    )


def link(a: str, b: str, *, macsec: bool = False) -> Link:
    """A link, its ends in order."""
    return Link(name=f"{a}--{b}", a=a, b=b, macsec=macsec, origin=here(4))


def public_key(node: str) -> PublicKey:
    """A key that nobody holds the other half of."""
    value = base64.b64encode(hashlib.sha256(node.encode()).digest()).decode()
    return PublicKey(purpose="wireguard", holder=node, epoch=1, value=value)


def _subnet(index: int, length: int = 64) -> ipaddress.IPv6Network:
    return ipaddress.IPv6Network((int(PREFIX.network_address) + (index << 64), length))


def _plan(index: int, each: Segment, by_site: dict[str, list[Node]], sites: list[str]) -> SegmentPlan:
    places = []
    for site in each.at:
        attached = [node.name for node in by_site[site] if any(port.segment == each.name for port in node.attachments)]
        prefix = _subnet(index * 16 + sites.index(site) + 1)
        nodes = tuple(attached or [node.name for node in by_site[site]])
        places.append(SitePrefix(site=site, prefix=str(prefix), gateway=str(prefix[1]), nodes=nodes))
    return SegmentPlan(
        segment=each.name, vni=100 + index, interface=f"zt-s{index}", domain="general", addressing=each.addressing, places=tuple(places)
    )


def _node_plan(index: int, each: Node) -> NodePlan:
    loopback = Loopback(domain="general", address=str(_subnet(0)[index + 1]), vtep=f"10.192.0.{index + 1}")
    return NodePlan(node=each.name, asn=4_200_000_001 + index, router_id=f"10.192.0.{index + 1}", loopbacks=(loopback,))


def _tunnel(index: int, link: Link) -> Tunnel:
    inner = _subnet(0xFF01)
    return Tunnel(
        link=link.name,
        interface=f"zt-w{index}",
        a_address=str(inner[2 * index]),
        b_address=str(inner[2 * index + 1]),
        port=51820 + index,
        domains=("general",),
    )


def _endpoints(intent: Intent, plans: tuple[SegmentPlan, ...]) -> list[Endpoint]:
    found = []
    for index, service in enumerate(intent.services):
        plan = next(plan for plan in plans if plan.segment == service.segment)
        spots = [(place, node) for place in plan.places for node in place.nodes]
        for replica in range(service.replicas):
            place, node = spots[replica % len(spots)]
            address = ipaddress.IPv6Network(place.prefix)[0x100 * (index + 1) + replica]
            found.append(Endpoint(service=service.name, replica=replica, site=place.site, node=node, address=str(address)))
    return found


def _anycast(index: int, system: System, intent: Intent) -> AnycastService:
    nodes = tuple(each.name for each in intent.nodes if system.served_by in each.serves)
    return AnycastService(system=system.name, address=str(_subnet(0xFF02)[index + 0x53]), nodes=nodes)


def settings(**more: Any) -> NetworkSettings:
    """The overlay's own declaration."""
    return NetworkSettings(name="mercy", domain="mercy.example", prefix=str(PREFIX), timezone="America/New_York", origin=here(1), **more)


def named(kind: Any, name: str, **more: Any) -> Any:
    """Any other declaration."""
    return kind(name=name, origin=here(3), **more)


MFA: Guard = is_("user.mfa", True)
HEALTHY: Guard = is_("device.health", "healthy")
DAYTIME = Window(start=6 * 3600, end=20 * 3600, days=(0, 1, 2, 3, 4, 5, 6), zone="America/New_York")

ATTRIBUTES = (
    named(Attribute, "device.health", type=EnumType(values=("healthy", "degraded", "unknown"), ordered=False)),
    named(Attribute, "device.managed", type=BoolType()),
    named(Attribute, "user.mfa", type=BoolType()),
)


def hospital_intent() -> Intent:
    """The hospital, without what it asserts."""
    return Intent(
        network=settings(),
        regions=(named(Region, "us-east", country="US"), named(Region, "eu-west", country="IE")),
        sites=(
            named(Site, "campus", region="us-east"),
            named(Site, "clinic", region="us-east"),
            named(Site, "dublin", region="eu-west"),
        ),
        nodes=(
            node("branch-1", "clinic", 0xB, ("gateway", "nat64"), "staff", "guest"),
            node("dr-1", "dublin", 0xC, ("gateway",)),
            node("edge-1", "campus", 0xA1, ("gateway", "reflector", "resolver", "directory"), "infusion", "staff", "ehr"),
            node("edge-2", "campus", 0xA2, ("gateway", "reflector", "resolver", "directory"), "ehr"),
        ),
        links=tuple(
            link(a, b, macsec=(a, b) == ("edge-1", "edge-2"))
            for a, b in (("branch-1", "edge-1"), ("branch-1", "edge-2"), ("dr-1", "edge-1"), ("edge-1", "edge-2"))
        ),
        labels=(named(Label, "internal"), named(Label, "phi"), named(Label, "public")),
        devices=(named(DeviceClass, "infusion-pump"),),
        attributes=ATTRIBUTES,
        segments=(
            segment("ehr", "campus", carries=("phi",), size=64),
            segment("guest", "clinic", people=True, carries=("public",)),
            segment("infusion", "campus", carries=("phi",), admits=("infusion-pump",)),
            segment("staff", "campus", "clinic", people=True, carries=("internal",)),
        ),
        roles=(
            named(Role, "auditor", sources=("staff",), requires=MFA),
            named(Role, "biomed", sources=("staff",), requires=MFA),
            named(Role, "clinician", sources=("staff",), requires=AllOf(parts=(MFA, HEALTHY))),
            named(Role, "contractor", sources=("staff",), requires=MFA),
        ),
        separations=(Separation(roles=("auditor", "biomed"), origin=here(5)),),
        services=(
            named(Service, "ehr-web", segment="ehr", listen=tcp(443), replicas=2, dns_name="ehr"),
            named(Service, "pump-hub", segment="ehr", listen=tcp(8883), dns_name="pump-hub"),
        ),
        externals=(named(External, "internet", reach=("::/0", "0.0.0.0/0")),),
        systems=(named(System, "dns", served_by="resolver", listen=(*tcp(53), *udp(53))),),
        rules=(
            rule(10, "allow", "segments:*", "system:dns"),
            rule(11, "allow", "role:clinician", "service:ehr-web"),
            rule(12, "allow", "segment:infusion", "service:pump-hub"),
            rule(
                13,
                "allow",
                "role:biomed",
                "segment:infusion",
                tcp(22),
                guard=is_("device.managed", True),
                validity=Validity(not_after=AT + 86_400 * 200, windows=(DAYTIME,)),
                because="CHG-2041 firmware campaign",
            ),
            rule(14, "allow", "segment:guest", "external:internet", (*tcp(80), *tcp(443), *udp(443))),
            rule(15, "deny", "role:contractor", "label:phi"),
        ),
    )


def hospital() -> Network:
    """The hospital, numbered by hand."""
    return number(hospital_intent())
