"""Sets of addresses of both families as intervals of integers, and back to the fewest prefixes.

IPv4 lives in the IPv4-mapped range ::ffff:0:0/96 (RFC 4291 §2.5.5.2), so that one set holds both families. Guarantees: normal form.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache

from ztosc.logic import intervals
from ztosc.logic.intervals import Intervals

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MAPPED = 0xFFFF << 32
ALL4: Intervals = ((MAPPED, MAPPED + 2**32 - 1),)
EVERY: intervals.Interval = (0, 2**128 - 1)
ALL6: Intervals = intervals.subtract((EVERY,), ALL4)


@lru_cache(maxsize=1 << 14)  # the same few thousand are asked for again by every node
def parsed(prefix: str) -> Network:
    """A prefix or address as a network."""
    return ipaddress.ip_network(prefix)


@lru_cache(maxsize=1 << 14)
def of_prefix(prefix: str) -> Intervals:
    """The addresses of one prefix or address, given as text."""
    network = parsed(prefix)
    base = MAPPED if network.version == 4 else 0
    found: Intervals = ((base + int(network.network_address), base + int(network.broadcast_address)),)
    return intervals.subtract(found, ALL4) if network.version == 6 and network.prefixlen < 96 else found


def of_prefixes(prefixes: Iterable[str]) -> Intervals:
    """The addresses of all the prefixes."""
    return intervals.union(*(of_prefix(prefix) for prefix in prefixes))


@lru_cache(maxsize=1 << 16)
def value(address: str) -> int:
    """One address as its number in the joint space."""
    if ":" in address:
        with suppress(OSError, ValueError):  # ten times as fast; a zone, or what is no address at all, is left to the slower one
            return int.from_bytes(socket.inet_pton(socket.AF_INET6, address))
    parsed = ipaddress.ip_address(address)
    return int(parsed) + (MAPPED if parsed.version == 4 else 0)


@lru_cache(maxsize=1 << 16)  # a bundle writes few addresses many times
def address_text(number: int) -> str:
    """The number of the joint space as an address in its family's canonical text (RFC 5952)."""
    if ALL4[0][0] <= number <= ALL4[0][1]:
        return str(ipaddress.IPv4Address(number - MAPPED))
    if number >> 48:
        return socket.inet_ntop(socket.AF_INET6, number.to_bytes(16))
    return str(ipaddress.IPv6Address(number))  # the C library would write the last 32 bits of these as IPv4


def prefixes(parts: Intervals) -> tuple[str, ...]:
    """The fewest prefixes that cover the set exactly, in order, as text."""
    return tuple(str(network) for low, high in parts for network in _summarize(low, high))


def _summarize(low: int, high: int) -> Iterator[Network]:
    if ALL4[0][0] <= low and high <= ALL4[0][1]:
        return ipaddress.summarize_address_range(ipaddress.IPv4Address(low - MAPPED), ipaddress.IPv4Address(high - MAPPED))
    return ipaddress.summarize_address_range(ipaddress.IPv6Address(low), ipaddress.IPv6Address(high))
