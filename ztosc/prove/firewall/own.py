"""What a node's spec demands of packets that are no grant's: its own flows, what it relays, and what must not cross isolation domains.

Guarantees: computed from the spec alone.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from ztosc.ir.spaces import vrf_name
from ztosc.logic import addresses, intervals
from ztosc.logic.interval_diagrams import FALSE, TRUE
from ztosc.logic.intervals import Intervals
from ztosc.nodes.spec import NodeFlow, NodeSpec
from ztosc.prove.firewall.packet import BACK, CT, DADDR, DPORT, IIF, OIF, ORIGINAL, PROTO, SADDR, SDIF, SPORT, Space

RELAYED = {6: (6, 179, (DPORT, SPORT)), 4: (17, 4789, (DPORT,))}
"""BGP between loopbacks, VXLAN between VTEPs: the protocol, the port, and at which end it may stand."""


class Own:
    """One node and family."""

    def __init__(self, spec: NodeSpec, space: Space) -> None:
        self.spec, self.space, self.d = spec, space, space.diagrams
        self.family = space.family
        self.ports = [each.interface for each in spec.segments]
        self.transits = [each.interface for each in spec.transits]
        self.vrfs = [vrf_name(each.l3vni) for each in spec.transits]
        self.translators = [spec.translator.interface] if spec.translator else []
        self.inside = [*self.ports, *self.transits, *self.vrfs, *self.translators, *(each.interface for each in spec.tunnels)]

    def _own(self, hook: str) -> Iterator[int]:
        """Flows of the node: those that begin this way, and answers to those that begin the other way."""
        side, (remote, local) = (IIF, (SADDR, DADDR)) if hook == "in" else (OIF, (DADDR, SADDR))
        beyond = self.d.without(TRUE, self.space.ports(side, self.inside))
        for flows, port, states in ((True, DPORT, ORIGINAL), (False, SPORT, (BACK,))):
            chosen = [each for each in self.spec.flows if (each.direction == hook) is flows and self._own_family(each)]
            state = self.space.points(CT, states)
            for interface in sorted({each.interface or "" for each in chosen}):
                where = self.space.ports(side, (interface,)) if interface else beyond
                boxes = [
                    (far, near, (low, high), (first, last))
                    for each in chosen
                    if (each.interface or "") == interface
                    for far in self._whole(each.remote)
                    for near in self._whole(each.local)
                    for low, high, first, last in each.ports
                ]
                yield self.d.all((where, state, self.d.boxes((remote, local, PROTO, port), boxes)))

    def _own_family(self, flow: NodeFlow) -> bool:
        return (":" in flow.local) is (self.family == 6)

    def _whole(self, prefix: str | None) -> Intervals:
        """The addresses of a prefix, or all of the family: no packet of IPv6 may carry an IPv4-mapped one (RFC 4291 §2.5.5.2)."""
        if self.family == 6:
            return intervals.subtract(addresses.of_prefix(prefix or "::/0"), addresses.ALL4)
        found = ipaddress.ip_network(prefix or "0.0.0.0/0")
        return ((int(found.network_address), int(found.broadcast_address)),)

    def _relayed(self) -> int:
        """From tunnel to tunnel between other nodes of one domain, whose own filters decide."""
        protocol, number, ends = RELAYED[self.family]
        found = []
        for domain in self.spec.fabric.domains:
            pool = self._whole(domain.loopback_pool if self.family == 6 else domain.vtep_pool)
            ways = self.d.both(self.space.ports(IIF, domain.tunnels), self.space.ports(OIF, domain.tunnels))
            for end in ends if len(domain.tunnels) > 1 else ():
                boxes = [(one, other, (protocol,) * 2, (number,) * 2) for one in pool for other in pool]
                found.append(self.d.both(ways, self.d.boxes((SADDR, DADDR, PROTO, end), boxes)))
        return self.d.any(found)

    def _strangers(self) -> int:
        """What came from another node in one domain, and would leave in one that the node joins with it."""
        if not self.spec.fabric.detours:
            return FALSE
        tables = {each.domain: each.l3vni for each in self.spec.transits}
        allowed = {(each.interface, each.l3vni) for each in self.spec.transits}
        allowed |= {(each.interface, tables[each.domain]) for each in self.spec.segments}
        allowed |= {(each.interface, each.table) for each in self.spec.fabric.held}
        ways = {*self.transits, *self.ports}
        pairs = [(each.interface, way) for each in self.spec.transits for way in ways if (way, each.l3vni) not in allowed]
        return self.d.any(self.d.both(self.space.ports(SDIF, (one,)), self.space.ports(OIF, (other,))) for one, other in pairs)
