"""What passes between ports on the bridges of a node: compared, for every frame, with what its segments say.

Guarantees: computed from the spec alone; a table that is missing lets everything pass, and is refuted where a segment says a group.
"""

from __future__ import annotations

from collections.abc import Iterator

from ztosc.ir.spaces import vlan_name
from ztosc.logic import addresses, intervals
from ztosc.logic.interval_diagrams import FALSE
from ztosc.nodes.spec import LocalSegment, NodeSpec, intervals_of
from ztosc.prove.firewall.packet import DADDR, DPORT, IIF, OIF, PROTO, SADDR, Space
from ztosc.prove.firewall.program import Program, Unsupported
from ztosc.prove.firewall.run import Run, interfaces

HOOK = "forward"
UDP = (17, 17)
RESPONDER = (addresses.value("ff02::fb"),) * 2
"""Where multicast DNS is asked and answered (RFC 6762 §3), at port 5353."""
PORTS = ((0, 545), (548, 5352), (5354, 65535))
"""All but those of DHCPv6 (RFC 8415 §7.2) and of multicast DNS."""


def gathered(found: Program, spec: NodeSpec) -> Iterator[str]:
    """Frames that pass from port to port and must not, or the other way round."""
    segments = [each for each in spec.segments if each.gathers]
    strange = sorted({each.hook for each in found.chains.values() if each.hook} - {HOOK})
    if strange:
        raise Unsupported(f"a chain in hook `{strange[0]}` of the table of bridges")
    if any(each.dynamic for each in found.collections.values()):
        yield "a set of the table of bridges may be filled at run time"
    ports = {name for each in segments for name in _ports(each)}
    for family in (6, 4):
        space = Space(family, interfaces(found) | ports, ())
        yes, wanted = Run(found, space).alone(HOOK), _wanted(space, segments, ports)
        for one, other, what in ((yes, wanted, "passes, and must not"), (wanted, yes, "does not pass, and must")):
            point = space.diagrams.least(space.diagrams.without(one, other))
            if point is not None:
                yield f"on a bridge, {space.told(HOOK, point)}: {what}"


def _wanted(space: Space, segments: list[LocalSegment], ports: set[str]) -> int:
    """Frames that have nothing to do with such a port, and those to a group of the segment."""
    d = space.diagrams
    here, there = space.ports(IIF, ports), space.ports(OIF, ports)
    whole = space.universe(HOOK)
    strangers = d.without(d.without(whole, here), there)
    if space.family == 4:
        return strangers
    passing = (d.all((whole, space.ports(IIF, _ports(each)), there, _speaks(space, each), _listens(space, each))) for each in segments)
    return d.any((strangers, *passing))


def _speaks(space: Space, segment: LocalSegment) -> int:
    return space.within(SADDR, intervals.union(intervals_of(segment.hosts), addresses.of_prefix("fe80::/10")))


def _listens(space: Space, segment: LocalSegment) -> int:
    said = space.diagrams.boxes((DADDR, PROTO, DPORT), ([part, UDP, span] for part in intervals_of(segment.groups) for span in PORTS))
    responder = space.diagrams.boxes((DADDR, PROTO, DPORT), [[RESPONDER, UDP, (5353, 5353)]]) if segment.mdns else FALSE
    return space.diagrams.either(said, responder)


def _ports(segment: LocalSegment) -> set[str]:
    return {each.port if each.vlan is None else vlan_name(each.port, each.vlan) for each in segment.attachments}
