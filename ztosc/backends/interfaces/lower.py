"""A node's spec to its interfaces.

A VRF, an L3VNI's VXLAN and its bridge (the SVI) for each isolation domain; a bridge for each segment that lives here; one WireGuard
interface a link, and under it a MACsec interface where the link says so. Guarantees: a name depends on its own numbers alone, so what is
added elsewhere renames nothing here; no two are alike. Raises `BackendFault` for what no kernel would take: `unsupported` says so before.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from ztosc.backends.base import BackendFault
from ztosc.backends.interfaces.model import NAME, Interface, Interfaces, Port, Route, Rule
from ztosc.ir.spaces import macsec_name, vlan_name, vrf_name
from ztosc.logic import addresses, intervals
from ztosc.nodes import sizes
from ztosc.nodes.spec import LocalSegment, NodeSpec, Transit, TunnelSide, intervals_of

DEAF = {"ipv6/accept_ra": "0", "ipv6/accept_redirects": "0", "ipv6/disable_ipv6": "0"}
"""Nobody on the other side may tell us routes or addresses."""
ROUTED = {**DEAF, "ipv4/forwarding": "0", "ipv6/forwarding": "1"}
"""Hosts and domains speak IPv6; IPv4 from them is never forwarded."""
GATEWAY = {**ROUTED, "ipv6/accept_dad": "0"}
"""The same gateway answers on every node of the site: it must not take its other self for a duplicate."""
# A VTEP's packet may come back another way than it went; AllowedIPs say more about its source than reverse path filtering would.
TUNNEL = {**DEAF, "ipv4/forwarding": "1", "ipv4/rp_filter": "0", "ipv6/forwarding": "1"}
UNROUTED = {**DEAF, "ipv4/forwarding": "0"}
PORT = {"ipv6/disable_ipv6": "1"}
"""A port of a bridge has no addresses of its own."""

PURPOSE = 200
"""Characters; the kernel keeps 255 bytes of an alias."""

EVERYWHERE = {"ipv6/conf/all/forwarding": "1"}
"""Without it no interface forwards IPv6, whatever its own sysctl says. IPv4 needs no such switch."""
SERVES = {"ipv4/tcp_l3mdev_accept": "1", "ipv4/udp_l3mdev_accept": "1"}
"""Who listens outside every VRF takes what comes in by any of them (both families): one name server answers all isolation domains."""
ANSWERS = 31348
"""The routing table of answers that system services send: no L3VNI has that number."""


def lower(spec: NodeSpec) -> Interfaces:
    """Everything of ours below the daemons of a node."""
    found = [*_domains(spec), *_segments(spec), *_tunnels(spec)]
    model = Interfaces(
        node=spec.node,
        underlay=str(ipaddress.ip_address(spec.underlay)),
        loopback=tuple(sorted(_single(address) for each in spec.loopbacks for address in (each.address, each.vtep))),
        sysctls={**EVERYWHERE, **SERVES} if spec.systems else EVERYWHERE,
        ports=_ports(spec),
        interfaces=tuple(sorted(found, key=lambda each: each.name)),
        routes=tuple(sorted({*_routes(spec), *_held(spec), *_ways_out(spec), *_answers(spec)}, key=_place)),
        rules=tuple(sorted(_rules(spec), key=lambda each: (each.vrf or "", each.prefix or "", each.source or "", each.table))),
    )
    _check(model)
    return model


def _check(model: Interfaces) -> None:
    names = [*(each.name for each in model.interfaces), *(each.name for each in model.ports)]
    if len(set(names)) != len(names):
        raise BackendFault(f"node {model.node} would have two interfaces of one name")
    for name in names:
        if not NAME.fullmatch(name):
            raise BackendFault(f"node {model.node} cannot have an interface {name!r}")


def _domains(spec: NodeSpec) -> Iterator[Interface]:
    systems = _anycast(spec)
    for each in spec.transits:
        title = _purpose(f"domain {each.domain}")
        yield Interface(
            name=vrf(each), kind="vrf", purpose=title, table=each.l3vni, link_local=False, addresses=systems, sysctls=dict(UNROUTED)
        )
        mac = _mac(0x7B, int(ipaddress.IPv4Address(_vtep(spec, each.domain))))
        yield Interface(
            name=each.interface,
            kind="bridge",
            purpose=title,
            master=vrf(each),
            mtu=each.mtu,
            mac=mac,
            link_local=True,
            sysctls=dict(ROUTED),
        )
        yield _vxlan(spec, each, each.l3vni, each.interface, title, isolated=False)


def _vxlan(spec: NodeSpec, transit: Transit, vni: int, bridge: str, purpose: str, *, isolated: bool) -> Interface:
    return Interface(
        name=f"zx{vni}",
        kind="vxlan",
        purpose=purpose,
        master=bridge,
        mtu=transit.mtu,
        vni=vni,
        local=_vtep(spec, transit.domain),
        isolated=isolated,
        link_local=False,
        sysctls=dict(PORT),
    )


def _segments(spec: NodeSpec) -> Iterator[Interface]:
    transits = {each.domain: each for each in spec.transits}
    for each in sorted(spec.segments, key=lambda segment: segment.segment):
        if each.domain not in transits:
            raise BackendFault(f"segment {each.segment} lives on node {spec.node}, which may not hold domain {each.domain}")
        transit, title = transits[each.domain], _purpose(f"segment {each.segment}")
        yield _gateway(each, transit, title)
        if len(each.nodes) > 1:
            # Isolated like every port: it tells the other nodes where a host is (EVPN type 2), and never carries a frame between two
            # hosts past the filters. What they say to each other is routed, over the domain's L3VNI.
            yield _vxlan(spec, transit, each.vni, each.interface, title, isolated=True)
        yield from (_vlan(port.port, port.vlan, each, title) for port in each.attachments if port.vlan is not None)


def _gateway(segment: LocalSegment, transit: Transit, purpose: str) -> Interface:
    length = ipaddress.IPv6Network(segment.prefix).prefixlen
    return Interface(
        name=segment.interface,
        kind="bridge",
        purpose=purpose,
        master=vrf(transit),
        mtu=transit.mtu,
        mac=_mac(0x7A, segment.vni),
        link_local=True,
        addresses=(f"{ipaddress.IPv6Address(segment.gateway)}/{length}",),
        sysctls=dict(GATEWAY),
    )


def _vlan(port: str, vlan: int, segment: LocalSegment, purpose: str) -> Interface:
    return Interface(
        name=vlan_name(port, vlan),
        kind="vlan",
        purpose=_purpose(f"{purpose}, port {port} vlan {vlan}"),
        master=segment.interface,
        parent=port,
        vlan=vlan,
        isolated=not segment.gathers,
        link_local=False,
        sysctls=dict(PORT),
    )


def _tunnels(spec: NodeSpec) -> Iterator[Interface]:
    for side in spec.tunnels:
        title = _purpose(f"link {side.link}")
        inner = (f"{ipaddress.IPv6Address(side.own_address)}/127", _link_local(side.own_address) + "/64")
        yield Interface(
            name=side.interface, kind="wireguard", purpose=title, mtu=side.mtu, link_local=False, addresses=inner, sysctls=dict(TUNNEL)
        )
        if side.macsec:
            yield Interface(
                name=macsec(side),
                kind="macsec",
                purpose=title,
                mtu=sizes.protected_underlay(True),
                holding=str(ipaddress.ip_address(side.own_underlay)),
                sci_port=side.port,
                link_local=False,
                addresses=(_link_local(side.own_address) + "/64",),
                sysctls=dict(UNROUTED),
            )


def _ports(spec: NodeSpec) -> tuple[Port, ...]:
    masters: dict[str, str | None] = {}
    for segment in spec.segments:
        for each in segment.attachments:
            plain = segment.interface if each.vlan is None else None
            if plain is not None and masters.get(each.port) is not None:
                raise BackendFault(f"port {each.port} of node {spec.node} would carry two segments")
            masters[each.port] = plain or masters.get(each.port)
    gathering = {each.interface for each in spec.segments if each.gathers}
    return tuple(Port(name=name, master=masters[name], gathers=masters[name] in gathering or None) for name in sorted(masters))


def _routes(spec: NodeSpec) -> Iterator[Route]:
    """Walls: a route that is lost must end in nothing, not in the default route."""
    for each in spec.transits:
        yield from (Route(type="blackhole", prefix=pool) for pool in each.pools)
        yield from (Route(type="unreachable", prefix=default, table=each.l3vni) for default in ("0.0.0.0/0", "::/0"))
    for side in spec.tunnels:
        if side.macsec:
            peer = _single(side.peer_underlay)
            source, via = str(ipaddress.ip_address(side.own_underlay)), _link_local(side.peer_address)
            yield Route(type="unicast", prefix=peer, via=via, dev=macsec(side), source=source)
            yield Route(type="blackhole", prefix=peer)


def _held(spec: NodeSpec) -> Iterator[Route]:
    """What sits here and only a route can say so: BGP announces it."""
    for each in spec.fabric.held:
        yield Route(type="unicast", prefix=_single(each.prefix), dev=each.interface, table=each.table)


def _rules(spec: NodeSpec) -> Iterator[Rule]:
    """What a laxer domain sends to a stricter one: by a rule, for a route out of a VRF would send the packet a second time."""
    for each in spec.fabric.detours:
        yield Rule(vrf=each.vrf, prefix=_single(each.prefix), table=each.table)
    yield from (Rule(source=source, table=ANSWERS) for source in _anycast(spec))


def _place(route: Route) -> tuple[int, str, str, str]:
    return (route.table or 0, route.prefix, route.type, route.dev or "")


def _ways_out(spec: NodeSpec) -> Iterator[Route]:
    """Segments that exchange flows with externals: out of the VRF by the main table, and back to the segment.

    Only what the policy writes as an external's reach is thrown, and behind it the whole overlay is walled off: a route of it that is
    lost must not become a way to the underlay.
    """
    leaving = [each for each in spec.segments if each.beyond]
    for transit in spec.transits:
        beyond = {prefix for each in leaving if each.domain == transit.domain for prefix in each.beyond}
        yield from (Route(type="throw", prefix=prefix, table=transit.l3vni) for prefix in beyond)
        yield from (Route(type="unreachable", prefix=prefix, table=transit.l3vni) for prefix in _overlay(spec) if beyond)
    # By the bridge itself: through `zvN` a packet would be forwarded and then sent again, past the size of the segment.
    yield from (Route(type="unicast", prefix=_network(each.prefix), dev=each.interface) for each in leaving)
    yield from (Route(type="blackhole", prefix=_network(spec.fabric.prefix)) for _ in leaving)


def _answers(spec: NodeSpec) -> Iterator[Route]:
    """Where an answer goes that a system service sends from outside every VRF: into that of whoever asked, or nowhere."""
    if not spec.systems:
        return
    yield Route(type="unreachable", prefix="::/0", table=ANSWERS)
    names = {each.domain: vrf(each) for each in spec.transits}
    for way in spec.clients:
        yield Route(type="unicast", prefix=_network(way.prefix), table=ANSWERS, dev=names[way.domain])


def _anycast(spec: NodeSpec) -> tuple[str, ...]:
    return tuple(sorted({_single(each.address) for each in spec.systems}))


def _overlay(spec: NodeSpec) -> tuple[str, ...]:
    """Every address of ours, and of our NAT64."""
    return addresses.prefixes(intervals.subtract(intervals_of(spec.ours), addresses.ALL4))


def _network(prefix: str) -> str:
    return str(ipaddress.ip_network(prefix))


def _purpose(text: str) -> str:
    """What an alias may hold: nothing that a script, a filter or a terminal would take for more than a word."""
    return re.sub(r"[^A-Za-z0-9 ,._-]", "_", text)[:PURPOSE]


def vrf(transit: Transit) -> str:
    """The name of a domain's VRF."""
    return vrf_name(transit.l3vni)


def macsec(side: TunnelSide) -> str:
    """The name of the MACsec interface of a link."""
    return macsec_name(side.port)


def _vtep(spec: NodeSpec, domain: str) -> str:
    for each in spec.loopbacks:
        if each.domain == domain:
            return str(ipaddress.IPv4Address(each.vtep))
    raise BackendFault(f"node {spec.node} has no VTEP in domain {domain}")


def _single(address: str) -> str:
    return str(ipaddress.ip_network(address))


def _link_local(inner: str) -> str:
    """The link-local address of a tunnel's end: its inner interface identifier, so both ends know both."""
    low = int(ipaddress.IPv6Address(inner)) & ((1 << 64) - 1)
    return str(ipaddress.IPv6Address((0xFE80 << 112) | low))


def _mac(kind: int, number: int) -> str:
    """A locally administered address (IEEE 802 §8.4): the same gateway on every node of a segment, another router on every node."""
    return ":".join(f"{each:02x}" for each in (0x02, kind, *number.to_bytes(4, "big")))
