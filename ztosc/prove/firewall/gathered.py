"""What passes between ports on the bridges of a node: compared, for every frame, with what its segments say.

Guarantees: computed from the spec alone; a table that is missing lets everything pass, and is refuted where a segment says a group.
"""

from __future__ import annotations

from collections.abc import Iterator

from ztosc.ir.spaces import vlan_name
from ztosc.logic import addresses, intervals
from ztosc.logic.interval_diagrams import FALSE
from ztosc.nodes.spec import LocalSegment, NodeSpec, intervals_of
from ztosc.prove.firewall.packet import BRIDGED, DADDR, DPORT, ETHER, FRAGMENT, IIF, OIF, PROTO, SADDR, Space
from ztosc.prove.firewall.program import Program, Unsupported
from ztosc.prove.firewall.run import Run, interfaces

PRIORITY = -5
"""Before filters of the host's own that stand at 0."""
FAMILIES = (6, 4, 0)
"""0: neither, ARP for one. Both others may come with a tag of IEEE 802.1Q: the kernel keeps that beside the frame."""
IPV6 = 0x86DD
"""RFC 2464 §3."""
UDP = (17, 17)
RESPONDER = (addresses.value("ff02::fb"),) * 2
"""Where multicast DNS is asked and answered (RFC 6762 §3), at port 5353."""
PORTS = ((0, 545), (548, 5352), (5354, 65535))
"""All but those of DHCPv6 (RFC 8415 §7.2) and of multicast DNS."""


def gathered(found: Program, spec: NodeSpec) -> Iterator[str]:
    """Frames that pass from port to port and must not, or the other way round."""
    segments = [each for each in spec.segments if each.gathers]
    strange = sorted({each.hook for each in found.chains.values() if each.hook} - {BRIDGED})
    if strange:
        raise Unsupported(f"a chain in hook `{strange[0]}`")
    if any(each.dynamic for each in found.collections.values()):
        yield "a set of the table of bridges may be filled at run time"
    ports = {name for each in segments for name in _ports(each)}
    for family in FAMILIES:
        space = Space(family, interfaces(found) | ports, ())
        run, wanted = Run(found, space), _wanted(space, segments, ports)
        yes = run.alone(BRIDGED)
        for one, other, what in ((yes, wanted, "passes, and must not"), (wanted, yes, "does not pass, and must")):
            point = space.diagrams.least(space.diagrams.without(one, other))
            if point is not None:
                yield f"{space.told(BRIDGED, point)}: {what}"
        yield from _misplaced(space, run)


def _misplaced(space: Space, run: Run) -> Iterator[str]:
    point = space.diagrams.least(space.diagrams.without(space.universe(BRIDGED), run.alone(BRIDGED)))
    for base in (each for each in run.bases(BRIDGED) if each.priority != PRIORITY and point is not None):
        yield f"{space.told(BRIDGED, point or {})}: is dropped at priority {base.priority}, and must be at {PRIORITY}"


def _wanted(space: Space, segments: list[LocalSegment], ports: set[str]) -> int:
    """Frames that have nothing to do with such a port, and those to a group of the segment: without a tag, and whole."""
    d = space.diagrams
    here, there = space.ports(IIF, ports), space.ports(OIF, ports)
    strangers = d.without(d.without(space.universe(BRIDGED), here), there)
    if space.family != 6:
        return strangers
    plain = d.both(space.points(ETHER, (IPV6,)), space.points(FRAGMENT, (0,)))
    passing = (d.all((plain, space.ports(IIF, _ports(each)), there, _speaks(space, each), _listens(space, each))) for each in segments)
    return d.any((strangers, *passing))


def _speaks(space: Space, segment: LocalSegment) -> int:
    return space.within(SADDR, intervals.union(intervals_of(segment.hosts), addresses.of_prefix("fe80::/10")))


def _listens(space: Space, segment: LocalSegment) -> int:
    said = space.diagrams.boxes((DADDR, PROTO, DPORT), ([part, UDP, span] for part in intervals_of(segment.groups) for span in PORTS))
    responder = space.diagrams.boxes((DADDR, PROTO, DPORT), [[RESPONDER, UDP, (5353, 5353)]]) if segment.mdns else FALSE
    return space.diagrams.either(said, responder)


def _ports(segment: LocalSegment) -> set[str]:
    return {each.port if each.vlan is None else vlan_name(each.port, each.vlan) for each in segment.attachments}
