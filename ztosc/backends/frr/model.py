"""`frr.conf` as values.

Guarantees: two values are equal exactly when they print the same statements; whatever is referenced is defined and whatever is
defined is referenced; a name says what it names by a hash of its content, so a changed filter is a new one and none is ever changed
under a session that uses it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Literal

from ztosc.ir.base import Model

MatchKind = Literal["type", "vni", "extcommunity", "next-hop", "prefix4", "prefix6", "next-hops6", "large-community"]
SetKind = Literal["local-preference", "metric", "origin", "as-path", "large-community"]
HASH_DIGITS = 12
"""Hex digits of a name: 10,000 filters on a node collide with a probability below 2e-7, and a collision is refused."""
LAST = 65535
"""The sequence number of the deny that ends every route-map."""


class PrefixList(Model):
    """Prefixes; with `ge`, those inside that are at least so long."""

    name: str
    family: Literal[4, 6]
    prefixes: tuple[str, ...]
    ge: int | None = None


class ValueList(Model):
    """Communities that a route must have exactly: one regular expression of extended ones, or any one of some large ones."""

    name: str
    kind: Literal["extcommunity", "large-community"]
    values: tuple[str, ...]


class Match(Model):
    """One thing that a route must have; lists by name."""

    kind: MatchKind
    value: str


class Set(Model):
    """One thing that is made of a route, whatever its sender said."""

    kind: SetKind
    value: str


class Clause(Model):
    """A permit: all matches, then all sets; with `call`, another map must permit as well."""

    matches: tuple[Match, ...]
    sets: tuple[Set, ...] = ()
    call: str | None = None


class RouteMap(Model):
    """Permits in order, and a deny at the end that is always there."""

    name: str
    clauses: tuple[Clause, ...]


class Underlay(Model):
    """The node at the other end of a tunnel."""

    address: str
    description: str
    remote_as: int
    local_as: int
    accept: str
    offer: str


class Overlay(Model):
    """A session of one isolation domain, between loopbacks."""

    address: str
    description: str
    source: str
    client: bool
    accept: str
    offer: str


class Instance(Model):
    """The routes of one isolation domain."""

    vrf: str
    rd: str
    target: str
    own: str
    """The map of what is announced of the node's own prefixes."""
    held: str | None = None
    """The map of what is announced of the kernel's routes; absent: nothing."""
    table: str
    """The map of what reaches the kernel."""


class Vrf(Model):
    """A VRF; without a VNI nothing leaves or enters it."""

    name: str
    vni: int | None
    blackholes: tuple[str, ...]


class Advertised(Model):
    """What the gateway of a segment tells its hosts. Its prefix is never on-link: ports are isolated, and the gateway routes."""

    interface: str
    mtu: int
    prefix: str
    managed: bool
    """Whether addresses come from DHCP alone."""
    resolvers: tuple[str, ...] = ()
    search: str = ""


class Routing(Model):
    """Everything of ours on a node."""

    hostname: str
    asn: int
    router_id: str
    cluster_id: str | None
    blackholes4: tuple[str, ...]
    blackholes6: tuple[str, ...]
    vrfs: tuple[Vrf, ...]
    advertised: tuple[Advertised, ...]
    networks4: tuple[str, ...]
    networks6: tuple[str, ...]
    underlay: tuple[Underlay, ...]
    overlay: tuple[Overlay, ...]
    instances: tuple[Instance, ...]
    prefix_lists: tuple[PrefixList, ...]
    value_lists: tuple[ValueList, ...]
    maps: tuple[RouteMap, ...]


LISTS = {
    "prefix4": "prefix4",
    "prefix6": "prefix6",
    "next-hops6": "prefix6",
    "extcommunity": "extcommunity",
    "large-community": "large-community",
}
"""Matches that name a list, and of which kind."""

Definition = PrefixList | ValueList | RouteMap

