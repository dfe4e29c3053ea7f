"""Which addresses are ours, which are an external's, and which stand for a place in the network.

Guarantees: an external never holds an address of ours, of a link, of a group, of this machine, or one that embeds IPv4 other than
through our own NAT64; private and unique-local ranges only where they are written; two externals never share an address that a
more specific prefix gives to one of them.

What a node's own files say of an external is its outline; the underlay addresses inside it are withheld by `targets/underlay`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from ztosc.ir.network import Network
from ztosc.ir.spaces import TRANSLATED
from ztosc.logic import addresses, intervals
from ztosc.logic.intervals import Intervals

NEVER = (
    "::/128", "::1/128", "fe80::/10", "ff00::/8",  # RFC 4291
    "64:ff9b::/96", "64:ff9b:1::/48",  # IPv4 behind somebody's NAT64 (RFC 6052, RFC 8215): only ours is checked against the reach
    "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32",  # RFC 6890
)  # fmt: skip
PRIVATE = ("fc00::/7", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
"""RFC 4193, RFC 1918, RFC 6598."""


def overlay(network: Network) -> Intervals:
    """Every address of the overlay: prefixes of segments, loopbacks, tunnels, anycast, all else of the prefix, and NAT64's two."""
    places = [place.prefix for plan in network.segments for place in plan.places]
    loopbacks = [loopback.address for node in network.nodes for loopback in node.loopbacks]
    tunnels = [address for tunnel in network.tunnels for address in (tunnel.a_address, tunnel.b_address)]
    anycast = [service.address for service in network.anycast]
    translated = [TRANSLATED] if any("nat64" in node.serves for node in network.intent.nodes) else []
    return of_prefixes([network.prefix, network.nat64_prefix, *translated, *places, *loopbacks, *tunnels, *anycast])


def underlay(network: Network) -> Intervals:
    """Where the nodes reach each other: no external holds one of these."""
    return of_prefixes(node.underlay for node in network.intent.nodes)


def externals(network: Network) -> dict[str, Intervals]:
    """What each external reaches, in the joint space of both families."""
    nodes = underlay(network)
    return {name: intervals.subtract(reach, nodes) for name, reach in outlines(network, overlay(network)).items()}


def outlines(network: Network, ours: Intervals) -> dict[str, Intervals]:
    """The same with the underlay addresses still in it, which one file for all nodes withholds: a new node then changes no outline.

    Of a family in which nothing else is left, nothing is.
    """
    nodes = underlay(network)
    written = [(prefix, external.name) for external in network.intent.externals for prefix in external.reach]
    found: dict[str, Intervals] = {}
    for external in network.intent.externals:
        reach = intervals.union(*(_reach(prefix, external.name, written, ours) for prefix in external.reach))
        families = (intervals.intersect(reach, family) for family in (addresses.ALL4, addresses.ALL6))
        found[external.name] = intervals.union(*(each for each in families if intervals.subtract(each, nodes)))
    return found


def _reach(prefix: str, owner: str, written: Iterable[tuple[str, str]], ours: Intervals) -> Intervals:
    finer = of_prefixes(other for other, name in written if name != owner and _within(other, prefix) and not _within(prefix, other))
    private = of_prefixes(private for private in PRIVATE if not _within(prefix, private))
    return intervals.subtract(of_prefixes((prefix,)), intervals.union(finer, private, of_prefixes(NEVER), ours))


@lru_cache(maxsize=1 << 14)
def _within(inner: str, outer: str) -> bool:
    small, large = addresses.parsed(inner), addresses.parsed(outer)
    if isinstance(small, ipaddress.IPv6Network) and isinstance(large, ipaddress.IPv6Network):
        return small.subnet_of(large)
    if isinstance(small, ipaddress.IPv4Network) and isinstance(large, ipaddress.IPv4Network):
        return small.subnet_of(large)
    return False


def of_prefixes(prefixes: Iterable[str]) -> Intervals:
    """The addresses of prefixes; an IPv4-mapped IPv6 prefix holds none, for no packet may carry one (RFC 4291 §2.5.5.2)."""
    return addresses.of_prefixes(prefix for prefix in prefixes if not _within(prefix, "::ffff:0:0/96"))


def as_ipv6(parts: Intervals, nat64_prefix: str) -> Intervals:
    """How a host that speaks IPv6 alone addresses a set: IPv4 embedded in the NAT64 prefix (RFC 6052 §2.2, /96)."""
    return intervals.union(only_ipv6(parts), embedded(parts, nat64_prefix))


def only_ipv6(parts: Intervals) -> Intervals:
    """The IPv6 addresses of a set."""
    return intervals.subtract(parts, addresses.ALL4)


def embedded(parts: Intervals, nat64_prefix: str) -> Intervals:
    """The IPv4 addresses of a set as the NAT64 writes them."""
    shift = addresses.value(str(ipaddress.IPv6Network(nat64_prefix).network_address)) - addresses.MAPPED
    return tuple((low + shift, high + shift) for low, high in intervals.intersect(parts, addresses.ALL4))
