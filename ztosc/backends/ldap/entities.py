"""Entries about what exists: places, nodes, links, labels, segments, services and the like.

Guarantees: an entry refers upwards (a node to its site, a loopback to its domain), never from the many to the one, so that what is
added changes the entries about it and its neighbours alone.
"""

from __future__ import annotations

from ztosc.backends.ldap.names import Path
from ztosc.backends.ldap.schema import fact_name
from ztosc.backends.ldap.tree import Given, Tree
from ztosc.ir.base import canonical
from ztosc.ir.intent import Node, Segment, Service
from ztosc.ir.network import Endpoint, Network, NodePlan, SegmentPlan
from ztosc.ir.values import Jurisdiction
from ztosc.logic import ports
from ztosc.logic.ports import Boxes


def entities(tree: Tree, network: Network) -> None:
    """Add all of them."""
    _network(tree, network)
    _places(tree, network)
    _nodes(tree, network)
    _links(tree, network)
    _kinds(tree, network)
    _segments(tree, network)
    _services(tree, network)


def port_names(boxes: Boxes) -> list[str]:
    """Each part of a set of ports as the language writes it."""
    return [ports.text((box,)) for box in boxes]


def _within(found: Jurisdiction | None) -> dict[str, Given]:
    return {"Within": found.text, "Countries": found.countries} if found else {}


def _network(tree: Tree, network: Network) -> None:
    given: dict[str, Given] = {
        "Prefix": network.prefix,
        "Nat64Prefix": network.nat64_prefix,
        "Asn": network.asn,
        "Timezone": network.intent.network.timezone,
        "description": network.intent.network.doc,
    }
    tree.put(tree.root, ("domain", "ztosNetwork"), given)
    for domain in network.domains:
        given = {"L3vni": domain.l3vni, "Interface": domain.interface, **_within(domain.within)}
        tree.put(tree.path("domains", domain.name), ("ztosDomain",), given)


def _places(tree: Tree, network: Network) -> None:
    for region in network.intent.regions:
        given: dict[str, Given] = {"Country": region.country, "Evidence": region.evidence, "description": region.doc}
        tree.put(tree.path("regions", region.name), ("ztosRegion",), given)
    for site in network.intent.sites:
        given = {"RegionRef": tree.ref("regions", site.region), "description": site.doc}
        tree.put(tree.path("sites", site.name), ("ztosSite",), given)


def _nodes(tree: Tree, network: Network) -> None:
    plans = {plan.node: plan for plan in network.nodes}
    for node in network.intent.nodes:
        plan = plans[node.name]
        given: dict[str, Given] = {
            "SiteRef": tree.ref("sites", node.site),
            "Serves": node.serves,
            "Underlay": node.underlay,
            "Asn": plan.asn,
            "RouterId": plan.router_id,
            "ProfileRef": tree.ref("profiles", node.name),
            "description": node.doc,
        }
        above = tree.put(tree.path("nodes", node.name), ("ztosNode",), given)
        _loopbacks(tree, above, plan, f"{node.name}.{node.site}.{network.intent.network.domain}")
        _ports(tree, above, node)


def _loopbacks(tree: Tree, above: Path, plan: NodePlan, name: str) -> None:
    """As in DNS, the node's name is that of its first loopback."""
    for number, loopback in enumerate(plan.loopbacks):
        given: dict[str, Given] = {"DomainRef": tree.ref("domains", loopback.domain), "Address": loopback.address, "Vtep": loopback.vtep}
        given["associatedDomain"] = None if number else name
        tree.add(("cn", f"loopback {loopback.domain}"), above, "ztosLoopback", **given)


def _ports(tree: Tree, above: Path, node: Node) -> None:
    for port in node.attachments:
        label = port.port if port.vlan is None else f"{port.port} vlan {port.vlan}"
        given: dict[str, Given] = {"PortName": port.port, "Vlan": port.vlan, "PortKind": port.kind}
        given["SegmentRef"] = tree.ref("segments", port.segment)
        tree.add(("cn", f"port {label}"), above, "ztosNodePort", **given)


def _links(tree: Tree, network: Network) -> None:
    tunnels = {tunnel.link: tunnel for tunnel in network.tunnels}
    for link in network.intent.links:
        tunnel = tunnels.get(link.name)
        given: dict[str, Given] = {
            "EndARef": tree.ref("nodes", link.a),
            "EndBRef": tree.ref("nodes", link.b),
            "Macsec": link.macsec,
            "Cost": link.cost,
            "Bandwidth": link.bandwidth,
        }
        if tunnel is not None:
            given |= {"Interface": tunnel.interface, "EndAAddress": tunnel.a_address, "EndBAddress": tunnel.b_address}
            given |= {"UdpPort": tunnel.port, "AdmitsRef": tree.refs("domains", tunnel.domains)}
        tree.put(tree.path("links", link.name), ("ztosLink",), given)


