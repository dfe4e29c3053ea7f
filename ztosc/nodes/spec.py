"""`NodeSpec` and its parts.

Guarantees: target-neutral; addresses are ranges (first, last) in canonical text, sorted and disjoint; ports are the normal form of
`ztosc.logic.ports`; every condition that a permit names is in the spec, and no other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field

from ztosc.ir.base import Model
from ztosc.ir.intent import Attachment, NodeRole
from ztosc.ir.network import Loopback
from ztosc.ir.values import TRUE, AttributeType, Guard, Validity
from ztosc.logic import addresses, intervals
from ztosc.logic.ports import Boxes
from ztosc.nodes.contract_spec import DynamicSet, Ranges
from ztosc.nodes.fabric_spec import Fabric
from ztosc.source import Span


def ranges(parts: intervals.Intervals) -> Ranges:
    """Intervals of the joint address space as text."""
    return tuple((addresses.address_text(low), addresses.address_text(high)) for low, high in parts)


@lru_cache(maxsize=4096)
def intervals_of(parts: Ranges) -> intervals.Intervals:
    """The inverse of `ranges`."""
    if len(parts) == 1 and parts[0][0] == parts[0][1]:  # as most destinations are
        number = addresses.value(parts[0][0])
        return ((number, number),)
    return intervals.normalize((addresses.value(low), addresses.value(high)) for low, high in parts)


class Anyone(Model):
    """Whoever sits at the source."""

    kind: Literal["anyone"] = "anyone"


class ActsAs(Model):
    """A person who acts as `role`: they hold one of `held` (the role itself and every role that includes it)."""

    kind: Literal["role"] = "role"
    role: str
    held: tuple[str, ...]


class IsDevice(Model):
    """A device of a class."""

    kind: Literal["device"] = "device"
    device: str


class IsEndpoint(Model):
    """A replica of a service."""

    kind: Literal["service"] = "service"
    service: str


Who = Annotated[Anyone | ActsAs | IsDevice | IsEndpoint, Field(discriminator="kind")]


class Term(Model):
    """One reason: somebody, a guard over attributes, and when it counts."""

    who: Who
    guard: Guard = TRUE
    validity: Validity = Validity()


class Condition(Model):
    """What must be true of a session: some allow term fires (its guard *true*) and no deny term does (*true or unknown*).

    `id` is a hash of the content, so it is the same wherever and whenever the same condition is asked for.
    """

    id: str
    allows: tuple[Term, ...]
    denies: tuple[Term, ...]

    @property
    def of_time_alone(self) -> bool:
        """Whether it asks nothing of the principal, only of the clock."""
        return all(isinstance(term.who, Anyone) and term.guard == TRUE for term in (*self.allows, *self.denies))


class End(Model):
    """What a permit leads to: a segment, an external, a system service or this node itself, by name."""

    kind: Literal["segment", "external", "system", "node"]
    name: str


class Permit(Model):
    """Flows that may be initiated at this node's edge: by a source segment here (`interface`), or by an external's addresses.

    Permits of one source are disjoint in (destination, protocol, port). ICMP echo stands as protocol 58, port 128.
    """

    source: End
    interface: str | None
    """The in-port; absent for an external."""
    sources: Ranges
    to: End
    destinations: Ranges
    ports: Boxes
    condition: str | None
    """Absent: whoever sits at the source."""
    origins: tuple[Span, ...]
    stale: int | None = None
    """Seconds that it may outlive the last confirmation of its facts: the least that a rule or role behind it says."""
    logged: tuple[str, ...] = ()
    """Rules whose flows the node logs as they begin, by id."""
    rules: tuple[str, ...] = ()
    """Rules that the condition comes from, by id; none where there is none, or for `manage`."""


class Barred(Model):
    """What explicit denies close to a segment here, whoever asks: nothing passes there, and a refusal can say why."""

    source: End
    interface: str
    to: End
    destinations: Ranges
    ports: Boxes
    rules: tuple[str, ...]
    """By id."""


class Inbound(Model):
    """What other nodes may send to this one, whoever they let initiate it: the bound that the destination keeps by itself."""

    sources: Ranges
    destinations: Ranges
    ports: Boxes
    origins: tuple[Span, ...]


class Observed(Model):
    """A segment that only observes: what no rule allows passes on its way there from a segment of ours, and is logged."""

    segment: str
    vni: int
    destinations: Ranges
    """Its addresses, wherever it lives, without those of gateways."""
    here: Ranges
    """Those that may sit behind this node's ports."""
    origin: Span


class Member(Model):
    """A local service endpoint for which a condition holds at every instant and without any attribute."""

    condition: str
    address: str
    service: str


@dataclass(frozen=True, slots=True)
class NodeFlow:
    """A flow of the node itself, initiated to (`in`) or by (`out`) it. Absent `interface`: whatever faces the underlay.

    There are tens of thousands, all made of values that were validated: not a model, whose checks would take longer than all else.
    """

    direction: Literal["in", "out"]
    interface: str | None
    local: str
    """Own address."""
    remote: str | None
    """Address or prefix of the other end; absent: anyone outside."""
    ports: Boxes
    """Of the side that is initiated to."""
    purpose: Literal["wireguard", "dns", "bgp", "bfd", "vxlan", "ldap", "ntp", "dhcp", "manage"]
    peer: str | None = None


