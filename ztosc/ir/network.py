"""`Network`: the Intent with every number and place decided.

Guarantees: every VNI, prefix, address, ASN, tunnel and serial is present, unique, in range, and the same as last time (through
`ztos.lock`); every segment and every replica has a place; each tunnel says which isolation domains may cross it.
"""

from __future__ import annotations

from typing import Literal

from ztosc.ir.base import Model, digest
from ztosc.ir.intent import Intent
from ztosc.ir.values import Jurisdiction


class IsolationDomain(Model):
    """Segments that share a VRF and where their data may live. One domain has no bound; each distinct `within` has its own."""

    name: str
    index: int
    """Position of its loopback and VTEP pools."""
    l3vni: int
    interface: str
    """The interface on which traffic of this domain arrives from other nodes."""
    within: Jurisdiction | None = None
    nodes: tuple[str, ...] = ()
    """Nodes that may hold or relay it."""


class Loopback(Model):
    """A node's own addresses in one isolation domain."""

    domain: str
    address: str
    """IPv6, a /128."""
    vtep: str
    """IPv4 VTEP inside the tunnels (FRR 8.4 has no IPv6 VTEPs)."""


class NodePlan(Model):
    """The numbers of a node."""

    node: str
    asn: int
    router_id: str
    loopbacks: tuple[Loopback, ...]


class Tunnel(Model):
    """The one tunnel of a link: interface name, inner /127, UDP port (same at both ends), and the domains that may cross it."""

    link: str
    interface: str
    a_address: str
    b_address: str
    port: int
    domains: tuple[str, ...]


class SitePrefix(Model):
    """A segment's routed sub-prefix at one site, its gateway address, and the nodes it lives on there, in order."""

    site: str
    prefix: str
    gateway: str
    nodes: tuple[str, ...]


class SegmentPlan(Model):
    """The numbers and places of a segment."""

    segment: str
    vni: int
    interface: str
    domain: str
    addressing: Literal["dhcp", "slaac", "prefix-per-host"]
    places: tuple[SitePrefix, ...]


class Endpoint(Model):
    """One replica of a service."""

    service: str
    replica: int
    """From 0."""
    site: str
    node: str
    address: str


class AnycastService(Model):
    """A node-offered service and the address at which every node that serves it answers."""

    system: str
    address: str
    nodes: tuple[str, ...]


class Zone(Model):
    """A DNS zone and its serial, which changes exactly when its content does."""

    name: str
    serial: int


class Network(Model):
    """The allocated network: the one value that verification and projection start from."""

    schema_version: Literal[1] = 1
    intent: Intent
    at: int
    """The compiler's clock, seconds since 1970."""
    prefix: str
    asn: int
    nat64_prefix: str
    generation: int
    domains: tuple[IsolationDomain, ...]
    nodes: tuple[NodePlan, ...]
    tunnels: tuple[Tunnel, ...]
    segments: tuple[SegmentPlan, ...]
    endpoints: tuple[Endpoint, ...]
    anycast: tuple[AnycastService, ...]
    zones: tuple[Zone, ...]


def network_digest(network: Network) -> str:
    """The digest that names a network: of its canonical JSON without origins and without the clock, which outputs state beside it."""
    return digest(network.model_copy(update={"at": 0}))
