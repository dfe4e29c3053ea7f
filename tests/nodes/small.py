"""A small network whose names are keywords elsewhere, everybody who may sit in it, and every flow on which specs and `decide` differ."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from itertools import product

from tests.nodes import networks as n
from tests.nodes.passage import passes
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import DevicePrincipal, Flow, Host, Person, Place, Principal, ServiceEndpoint
from ztosc.ir.intent import DeviceClass, External, Intent, Label, Region, Role, Service, Site, System
from ztosc.ir.network import Network
from ztosc.nodes import NodeSpec, project

SEGMENTS = ("any", "drop", "fwd")
INSTANTS = (n.AT, n.LATE, n.NOON)


def base(rules: tuple[object, ...]) -> Intent:
    """Three segments over two sites, names that are keywords elsewhere."""
    return Intent.model_validate(
        {
            "network": n.settings(),
            "regions": (n.named(Region, "home"),),
            "sites": (n.named(Site, "one", region="home"), n.named(Site, "two", region="home")),
            "nodes": (
                n.node("accept", "one", 0x11, ("gateway", "resolver"), "any", "fwd"),
                n.node("jump", "one", 0x12, ("gateway",), "any"),
                n.node("queue", "two", 0x21, ("gateway", "nat64"), "drop", "fwd"),
            ),
            "links": (n.link("accept", "jump", macsec=True), n.link("accept", "queue"), n.link("jump", "queue")),
            "labels": (n.named(Label, "red", psk=True, rekey=30 * 86400),),
            "devices": (n.named(DeviceClass, "pump"),),
            "attributes": n.ATTRIBUTES,
            "segments": (
                n.segment("any", "one", people=True, carries=("red",)),
                n.segment("drop", "two", admits=("pump",)),
                n.segment("fwd", "one", "two", people=True, admits=("pump",), carries=("red",)),
            ),
            "roles": (
                n.named(Role, "map", sources=("any",), requires=n.MFA),
                n.named(Role, "set", sources=("any", "fwd"), includes=("map",)),
            ),
            "services": (
                n.named(Service, "ip", segment="any", listen=n.tcp(443), replicas=3, dns_name="ip"),
                n.named(Service, "log", segment="fwd", listen=(*n.tcp(80), *n.udp(500)), dns_name="log"),
            ),
            "externals": (n.named(External, "lab", reach=("2001:db8:77::/48",)), n.named(External, "net", reach=("::/0", "0.0.0.0/0"))),
            "systems": (n.named(System, "dns", served_by="resolver", listen=n.udp(53)),),
            "rules": rules,
        }
    )


ATTRIBUTE_SETS: tuple[tuple[tuple[str, object], ...], ...] = (
    (),
    (("user.mfa", True),),
    (("user.mfa", False),),
    (("device.health", "healthy"), ("user.mfa", True)),
    (("device.health", "degraded"), ("user.mfa", True)),
)


def principals(segment: str) -> list[Principal]:
    """Whoever may sit in a segment."""
    found = [(roles, facts) for roles in (("map",), ("set",)) for facts in ATTRIBUTE_SETS]
    people = [Person.model_validate({"roles": roles, "attributes": facts}) for roles, facts in found]
    services = [ServiceEndpoint(service=name) for name, home in HOMES if home == segment]
    return [*people, *services, DevicePrincipal(device="pump"), Host(attributes=(("user.mfa", True),)), Host()]


HOMES = (("ip", "any"), ("log", "fwd"))
WHAT = ((6, 443), (6, 80), (17, 53), (17, 500), (58, 128), (47, 0), (6, 22))


def destinations(network: Network) -> list[tuple[Place, str]]:
    """An address of every kind of place, outside ones too."""
    found = [
        (Place(kind="segment", name=plan.segment), str(ipaddress.IPv6Network(place.prefix)[0x4000]))
        for plan in network.segments
        for place in plan.places
    ]
    homes = {service.name: service.segment for service in network.intent.services}
    found += [(Place(kind="segment", name=homes[each.service], service=each.service), each.address) for each in network.endpoints]
    found += [(Place(kind="system", name=each.system), each.address) for each in network.anycast]
    translated = str(ipaddress.IPv6Network(network.nat64_prefix)[int(ipaddress.IPv4Address("192.0.2.1"))])
    beyond = {"net": ("2600::1", translated), "internet": ("2600::1", translated), "lab": ("2001:db8:77::9",)}
    found += [(Place(kind="external", name=each.name), address) for each in network.intent.externals for address in beyond[each.name]]
    return found


def sources(network: Network, specs: tuple[NodeSpec, ...], principal: Principal) -> list[tuple[str, str, str]]:
    """Every (node, segment, address) where the principal may sit."""
    if isinstance(principal, ServiceEndpoint):
        homes = {service.name: service.segment for service in network.intent.services}
        return [(each.node, homes[each.service], each.address) for each in network.endpoints if each.service == principal.service]
    return [(spec.node, each.segment, str(ipaddress.IPv6Network(each.prefix)[0x3000])) for spec in specs for each in spec.segments]


@lru_cache(maxsize=1)
def _built(network: Network) -> tuple[tuple[NodeSpec, ...], Policy]:
    return project(network), Policy(network.intent)


def disagreements(network: Network, principal: Principal, instants: tuple[int, ...], what: tuple[tuple[int, int], ...]) -> list[str]:
    """Flows of a principal on which specs and `decide` differ."""
    specs, policy = _built(network)
    found = []
    ways = product(sources(network, specs, principal), destinations(network), what, instants)
    for (node, segment, source), (place, address), (protocol, port), instant in ways:
        origin = Place(kind="segment", name=segment)
        flow = Flow(source=origin, principal=principal, destination=place, protocol=protocol, port=port, instant=instant)
        wanted = policy.decide(flow).allowed
        if passes(network, specs, (node, segment, source, address), principal, (protocol, port), instant) != wanted:
            found.append(f"{node} {source} -> {address} {protocol}/{port} at {instant}: decide says {wanted}")
    return found
