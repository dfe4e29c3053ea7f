"""Who answers at an address: an endpoint, a segment, a system of the nodes, an external, or nobody.

Guarantees: the most specific prefix decides. An external has what language §4 leaves it: nothing of ours (overlay, underlay, NAT64 but for
the IPv4 address embedded in it, what a NAT64 calls our hosts), no link-local, multicast, loopback or mapped address, and private or
unique-local ones only where the source writes such a prefix.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from ztosc.ir.flow import Place
from ztosc.ir.network import Network
from ztosc.ir.spaces import TRANSLATED

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Prefix = ipaddress.IPv4Network | ipaddress.IPv6Network

NOWHERE = Place(kind="external", name="")
"""An end that no name stands for: every flow to it is denied."""

PRIVATE = tuple(ipaddress.ip_network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
"""RFC 1918 §3, RFC 6598 §7, RFC 4193 §3.1."""
NEVER = tuple(
    ipaddress.ip_network(each)
    for each in (
        *("::/128", "::1/128", "::ffff:0:0/96", "fe80::/10", "ff00::/8"),  # RFC 4291
        *("64:ff9b::/96", "64:ff9b:1::/48"),  # IPv4 behind somebody else's NAT64 (RFC 6052, RFC 8215)
        *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32"),  # RFC 6890
    )
)
"""What no external has, however widely it is written."""


class AddressBook:
    """Every address of a network, by longest prefix."""

    def __init__(self, network: Network) -> None:
        translating = any("nat64" in node.serves for node in network.intent.nodes)
        self._ours = [ipaddress.ip_network(each) for each in (network.prefix, *([TRANSLATED] if translating else []))]
        self._nat64 = ipaddress.IPv6Network(network.nat64_prefix)
        self._tables: dict[tuple[int, int], dict[int, Place]] = {}
        for prefix, place in _entries(network):
            self._tables.setdefault((prefix.version, prefix.prefixlen), {})[int(prefix.network_address)] = place
        self._lengths = {version: sorted((length for each, length in self._tables if each == version), reverse=True) for version in (4, 6)}

    def place(self, address: Address) -> Place:
        """What stands at an address; `NOWHERE` where nothing does."""
        if isinstance(address, ipaddress.IPv6Address) and address in self._nat64:
            return self.place(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
        found = self._longest(address)
        return NOWHERE if found is None or (found[1].kind == "external" and self._excluded(address, found[0])) else found[1]

    def _longest(self, address: Address) -> tuple[int, Place] | None:
        bits = address.max_prefixlen
        for length in self._lengths[address.version]:
            base = int(address) >> (bits - length) << (bits - length)
            place = self._tables[address.version, length].get(base)
            if place is not None:
                return length, place
        return None

    def _excluded(self, address: Address, length: int) -> bool:
        """Whether an external of that prefix length has no such address: nobody's, ours, or private and written wider."""
        wider = any(address in each and length < each.prefixlen for each in PRIVATE)
        return wider or any(address in each for each in (*self._ours, *NEVER))


def _entries(network: Network) -> Iterator[tuple[Prefix, Place]]:
    """Prefixes and what they stand for; where two are equal the later one counts."""
    for external in network.intent.externals:
        for reach in external.reach:
            yield ipaddress.ip_network(reach), Place(kind="external", name=external.name)
    for ours in (network.prefix, *(node.underlay for node in network.intent.nodes)):
        yield ipaddress.ip_network(ours), NOWHERE
    for segment in network.intent.segments:
        if segment.ipv4:
            yield ipaddress.ip_network(segment.ipv4), Place(kind="segment", name=segment.name)
    for plan in network.segments:
        for place in plan.places:
            yield ipaddress.ip_network(place.prefix), Place(kind="segment", name=plan.segment)
    for anycast in network.anycast:
        yield ipaddress.ip_network(anycast.address), Place(kind="system", name=anycast.system)
    homes = {service.name: service.segment for service in network.intent.services}
    for each in network.endpoints:
        yield ipaddress.ip_network(each.address), Place(kind="segment", name=homes[each.service], service=each.service)
