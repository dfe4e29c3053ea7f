"""What a node needs to know for routing, in no target's words.

Guarantees: everything in order of names; a node learns of a route only where it originates it, reflects it, or may import it, and
of a node only where it has a link or a session with it.
"""

from __future__ import annotations

from typing import Literal

from ztosc.ir.base import Model


class Tag(Model):
    """What a route belongs to; it travels with the route, so that filters can speak of grants."""

    kind: Literal["segment", "system", "nat64"]
    number: int
    """Of a segment its VNI, of a system the host part of its address, of NAT64 zero."""

    @property
    def key(self) -> tuple[str, int]:
        """Sorts tags."""
        return self.kind, self.number


class UnderlayPeer(Model):
    """The node at the other end of a tunnel, told of loopbacks and VTEPs of the domains that may cross."""

    interface: str
    peer: str
    own_address: str
    peer_address: str
    peer_asn: int
    cost: int
    loopback_pools: tuple[str, ...]
    vtep_pools: tuple[str, ...]


class Export(Model):
    """Routes of one tag that this node originates."""

    tag: Tag
    prefixes: tuple[str, ...]
    hosts: tuple[str, ...] = ()
    """Prefixes that other nodes of the site hold too: the routes of single hosts inside them are announced as well."""
    guest: bool = False
    """Whether its segment lives in another VRF of this node, and is announced here by a route of the kernel."""


class Import(Model):
    """Routes of one tag that this node may use, from the one node that may originate them."""

    tag: Tag
    vtep: str
    prefixes: tuple[str, ...]
    hosts: tuple[str, ...] = ()
    """Prefixes inside which the routes of single hosts may be used."""
    guest: bool = False
    """Whether its segment lives in another domain, and meets in this one alone what lives here."""


SessionKind = Literal["client", "reflector", "fellow", "mesh"]


class Session(Model):
    """An exchange of a domain's routes with another node, between loopbacks of that domain.

    `client`: we reflect to it. `reflector`: it reflects to us. `fellow`: both reflect. `mesh`: a domain without a reflector.
    """

    peer: str
    kind: SessionKind
    address: str
    vtep: str | None
    """Where the peer only sends what it originates itself: the next hop that all its routes must have."""
    accepts: tuple[Tag, ...]
    offers: tuple[Tag, ...]


class DomainFabric(Model):
    """An isolation domain as this node takes part in it."""

    domain: str
    l3vni: int
    vrf: str
    loopback: str
    vtep: str
    loopback_pool: str
    vtep_pool: str
    reflects: bool
    exports: tuple[Export, ...]
    imports: tuple[Import, ...]
    peers: tuple[str, ...]
    """VTEPs with which traffic is exchanged."""
    sessions: tuple[Session, ...]
    tunnels: tuple[str, ...]
    """Interfaces that carry this domain, to or through this node."""

    @property
    def speaks(self) -> bool:
        """Whether routes of segments here leave or come in."""
        return bool(self.exports or self.imports)


class Held(Model):
    """A route of the kernel to what lives on this node: a host of a segment that other nodes of the site hold too, or a segment, seen
    from a stricter domain in which others meet it."""

    prefix: str
    interface: str
    """The segment's bridge."""
    table: int


class Detour(Model):
    """Out of one VRF, where a prefix is looked up in the table of the stricter domain in which it is met."""

    vrf: str
    prefix: str
    table: int


class Fabric(Model):
    """Routing on one node."""

    asn: int
    """Of the overlay; the underlay has one a node."""
    prefix: str
    """The whole overlay: what is in it and has no route goes nowhere."""
    underlay: tuple[UnderlayPeer, ...]
    domains: tuple[DomainFabric, ...]
    held: tuple[Held, ...] = ()
    detours: tuple[Detour, ...] = ()
