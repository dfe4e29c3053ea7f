"""What a node's NAT64 sends on in IPv4: everything that some host may send it to translate, and nothing else.

Guarantees: after translation nobody can tell who initiated a flow, so the bound is by destination, protocol and port; who may initiate is
decided before it, in IPv6.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable

from ztosc.ir.spaces import TRANSLATED, TRANSLATOR
from ztosc.logic import addresses, intervals, ports
from ztosc.logic.intervals import Intervals
from ztosc.logic.ports import ECHO, ICMPV6, Boxes
from ztosc.nodes.spec import Inbound, Leaving, Permit, Translator, intervals_of, ranges, spans
from ztosc.nodes.view import Local
from ztosc.source import Span

ICMP = 1
ECHO4: Boxes = ((ICMP, ICMP, 8, 8),)
_OTHERS: Boxes = ((ICMP, ICMP, 0, 65535), (ICMPV6, ICMPV6, 0, 65535))


def translator(local: Local, permits: Iterable[Permit], inbound: Iterable[Inbound]) -> Translator | None:
    """The NAT64 of a node that serves it, with what its own segments and other nodes may send through it."""
    if "nat64" not in local.node.serves:
        return None
    prefix = local.whole.network.nat64_prefix
    found: list[tuple[Intervals, Boxes, tuple[Span, ...]]] = []
    sent: list[Permit | Inbound] = [*(permit for permit in permits if permit.interface is not None), *inbound]
    for each in sent:
        if there := extracted(intervals_of(each.destinations), prefix):
            found.append((there, in_ipv4(each.ports), each.origins))
    return Translator(interface=TRANSLATOR, prefix=prefix, pool=TRANSLATED, leaving=_leaving(found))


def extracted(parts: Intervals, nat64_prefix: str) -> Intervals:
    """The IPv4 addresses that the NAT64 prefix embeds in a set (RFC 6052 §2.2)."""
    network = ipaddress.IPv6Network(nat64_prefix)
    shift = addresses.MAPPED - int(network.network_address)
    within = intervals.intersect(parts, ((int(network.network_address), int(network.broadcast_address)),))
    return tuple((low + shift, high + shift) for low, high in within)


def in_ipv4(allowed: Boxes) -> Boxes:
    """The same flows behind the translator: ICMPv6 echo becomes ICMP echo (RFC 7915 §5.2), and nothing else that only one family has."""
    plain = ports.subtract(allowed, _OTHERS)
    return ports.union(plain, ECHO4) if ports.contains(allowed, *ECHO) else plain


def _leaving(found: Iterable[tuple[Intervals, Boxes, tuple[Span, ...]]]) -> tuple[Leaving, ...]:
    """By ports, so that a hundred grants of one external are one."""
    by_ports: dict[Boxes, list[tuple[Intervals, tuple[Span, ...]]]] = defaultdict(list)
    for parts, allowed, origins in found:
        if allowed:
            by_ports[allowed].append((parts, origins))
    return tuple(
        Leaving(
            destinations=ranges(intervals.union(*(parts for parts, _ in each))),
            ports=allowed,
            origins=spans(span for _, origins in each for span in origins),
        )
        for allowed, each in sorted(by_ports.items())
    )