def _kinds(tree: Tree, network: Network) -> None:
    """What segments and guards speak of: labels, device classes, attributes."""
    for label in network.intent.labels:
        given: dict[str, Given] = {"Encryption": label.encryption, "PreSharedKey": label.psk, "Rekey": label.rekey}
        given |= {"Retention": label.retention, "AboveRef": tree.refs("labels", label.above), "description": label.doc}
        tree.put(tree.path("labels", label.name), ("ztosLabel",), {**given, **_within(label.within)})
    for device in network.intent.devices:
        given = {"RecognisedBy": device.recognised_by, "Port": port_names(device.speaks or ()), "description": device.doc}
        tree.put(tree.path("devices", device.name), ("ztosDeviceClass",), given)
    for attribute in network.intent.attributes:
        given = {"ValueType": canonical(attribute.type).decode(), "LdapAttribute": fact_name(attribute.name)}
        given |= {"Source": attribute.source, "MaxAge": attribute.max_age, "description": attribute.doc}
        tree.put(tree.path("attributes", attribute.name), ("ztosAttributeDefinition",), given)


def _segments(tree: Tree, network: Network) -> None:
    plans = {plan.segment: plan for plan in network.segments}
    for segment in network.intent.segments:
        plan = plans[segment.name]
        above = tree.put(tree.path("segments", segment.name), ("ztosSegment",), _segment(tree, segment, plan))
        for place in plan.places:
            site = tree.ref("sites", place.site)
            nodes = tree.refs("nodes", place.nodes)
            tree.add(("cn", place.site), above, "ztosPlace", SiteRef=site, Prefix=place.prefix, Gateway=place.gateway, NodeRef=nodes)


def _segment(tree: Tree, segment: Segment, plan: SegmentPlan) -> dict[str, Given]:
    return {
        "Vni": plan.vni,
        "DomainRef": tree.ref("domains", plan.domain),
        "Interface": plan.interface,
        "Addressing": plan.addressing,
        "LabelRef": tree.refs("labels", segment.carries),
        "DeviceRef": tree.refs("devices", segment.admits),
        "AdmitsPeople": segment.admits_people,
        "AdmitsUnknown": segment.admits_unknown,
        "Stretched": segment.stretched,
        "Mdns": segment.mdns,
        "AccessTunnel": segment.access_tunnel,
        "Observe": segment.observe,
        "Ipv4Prefix": segment.ipv4,
        "Multicast": segment.multicast,
        "Lease": segment.lease,
        "Size": segment.size,
        "description": segment.doc,
        **_within(segment.within),
    }


def _services(tree: Tree, network: Network) -> None:
    endpoints: dict[str, list[Endpoint]] = {}
    for endpoint in network.endpoints:
        endpoints.setdefault(endpoint.service, []).append(endpoint)
    for service in network.intent.services:
        _service(tree, service, f"{service.dns_name}.{network.intent.network.domain}", endpoints.get(service.name, []))
    for external in network.intent.externals:
        given: dict[str, Given] = {"Prefix": external.reach, "description": external.doc}
        tree.put(tree.path("externals", external.name), ("ztosExternal",), given)
    addresses = {anycast.system: anycast.address for anycast in network.anycast}
    for system in network.intent.systems:
        given = {"Serves": system.served_by, "Port": port_names(system.listen), "Address": addresses.get(system.name)}
        tree.put(tree.path("systems", system.name), ("ztosSystem",), {**given, "description": system.doc})


def _service(tree: Tree, service: Service, name: str, endpoints: list[Endpoint]) -> None:
    given: dict[str, Given] = {
        "SegmentRef": tree.ref("segments", service.segment),
        "Port": port_names(service.listen),
        "Replicas": service.replicas,
        "associatedDomain": name,
        "description": service.doc,
    }
    above = tree.put(tree.path("services", service.name), ("ztosService",), given)
    for endpoint in endpoints:
        given = {"SiteRef": tree.ref("sites", endpoint.site), "NodeRef": tree.ref("nodes", endpoint.node), "Address": endpoint.address}
        tree.add(("cn", str(endpoint.replica)), above, "ztosEndpoint", **given, associatedDomain=f"{endpoint.replica}.{name}")
