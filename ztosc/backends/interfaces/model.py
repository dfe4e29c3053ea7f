"""What a node's kernel holds of ours, as values: interfaces, ports, addresses, routes, sysctls.

Guarantees: every interface name is one that Linux takes and none is longer than 15 bytes; collections are sorted by name, so equal
models print equal bytes.
"""

from __future__ import annotations

import re
from typing import Literal

from ztosc.ir.base import Model

Kind = Literal["bridge", "macsec", "vlan", "vrf", "vxlan", "wireguard"]

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")
"""Linux takes more, but nothing that a script or a filter would have to quote is worth it."""
OURS = re.compile(r"z[dmpsvwx]t?-?[0-9]")
"""How our interfaces are called: no port of a node may be."""


class Interface(Model):
    """An interface of ours. Sysctls are by their path below `net/`, with the interface's name left out: `ipv6/accept_ra`."""

    name: str
    kind: Kind
    purpose: str
    """What it is for, as its alias says it on the node."""
    master: str | None = None
    mtu: int | None = None
    mac: str | None = None
    table: int | None = None
    """Of a VRF."""
    vni: int | None = None
    local: str | None = None
    """VTEP of a VXLAN."""
    parent: str | None = None
    """Port under a VLAN."""
    vlan: int | None = None
    holding: str | None = None
    """Under a MACsec interface lies whichever holds this address: the language names no underlay port."""
    sci_port: int | None = None
    """Tells several MACsec interfaces on one port apart (IEEE 802.1AE §8.2.1)."""
    isolated: bool = False
    """As a port of a bridge: no frame passes to another isolated port."""
    link_local: bool
    """Whether the kernel gives it a link-local address."""
    addresses: tuple[str, ...] = ()
    sysctls: dict[str, str]


class Port(Model):
    """A port that is not ours, which a segment is attached to. `master` absent: only its VLANs are used."""

    name: str
    master: str | None = None
    gathers: bool | None = None
    """Whether frames may pass to other such ports, as far as table `bridge ztos` lets them; absent: isolated."""


class Route(Model):
    """A route of ours. A `unicast` one has a `dev`, and `via` with `source` unless it leads onto a bridge or into a VRF of ours.

    After a `throw` the main table is asked.
    """

    type: Literal["blackhole", "throw", "unicast", "unreachable"]
    prefix: str
    table: int | None = None
    """Absent: the main table."""
    via: str | None = None
    dev: str | None = None
    source: str | None = None


class Rule(Model):
    """Where something else than its own table is asked first: what comes out of a VRF for a prefix, or what is sent from a source."""

    vrf: str | None = None
    prefix: str | None = None
    source: str | None = None
    table: int


class Interfaces(Model):
    """All that is below a node's daemons."""

    schema_version: Literal[1] = 1
    node: str
    underlay: str
    """The address by which the applier finds the port that faces the underlay."""
    loopback: tuple[str, ...]
    sysctls: dict[str, str]
    """By path below `net/`."""
    ports: tuple[Port, ...]
    interfaces: tuple[Interface, ...]
    routes: tuple[Route, ...]
    rules: tuple[Rule, ...]
