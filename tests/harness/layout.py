"""Who stands where in the harness: hosts behind nodes, their addresses, and what a flow between two of them is to `decide`.

Guarantees: derived from the Network and its specs alone; an address belongs to one host.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from ztosc.ir.flow import Place
from ztosc.ir.network import Network
from ztosc.logic import addresses, intervals
from ztosc.nodes import NodeSpec
from ztosc.nodes.reach import externals

BLOCK = 256
"""Addresses of one client, each for one session: a /120 of its segment's prefix."""

OUTSIDE = ("2600::1", "2001:db8:77::9", "2620:fe::fe")
"""Addresses of the host outside; each belongs to whichever external reaches it."""


@dataclass(frozen=True, slots=True)
class Host:
    """A namespace behind a node, with the addresses it holds in order; the first is also a destination."""

    name: str
    node: str | None
    interface: str
    """The node's bridge that it hangs on."""
    gateway: str
    prefix: str
    """What is routed to it."""
    addresses: tuple[str, ...]
    place: Place


def hosts(network: Network, specs: tuple[NodeSpec, ...]) -> tuple[Host, ...]:
    """A host for each replica, and a client for each segment on each node."""
    found = []
    number = 0
    for spec in specs:
        for segment in spec.segments:
            number += 1
            place = Place(kind="segment", name=segment.segment)
            block = ipaddress.IPv6Network(segment.prefix)[0x7 << 48]
            block += number * BLOCK
            held = tuple(str(block + index) for index in range(BLOCK))
            found.append(Host(f"c{number}", spec.node, segment.interface, segment.gateway, f"{block}/120", held, place))
            for each in network.endpoints:
                service = next(service for service in network.intent.services if service.name == each.service)
                if each.node == spec.node and service.segment == segment.segment:
                    number += 1
                    at = Place(kind="segment", name=segment.segment, service=each.service)
                    found.append(
                        Host(f"e{number}", spec.node, segment.interface, segment.gateway, f"{each.address}/128", (each.address,), at)
                    )
    return tuple(found)


def outside(network: Network) -> tuple[tuple[str, Place], ...]:
    """The outside host's addresses that an external reaches, each with its place."""
    reach = externals(network)
    return tuple(
        (address, Place(kind="external", name=name))
        for address in OUTSIDE
        for name, parts in sorted(reach.items())
        if intervals.contains(parts, addresses.value(address))
    )
