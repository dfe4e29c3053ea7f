"""NodeSpec → the routing configuration.

Guarantees: what no filter names is denied, in both directions of every session, on its way out of a VRF and on its way into the
kernel; a route is believed only with its type, VNI, route target, tag and, where its sender is its origin, next hop.
"""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal, TypeVar

from ztosc.backends.base import BackendFault
from ztosc.backends.frr.model import (
    CALLED,
    PREFIXES,
    Advertised,
    Clause,
    Definition,
    Instance,
    Match,
    MatchKind,
    Overlay,
    PrefixList,
    RouteMap,
    Routing,
    Set,
    Underlay,
    ValueList,
    Vrf,
    complaints,
    hash_of,
    map_text,
    prefixes_text,
    values_text,
)
from ztosc.backends.template import one_line
from ztosc.nodes.fabric_spec import DomainFabric, Session, Tag, UnderlayPeer
from ztosc.nodes.spec import LocalSegment, NodeSpec

KINDS = {"segment": 1, "system": 2, "nat64": 3}
"""The middle part of a large community (RFC 8092): the overlay's number, this, the tag's number."""
DESCRIPTION_BYTES = 80
HOSTNAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
DIRECT, BY_FELLOW = 100, 90
"""Local preference: what another reflector tells is second to what its origin tells."""
MAX_COST = 16
"""The cost of a link is the number of hops that it counts as."""

Named = TypeVar("Named", PrefixList, ValueList, RouteMap)


def routing(spec: NodeSpec) -> Routing:
    """The configuration of a node. Raises `ValueError` for a name that no hostname can be, `BackendFault` for our own mistakes."""
    if not HOSTNAME.fullmatch(spec.node):
        raise ValueError(f"{spec.node!r} cannot be a hostname")
    found = _Lowering(spec).routing()
    wrong = next(complaints(found), None)
    if wrong is not None:
        raise BackendFault(f"frr: {wrong}")
    return found