class TunnelSide(Model):
    """This node's side of a link."""

    link: str
    interface: str
    peer: str
    own_address: str
    peer_address: str
    own_underlay: str
    peer_underlay: str
    port: int
    """UDP, the same at both ends."""
    domains: tuple[str, ...]
    macsec: bool
    mtu: int
    """The largest packet in the tunnel."""
    cost: int
    pools: tuple[str, ...]
    """Loopbacks and VTEPs of the domains that may cross: prefixes of both families."""
    own_epoch: int
    """Of the key in use, 0 where this node has none yet."""
    peer_key: str | None
    """The peer's public key, absent where it has none yet."""
    psk: bool
    """Whether a label that may cross demands a key shared by the two ends."""
    origin: Span


class Transit(Model):
    """Where traffic of an isolation domain arrives from other nodes."""

    domain: str
    interface: str
    l3vni: int
    """Also the number of its routing table."""
    mtu: int
    """The largest packet that every tunnel of the domain carries."""
    pools: tuple[str, ...]
    """Prefixes of its loopbacks and VTEPs: nothing to one of them may ever leave in clear."""


class LocalSegment(Model):
    """A segment that lives here."""

    segment: str
    doc: str
    interface: str
    vni: int
    domain: str
    addressing: Literal["dhcp", "slaac", "prefix-per-host"]
    prefix: str
    gateway: str
    nodes: tuple[str, ...]
    """Nodes of the site on which it lives, this one included."""
    hosts: Ranges
    """Source addresses that may appear on its ports here: the prefix without the gateway and without endpoints on other nodes."""
    attachments: tuple[Attachment, ...]
    resolvers: tuple[str, ...] = ()
    """Addresses at which its hosts may ask for names."""
    search: str = ""
    """The domain in which they may look for short names; empty where they may not ask."""
    beyond: tuple[str, ...]
    """IPv6 prefixes of the externals that it is granted, or that are granted something in it; flows with them leave by the underlay."""
    groups: Ranges = ()
    """Multicast groups that its hosts may use among themselves."""
    mdns: bool = False
    origin: Span

    @property
    def gathers(self) -> bool:
        """Whether anything passes between its ports here."""
        return bool(self.groups) or self.mdns


class SystemPort(Model):
    """A system service that this node answers, at the address at which every node that serves it answers."""

    system: str
    address: str
    ports: Boxes


class Client(Model):
    """Where the answers of system services go: a prefix of a segment, and the segment's own isolation domain."""

    domain: str
    prefix: str


class Record(Model):
    """A DNS record: absolute owner name, type, value in zone-file text with absolute names."""

    name: str
    type: Literal["SOA", "NS", "AAAA", "SRV", "PTR"]
    value: str


class ZoneSpec(Model):
    """A DNS zone; names end in a dot."""

    name: str
    ttl: int
    """Seconds."""
    records: tuple[Record, ...]


class Resolver(Model):
    """What a node that serves `resolver` answers, to whom."""

    addresses: tuple[str, ...]
    clients: tuple[str, ...]
    """Prefixes that may ask."""
    recursion: tuple[str, ...]
    """Prefixes for which it also asks others: segments that are granted an external."""
    dns64: str | None
    """The NAT64 prefix, where a client that it recurses for is granted IPv4."""
    zones: tuple[ZoneSpec, ...]
    origin: Span


class Leaving(Model):
    """What may leave a node in IPv4 after translation: the bound that is left when nobody can tell who initiated it."""

    destinations: Ranges
    ports: Boxes
    """ICMP echo stands as protocol 1, port 8."""
    origins: tuple[Span, ...]


class Translator(Model):
    """The NAT64 of a node that serves `nat64`."""

    interface: str
    prefix: str
    """IPv6: what a host addresses, and whose answers come in by the interface."""
    pool: str
    """IPv4: what a host is called behind it."""
    leaving: tuple[Leaving, ...]
    """Destinations by ports; the same flow may stand in several."""


class NodeSpec(Model):
    """All that one node must be."""

    schema_version: Literal[1] = 1
    node: str
    site: str
    serves: tuple[NodeRole, ...]
    underlay: str
    asn: int
    router_id: str
    loopbacks: tuple[Loopback, ...]
    tunnels: tuple[TunnelSide, ...]
    transits: tuple[Transit, ...]
    segments: tuple[LocalSegment, ...]
    ours: Ranges
    """Every address of the overlay: nobody outside may send from one."""
    conditions: tuple[Condition, ...]
    attributes: tuple[tuple[str, AttributeType], ...]
    """Types of the attributes that the conditions ask for."""
    contract: tuple[DynamicSet, ...]
    """What may ever be filled in at run time."""
    life: tuple[int, int]
    """The instants for which the times in it are written: behind the second one everything that asks for the time is closed."""
    permits: tuple[Permit, ...]
    barred: tuple[Barred, ...]
    """Disjoint from each other and from the permits of their source."""
    inbound: tuple[Inbound, ...]
    management: tuple[Permit, ...]
    """What may be initiated to the node itself, at the gateway address of the segment that the initiator sits in."""
    observed: tuple[Observed, ...]
    """Of the whole network, where this node holds a segment from which something could be sent there."""
    members: tuple[Member, ...]
    systems: tuple[SystemPort, ...]
    clients: tuple[Client, ...]
    """Of the segments that live here, and those to which this node has routes; none where it answers no system service."""
    flows: tuple[NodeFlow, ...]
    fabric: Fabric
    resolver: Resolver | None
    translator: Translator | None
    origin: Span


def spans(found: Iterable[Span]) -> tuple[Span, ...]:
    """Each span once, in order."""
    return tuple(sorted(set(found)))
