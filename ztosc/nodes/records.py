"""The DNS zones of a network as record sets.

Guarantees: every service has AAAA records under its name and one for each replica, an SRV record for each single TCP or UDP port
(RFC 2782), every node an AAAA record, every such address a PTR record where one of the network's reverse zones holds it
(RFC 3596 §2.5); the SOA record comes first, the rest is sorted.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterator

from ztosc.ir.intent import Service
from ztosc.ir.network import Network, Zone
from ztosc.nodes.spec import Record, ZoneSpec

TTL = 300
"""Seconds."""

TIMERS = "3600 600 1209600 300"
"""Refresh, retry, expire, negative caching (RFC 1035 §3.3.13, RFC 2308), in seconds."""

SRV_PROTOCOLS = {6: "tcp", 17: "udp"}
LABEL = 63
"""The longest label in octets (RFC 1035 §2.3.4)."""


def zones(network: Network) -> tuple[ZoneSpec, ...]:
    """Every zone of a network with its records."""
    found = sorted(set(_forward(network)) | set(_reverse(network)), key=lambda record: (record.name, record.type, record.value))
    names = [f"{zone.name.rstrip('.')}." for zone in network.zones]
    return tuple(
        ZoneSpec(
            name=name,
            ttl=TTL,
            records=(_soa(network, zone), *_apex(network, name), *(record for record in found if _zone_of(record.name, names) == name)),
        )
        for zone, name in sorted(zip(network.zones, names, strict=True), key=lambda pair: pair[1])
    )


def _zone_of(name: str, zones: list[str]) -> str | None:
    """The closest zone above a name."""
    return max((zone for zone in zones if name == zone or name.endswith("." + zone)), key=len, default=None)


def node_names(network: Network) -> dict[str, str]:
    """The absolute DNS name of each node."""
    return {node.name: f"{node.name}.{node.site}.{network.intent.network.domain}." for node in network.intent.nodes}


def _resolvers(network: Network) -> list[str]:
    return sorted(node.name for node in network.intent.nodes if "resolver" in node.serves)


def _soa(network: Network, zone: Zone) -> Record:
    name = f"{zone.name.rstrip('.')}."
    contact = f"hostmaster.{network.intent.network.domain}."
    return Record(name=name, type="SOA", value=f"{node_names(network)[_resolvers(network)[0]]} {contact} {zone.serial} {TIMERS}")


def _apex(network: Network, zone: str) -> tuple[Record, ...]:
    names = node_names(network)
    return tuple(Record(name=zone, type="NS", value=names[node]) for node in _resolvers(network))


def _forward(network: Network) -> Iterator[Record]:
    domain = network.intent.network.domain
    for name, address in _named(network):
        yield Record(name=name, type="AAAA", value=address)
    endpoints: dict[str, list[str]] = defaultdict(list)
    for endpoint in network.endpoints:
        endpoints[endpoint.service].append(endpoint.address)
    for service in network.intent.services:
        yield from (Record(name=f"{service.dns_name}.{domain}.", type="AAAA", value=address) for address in endpoints[service.name])
        yield from _srv(service, domain)


def _named(network: Network) -> Iterator[tuple[str, str]]:
    """Each address under the one name that its PTR gives back: replicas as `<number>.<service>`, nodes at their first loopback."""
    dns_names = {service.name: service.dns_name for service in network.intent.services}
    for endpoint in network.endpoints:
        yield f"{endpoint.replica}.{dns_names[endpoint.service]}.{network.intent.network.domain}.", endpoint.address
    names = node_names(network)
    for node in network.nodes:
        if node.loopbacks:
            yield names[node.node], node.loopbacks[0].address


def _srv(service: Service, domain: str) -> Iterator[Record]:
    if len(service.dns_name) >= LABEL:  # the underscore would not fit
        return
    for low, high, first, last in service.listen:
        if low == high and low in SRV_PROTOCOLS and first == last:
            owner = f"_{service.dns_name}._{SRV_PROTOCOLS[low]}.{domain}."
            yield Record(name=owner, type="SRV", value=f"0 0 {first} {service.dns_name}.{domain}.")


def _reverse(network: Network) -> Iterator[Record]:
    for name, address in _named(network):
        yield Record(name=f"{ipaddress.ip_address(address).reverse_pointer}.", type="PTR", value=name)