class _Lowering:
    """Definitions as they come up, each once."""

    def __init__(self, spec: NodeSpec) -> None:
        self.spec, self.fabric = spec, spec.fabric
        self.defined: dict[str, Definition] = {}

    def routing(self) -> Routing:
        fabric, domains = self.fabric, self.fabric.domains
        here = {segment.domain for segment in self.spec.segments}
        underlay = [self._underlay(peer) for peer in fabric.underlay]
        overlay = [self._overlay(domain, session) for domain in domains for session in domain.sessions]
        instances = [self._instance(domain) for domain in domains if domain.speaks]
        vrfs = [
            Vrf(name=domain.vrf, vni=domain.l3vni if domain.speaks else None, blackholes=(fabric.prefix,))
            for domain in domains
            if domain.speaks or domain.domain in here
        ]
        return Routing(
            hostname=self.spec.node,
            asn=fabric.asn,
            router_id=self.spec.router_id,
            cluster_id=self.spec.router_id if any(domain.reflects for domain in domains) else None,
            blackholes4=_in_order(domain.vtep_pool for domain in domains),
            blackholes6=(fabric.prefix,),
            vrfs=tuple(sorted(vrfs, key=lambda vrf: vrf.name)),
            advertised=tuple(sorted((self._advertised(each) for each in self.spec.segments), key=lambda each: each.interface)),
            networks4=_in_order(f"{domain.vtep}/32" for domain in domains),
            networks6=_in_order(f"{domain.loopback}/128" for domain in domains),
            underlay=tuple(sorted(underlay, key=lambda each: address_number(each.address))),
            overlay=tuple(sorted(overlay, key=lambda each: address_number(each.address))),
            instances=tuple(sorted(instances, key=lambda each: each.vrf)),
            prefix_lists=self._all(PrefixList),
            value_lists=self._all(ValueList),
            maps=self._all(RouteMap),
        )

    def _all(self, kind: type[Named]) -> tuple[Named, ...]:
        return tuple(each for _, each in sorted(self.defined.items()) if isinstance(each, kind))

    def _define(self, definition: Definition) -> str:
        known = self.defined.setdefault(definition.name, definition)
        if known is not definition and known != definition:
            raise BackendFault(f"frr: two filters hash to {definition.name}")
        return definition.name

    # Lists

    def _prefixes(self, family: Literal[4, 6], prefixes: Iterable[str], ge: int | None = None) -> Match:
        return _match("prefix4" if family == 4 else "prefix6", self._define(_prefix_list(family, tuple(prefixes), ge)))

    def _target(self, domain: DomainFabric) -> Match:
        """Exactly our route target, VXLAN and a router's MAC: the text in which bgpd shows a type-5 route's extended communities."""
        text = f"^RT:{self._target_text(domain)} ET:8 Rmac:[0-9a-f:]+$"
        return _match("extcommunity", self._define(_value_list("extcommunity", (text,))))

    def _target_text(self, domain: DomainFabric) -> str:
        return f"{self.fabric.asn}:{domain.l3vni}"

    def _community(self, tag: Tag) -> str:
        return f"{self.fabric.asn}:{KINDS[tag.kind]}:{tag.number}"

    def _tags(self, tags: Iterable[Tag]) -> Match:
        return _match("large-community", self._define(_value_list("large-community", tuple(self._community(tag) for tag in tags))))

    # Sessions

    def _underlay(self, peer: UnderlayPeer) -> Underlay:
        matches = (self._prefixes(4, peer.vtep_pools, 32), self._prefixes(6, peer.loopback_pools, 128))
        sets = (Set(kind="as-path", value=" ".join([str(self.spec.asn)] * (peer.cost - 1))),) if peer.cost > 1 else ()
        return Underlay(
            address=peer.peer_address,
            description=one_line(peer.peer, DESCRIPTION_BYTES),
            remote_as=peer.peer_asn,
            local_as=self.spec.asn,
            accept=self._map("ZT-LINK-IN-", (Clause(matches=(match,)) for match in matches)),
            offer=self._map("ZT-LINK-OUT-", (Clause(matches=(match,), sets=sets) for match in matches)),
        )

    def _map(self, prefix: str, clauses: Iterable[Clause]) -> str:
        found = tuple(clauses)
        return self._define(RouteMap(name=prefix + hash_of(map_text(found)), clauses=found))

    def _overlay(self, domain: DomainFabric, session: Session) -> Overlay:
        return Overlay(
            address=session.address,
            description=one_line(f"{session.peer} {domain.domain}", DESCRIPTION_BYTES),
            source=domain.loopback,
            client=session.kind == "client",
            accept=self._map("ZT-IN-", self._accept(domain, session)),
            offer=self._map("ZT-OUT-", self._offer(domain, session)),
        )

    def _accept(self, domain: DomainFabric, session: Session) -> Iterable[Clause]:
        if not session.accepts:
            return ()
        hop = (_match("next-hop", session.vtep),) if session.vtep else ()
        sets = _believed(BY_FELLOW if session.kind == "fellow" else DIRECT)
        common = self._map(CALLED, [Clause(matches=(*self._of_domain(domain), self._target(domain)), sets=sets)])
        return (Clause(matches=(*hop, self._tags(session.accepts)), call=common),)

    def _offer(self, domain: DomainFabric, session: Session) -> Iterable[Clause]:
        if not session.offers:
            return ()
        return (Clause(matches=(self._tags(session.offers),), call=self._map(CALLED, [_clause(*self._of_domain(domain))])),)

    def _of_domain(self, domain: DomainFabric) -> tuple[Match, ...]:
        return _match("type", "prefix"), _match("vni", str(domain.l3vni))

    # Segments

    def _advertised(self, segment: LocalSegment) -> Advertised:
        return Advertised(
            interface=segment.interface,
            mtu=next(each.mtu for each in self.spec.transits if each.domain == segment.domain),
            prefix=str(ipaddress.IPv6Network(segment.prefix)),
            managed=segment.addressing == "dhcp",
            resolvers=tuple(str(ipaddress.IPv6Address(each)) for each in segment.resolvers),
            search=segment.search,
        )

    # VRFs

    def _instance(self, domain: DomainFabric) -> Instance:
        own = (self._tagged(export.tag, export.prefixes) for export in domain.exports if export.prefixes and not export.guest)
        held = [
            *(self._tagged(export.tag, export.prefixes) for export in domain.exports if export.prefixes and export.guest),
            *(self._tagged(export.tag, export.hosts, 128) for export in domain.exports if export.hosts),
        ]
        return Instance(
            vrf=domain.vrf,
            rd=f"{domain.vtep}:{domain.l3vni}",
            target=self._target_text(domain),
            own=self._map("ZT-OWN-", own),
            held=self._map("ZT-HELD-", held) if held else None,
            table=self._map("ZT-TABLE-", self._table(domain)),
        )

    def _tagged(self, tag: Tag, prefixes: tuple[str, ...], ge: int | None = None) -> Clause:
        return Clause(matches=(self._prefixes(6, prefixes, ge),), sets=(Set(kind="large-community", value=self._community(tag)),))

    def _table(self, domain: DomainFabric) -> Iterator[Clause]:
        """Which prefixes, and hosts of which, may come from which VTEPs: those of nodes with the same stand together."""
        for ge in (None, 128):
            prefixes: dict[str, set[str]] = defaultdict(set)
            for each in domain.imports:
                prefixes[each.vtep].update(each.prefixes if ge is None else each.hosts)
            vteps: dict[tuple[str, ...], list[str]] = defaultdict(list)
            for vtep in sorted(prefixes, key=address_number):
                vteps[tuple(sorted(prefixes[vtep]))].append(vtep)
            for found, origins in sorted(vteps.items()):
                if found:
                    hops = self._define(_prefix_list(6, tuple(f"{_mapped(vtep)}/128" for vtep in origins), None))
                    yield _clause(self._prefixes(6, found, ge), _match("next-hops6", hops))


