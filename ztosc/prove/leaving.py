"""What may leave a node in IPv4, found again from what may be sent to its NAT64.

Guarantees: computed from what the node lets begin, here and from other nodes, and not from what its spec says of the translator; by other
code than what made that.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from ztosc.logic import addresses, intervals, regions
from ztosc.logic.intervals import Interval
from ztosc.logic.ports import Boxes
from ztosc.nodes.contract_spec import Ranges
from ztosc.nodes.spec import NodeSpec, intervals_of

ICMP: tuple[Interval, Interval] = ((1, 1), (58, 58))
"""Messages of one family have no name in the other (RFC 7915 §4.2, §5.2), but for pings."""
PING6, PING4 = (58, 128), ((1, 1), (8, 8))
"""An echo request: protocol and type."""


def leaving(spec: NodeSpec) -> regions.Boxes:
    """Destination (IPv4, as mapped), protocol, port or type of ICMP."""
    if spec.translator is None:
        return ()
    here = {(each.destinations, each.ports) for each in spec.permits if each.interface is not None}
    sent = here | {(each.destinations, each.ports) for each in spec.inbound}
    return regions.normalize(box for destinations, allowed in sent for box in _boxes(spec.translator.prefix, destinations, allowed))


def _boxes(prefix: str, destinations: Ranges, allowed: Boxes) -> Iterator[regions.Box]:
    base = int(ipaddress.IPv6Network(prefix).network_address)
    for low, high in intervals.intersect(intervals_of(destinations), ((base, base + 2**32 - 1),)):
        part = (low - base + addresses.MAPPED, high - base + addresses.MAPPED)
        yield from ((part, *way) for box in allowed for way in _ways(*box))


def _ways(low: int, high: int, first: int, last: int) -> Iterator[tuple[Interval, Interval]]:
    for protocols in intervals.subtract(((low, high),), ICMP):
        yield protocols, (first, last)
    if low <= PING6[0] <= high and first <= PING6[1] <= last:
        yield PING4
