"""How the overlay prefix is cut up: the first 256 /64s are the nodes' own, the rest is for segments.

Guarantees: the parts are disjoint for every overlay prefix of /16 to /48. Units: subnet numbers count /64s from the start of the
overlay prefix.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from ztosc.logic import intervals

RESERVED = 256
"""Subnets 0 to 255 belong to the nodes: 0-63 loopbacks by isolation domain, 64 tunnels, 65 anycast services."""
MAX_DOMAINS = 64
TUNNELS = 64
ANYCAST = 65
VTEPS = ipaddress.IPv4Network("10.192.0.0/10")
"""Where the nodes' own IPv4 addresses lie, one /16 an isolation domain."""
NAT64 = "64:ff9b::/96"
"""The well-known prefix of NAT64 (RFC 6052 §2.1)."""
TRANSLATOR = "zn64"
"""The interface of a node's NAT64: what it translates leaves and comes in by it."""
TRANSLATED = "100.127.0.0/16"
"""IPv4 addresses that a node's NAT64 gives to hosts of ours, each node to its own: of RFC 6598, so nobody's on the internet."""


def subnet(prefix: str, number: int) -> ipaddress.IPv6Network:
    """The /64 of a number."""
    network = ipaddress.IPv6Network(prefix)
    return ipaddress.IPv6Network((int(network.network_address) + (number << 64), 64))


def subnet_count(prefix: str) -> int:
    """How many /64s the overlay prefix has."""
    return int(1 << (64 - ipaddress.IPv6Network(prefix).prefixlen))


def subnet_numbers(prefix: str, inner: str) -> range:
    """The numbers of the /64s of a prefix inside the overlay prefix."""
    inside = ipaddress.IPv6Network(inner)
    first = (int(inside.network_address) - int(ipaddress.IPv6Network(prefix).network_address)) >> 64
    return range(first, first + (1 << (64 - inside.prefixlen)))


def infrastructure(prefix: str) -> ipaddress.IPv6Network:
    """The part of the overlay prefix that is the nodes' own, a /56."""
    return ipaddress.IPv6Network((int(ipaddress.IPv6Network(prefix).network_address), 56))


@lru_cache(maxsize=1 << 10)  # one a domain, asked for by every tunnel
def loopback_pool(prefix: str, index: int) -> str:
    """The /64 of loopbacks of the isolation domain with that index."""
    return str(subnet(prefix, index))


def vtep_pool(index: int) -> str:
    """The VTEPs of an isolation domain: 10.(192 + index).0.0/16, so that 64 domains of 65,534 nodes fit into 10.192.0.0/10."""
    return f"10.{192 + index}.0.0/16"


def vtep(index: int, identity: int) -> str:
    """The VTEP of a node (by its number) in a domain."""
    return str(ipaddress.IPv4Network(vtep_pool(index))[identity])


def macsec_name(port: int) -> str:
    """The MACsec interface of a link, by the UDP port of its tunnel, which no other link has."""
    return f"zm{port}"


def vlan_name(port: str, vlan: int) -> str:
    """The name of a VLAN on a port, at most 15 characters whatever the port is called."""
    return f"zp{vlan}-{hashlib.sha256(port.encode()).hexdigest()[:8]}"


def vrf_name(l3vni: int) -> str:
    """The VRF of an isolation domain."""
    return f"zv{l3vni}"


def overlapping(named: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Pairs of names whose prefixes (of one family) overlap."""
    networks = [(ipaddress.ip_network(prefix), name) for prefix, name in named]
    return intervals.first_overlap((int(network.network_address), int(network.broadcast_address), name) for network, name in networks)