# Nodes have much in common: what is the same is made once. Values are frozen, so nobody can change another node's.


@lru_cache(maxsize=65536)
def _match(kind: MatchKind, value: str) -> Match:
    return Match(kind=kind, value=value)


@lru_cache(maxsize=65536)
def _clause(*matches: Match) -> Clause:
    return Clause(matches=matches)


@lru_cache(maxsize=16)
def _believed(preference: int) -> tuple[Set, ...]:
    """What a route's sender cannot choose."""
    return (
        Set(kind="local-preference", value=str(preference)),
        Set(kind="metric", value="0"),
        Set(kind="origin", value="incomplete"),
    )


@lru_cache(maxsize=65536)
def _prefix_list(family: Literal[4, 6], prefixes: tuple[str, ...], ge: int | None) -> PrefixList:
    ordered = _in_order(prefixes)
    return PrefixList(name=PREFIXES[str(family)] + hash_of(prefixes_text(family, ordered, ge)), family=family, prefixes=ordered, ge=ge)


@lru_cache(maxsize=65536)
def _value_list(kind: Literal["extcommunity", "large-community"], values: tuple[str, ...]) -> ValueList:
    return ValueList(name=PREFIXES[kind] + hash_of(values_text(kind, values)), kind=kind, values=values)


@lru_cache(maxsize=65536)
def _mapped(vtep: str) -> str:
    """A VTEP as the next hop of an IPv6 route, as FRR writes it: hexadecimal, where Python would print dots."""
    high, low = divmod(int(ipaddress.IPv4Address(vtep)), 1 << 16)
    return f"::ffff:{high:x}:{low:x}"


def address_number(address: str) -> int:
    """The order in which FRR shows neighbours."""
    return int(ipaddress.ip_address(address))


def _in_order(prefixes: Iterable[str]) -> tuple[str, ...]:
    """By address, not by text: the order in which FRR shows them."""
    networks = sorted({ipaddress.ip_network(prefix) for prefix in prefixes}, key=lambda each: (int(each.network_address), each.prefixlen))
    return tuple(str(network) for network in networks)