PREFIXES: dict[str, str] = {"extcommunity": "ZT-RT-", "large-community": "ZT-TAG-", "4": "ZT-P4-", "6": "ZT-P6-"}
MAPS = ("ZT-LINK-IN-", "ZT-LINK-OUT-", "ZT-DOMAIN-", "ZT-IN-", "ZT-OUT-", "ZT-OWN-", "ZT-HELD-", "ZT-TABLE-")
CALLED = "ZT-DOMAIN-"
"""What all sessions of a domain ask of a route stands once: FRR 8.4 checks its whole tree of filters for each statement it reads."""


def hash_of(text: str) -> str:
    """How a name ends."""
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]


def prefixes_text(family: int, prefixes: Iterable[str], ge: int | None) -> str:
    """What the name of a prefix list is a hash of."""
    return f"{family} {ge or 0} {' '.join(prefixes)}"


def values_text(kind: str, values: Iterable[str]) -> str:
    """What the name of a list of communities is a hash of."""
    return "\n".join((kind, *values))


def map_text(clauses: Iterable[Clause]) -> str:
    """What the name of a route-map is a hash of: its statements."""
    return "\n".join(line for clause in clauses for line in _statements(clause))


def _statements(clause: Clause) -> Iterator[str]:
    yield "permit"
    yield from (f"match {each.kind} {each.value}" for each in clause.matches)
    yield from (f"set {each.kind} {each.value}" for each in clause.sets)
    yield from [f"call {clause.call}"] if clause.call else []


def content_hash(definition: Definition) -> str:
    """The hash of everything but the name."""
    match definition:
        case PrefixList():
            return hash_of(prefixes_text(definition.family, definition.prefixes, definition.ge))
        case ValueList():
            return hash_of(values_text(definition.kind, definition.values))
        case RouteMap():
            return hash_of(map_text(definition.clauses))


def misnamed(routing: Routing) -> Iterator[str]:
    """Names that do not belong to what they name."""
    definitions: tuple[Definition, ...] = (*routing.prefix_lists, *routing.value_lists, *routing.maps)
    for definition in definitions:
        if definition.name.removesuffix(content_hash(definition)) not in _prefixes_of(definition):
            yield f"the name `{definition.name}` does not belong to what it names"


def complaints(routing: Routing) -> Iterator[str]:
    """What is wrong with the references of a configuration: nothing where all is well."""
    defined: dict[str, Definition] = {}
    definitions: tuple[Definition, ...] = (*routing.prefix_lists, *routing.value_lists, *routing.maps)
    for definition in definitions:
        if definition.name in defined:
            yield f"`{definition.name}` is defined twice"
        defined[definition.name] = definition
    used = set(references(routing))
    for name, kind in sorted(used):
        if name not in defined:
            yield f"`{name}` is used and not defined"
        elif _kind(defined[name]) != kind:
            yield f"`{name}` is used as {kind} and is {_kind(defined[name])}"
    yield from (f"`{name}` is defined and not used" for name in sorted(set(defined) - {name for name, _ in used}))


def _prefixes_of(definition: Definition) -> tuple[str, ...]:
    if isinstance(definition, RouteMap):
        return MAPS
    return (PREFIXES[definition.kind] if isinstance(definition, ValueList) else PREFIXES[str(definition.family)],)


def _kind(definition: Definition) -> str:
    match definition:
        case RouteMap():
            return "route-map"
        case PrefixList():
            return f"prefix{definition.family}"
        case ValueList():
            return definition.kind


def references(routing: Routing) -> Iterator[tuple[str, str]]:
    """Every name that is used, and as what."""
    neighbours: tuple[Underlay | Overlay, ...] = (*routing.underlay, *routing.overlay)
    for neighbour in neighbours:
        yield from ((name, "route-map") for name in (neighbour.accept, neighbour.offer))
    for instance in routing.instances:
        yield from ((name, "route-map") for name in (instance.own, instance.held, instance.table) if name is not None)
    for found in routing.maps:
        for clause in found.clauses:
            for match in clause.matches:
                if match.kind in LISTS:
                    yield match.value, LISTS[match.kind]
            if clause.call is not None:
                once = clause.call.startswith(CALLED) and not found.name.startswith(CALLED)
                yield clause.call, "route-map" if once else "a map that calls no other"
