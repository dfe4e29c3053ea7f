"""What passes between ports of one segment, on its bridge: multicast groups that the segment says, and nothing else.

Guarantees: from such a port to such a port passes UDP over IPv6, untagged and in one piece, to a group of the segment, from a host of it
or a link-local address; multicast DNS (RFC 6762) only where the segment says `mdns`, DHCPv6 never; neither a frame to one host nor one
that came in by anything else. There is no table where no segment says a group: its ports are isolated then.
"""

from __future__ import annotations

from collections.abc import Iterator

from ztosc.backends.nftables.model import Chain, Collection, Element, Hook, Table
from ztosc.backends.nftables.words import address_text, comment, interface, span_text
from ztosc.ir.spaces import vlan_name
from ztosc.logic import addresses, intervals
from ztosc.logic.intervals import Interval
from ztosc.nodes.spec import LocalSegment, NodeSpec, intervals_of

MDNS = "ff02::fb"
"""RFC 6762 §3."""
MDNS_PORT = 5353
DHCP = (546, 547)
"""RFC 8415 §7.2: the node alone answers for addresses."""
LINK_LOCAL = addresses.of_prefix("fe80::/10")
ELSE: tuple[Interval, ...] = ((0, DHCP[0] - 1), (DHCP[1] + 1, MDNS_PORT - 1), (MDNS_PORT + 1, 65535))
"""Ports on which a declared group may be used."""
UDP = "17"
DROP = "counter drop"


def gathering(spec: NodeSpec) -> Table | None:
    """The table of a node; none where no segment of it passes a group on."""
    segments = sorted((each for each in spec.segments if each.gathers), key=lambda each: each.vni)
    if not segments:
        return None
    return Table(
        comment=comment(f"node {spec.node}, what passes between ports of a segment"),
        collections=tuple(sorted(_collections(segments), key=lambda each: each.name)),
        chains=(_between(), *(_gather(each) for each in segments)),
    )


def _collections(segments: list[LocalSegment]) -> Iterator[Collection]:
    here = [(name, each) for each in segments for name in port_names(each)]
    ways = sorted((interface(name), f"goto zt_gather_{each.vni}") for name, each in here)
    led = tuple(Element(key=(key,), verdict=to) for key, to in ways)
    yield Collection(name="zt_gathers", types=("ifname",), verdicts=True, elements=led)
    yield Collection(name="zt_heard", types=("ifname",), elements=tuple(Element(key=(key,)) for key, _ in ways))
    for each in segments:
        speakers = intervals.union(intervals_of(each.hosts), LINK_LOCAL)
        elements = tuple(Element(key=(address_text(part),)) for part in speakers)
        said = comment(each.segment)
        yield Collection(name=f"zt_speakers_{each.vni}", types=("ipv6_addr",), flags=("interval",), comment=said, elements=elements)
        types = ("ipv6_addr", "inet_proto", "inet_service")
        yield Collection(name=f"zt_groups_{each.vni}", types=types, flags=("interval",), comment=said, elements=tuple(_groups(each)))


def port_names(segment: LocalSegment) -> tuple[str, ...]:
    """The ports of its bridge behind which hosts are, as the kernel calls them."""
    return tuple(sorted(each.port if each.vlan is None else vlan_name(each.port, each.vlan) for each in segment.attachments))


def _groups(segment: LocalSegment) -> Iterator[Element]:
    if segment.mdns:
        yield Element(key=(MDNS, UDP, str(MDNS_PORT)))
    for part in intervals_of(segment.groups):
        yield from (Element(key=(address_text(part), UDP, span_text(ports))) for ports in ELSE)


def _between() -> Chain:
    """Frames of everybody else's bridges pass; what neither comes from nor goes to a port of such a segment is none of ours."""
    hook = Hook(hook="forward", priority=-5, policy="accept")
    return Chain(name="zt_between", hook=hook, rules=("iifname vmap @zt_gathers", f"oifname @zt_heard {DROP}"))


def _gather(segment: LocalSegment) -> Chain:
    """A tag (IEEE 802.1Q) would come out in another segment of a port with VLANs; of a later fragment the kernel reads data as ports."""
    known = f"ip6 saddr @zt_speakers_{segment.vni} ip6 daddr . meta l4proto . th dport @zt_groups_{segment.vni} accept"
    plain = (f"ether type != ip6 {DROP}", f"exthdr frag exists {DROP}")
    return Chain(name=f"zt_gather_{segment.vni}", rules=(f"oifname != @zt_heard {DROP}", *plain, known, DROP))
