"""Network → which node announces what, and who may use it.

Guarantees: routes follow grants. A node imports the routes of a segment, system or NAT64 only if a grant, in either direction because
answers must return, joins it with something that lives on this node; nodes that hold the same prefix tell each other of its hosts
where any grant speaks of it. Segments of two isolation domains meet in the stricter one (`ztosc.ir.domains`): the node on which the
laxer segment lives announces it there, and no route of the stricter domain leaves it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from ztosc.ir.domains import meeting
from ztosc.ir.network import IsolationDomain, Loopback
from ztosc.ir.spaces import vrf_name
from ztosc.logic import addresses, intervals
from ztosc.nodes.fabric_spec import Detour, Held, Tag
from ztosc.nodes.view import Whole

NAT64 = Tag(kind="nat64", number=0)
HOST_BITS = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Source:
    """Something that is announced: by which nodes, with which prefix each, and which segments it is joined with."""

    name: str
    tag: Tag
    at: dict[str, str]
    joined: frozenset[str]
    shared: frozenset[str] = frozenset()
    """Prefixes that several nodes hold: which of them has a host, its own route says."""


@dataclass(slots=True)
class Routes:
    """Routes of one tag: to prefixes, and to single hosts inside prefixes."""

    prefixes: set[str] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)

    def fields(self) -> dict[str, tuple[str, ...]]:
        """As a spec has them."""
        return {"prefixes": tuple(sorted(self.prefixes)), "hosts": tuple(sorted(self.hosts))}


@dataclass(slots=True)
class Domain:
    """One isolation domain over all nodes."""

    plan: IsolationDomain
    loopbacks: dict[str, Loopback]
    component: dict[str, int]
    exports: dict[str, dict[Tag, Routes]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Routes)))
    imports: dict[str, dict[tuple[Tag, str], Routes]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Routes)))
    """By importing node: tag and exporting node."""
    peers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By node: those with which it exchanges traffic."""

    def join(self, importer: str, source: Source, origin: str) -> None:
        """`importer` may use what `origin` announces of a source; of a prefix that it holds itself, the hosts alone."""
        prefix = source.at[origin]
        whole = source.at.get(importer) != prefix
        if importer == origin or not {importer, origin} <= self.loopbacks.keys() or not (whole or prefix in source.shared):
            return
        for routes in (self.imports[importer][(source.tag, origin)], self.exports[origin][source.tag]):
            routes.prefixes |= {prefix} if whole else set()
            routes.hosts |= {prefix} & source.shared
        self.peers[importer].add(origin)
        self.peers[origin].add(importer)

    def speaks(self, node: str) -> bool:
        return node in self.exports or node in self.imports


class Joins:
    """Whatever is announced, in every isolation domain."""

    def __init__(self, whole: Whole) -> None:
        self.whole = whole
        network = whole.network
        self.lives: dict[str, dict[str, str]] = {
            plan.segment: {node: place.prefix for place in plan.places for node in place.nodes} for plan in network.segments
        }
        self.here: dict[str, set[str]] = defaultdict(set)
        for segment, at in self.lives.items():
            for node in at:
                self.here[node].add(segment)
        self.domains = {plan.name: self._domain(plan) for plan in network.domains}
        self.sources = {source.name: source for source in self._segments()}
        for source in self.sources.values():
            self._meet(source)
        for source in self._offers():
            self._offer(source)

    def _domain(self, plan: IsolationDomain) -> Domain:
        found = {node.node: loopback for node in self.whole.network.nodes for loopback in node.loopbacks if loopback.domain == plan.name}
        return Domain(plan, found, self._components(plan))

    def _components(self, plan: IsolationDomain) -> dict[str, int]:
        """Nodes of a domain by the part of it that tunnels join."""
        neighbours: dict[str, list[str]] = {node: [] for node in plan.nodes}
        links = {link.name: link for link in self.whole.network.intent.links}
        for tunnel in self.whole.network.tunnels:
            if plan.name in tunnel.domains:
                ends = links[tunnel.link]
                neighbours[ends.a].append(ends.b)
                neighbours[ends.b].append(ends.a)
        found: dict[str, int] = {}
        for number, start in enumerate(sorted(neighbours)):
            pending = [start]
            while pending:
                node = pending.pop()
                if node not in found:
                    found[node] = number
                    pending.extend(neighbours[node])
        return found

    # Who is joined with whom

    def _segments(self) -> Iterator[Source]:
        """Every segment, and the segments with which a grant joins it in either direction."""
        joined: dict[str, set[str]] = defaultdict(set)
        for (kind, name), targets in self.whole.cells.items():
            for target in targets:
                if kind == "segment" and target.kind == "segment":
                    joined[name].add(target.name)
                    joined[target.name].add(name)
        for name, plan in self.whole.plans.items():
            shared = frozenset(place.prefix for place in plan.places if len(place.nodes) > 1)
            yield Source(name, Tag(kind="segment", number=plan.vni), self.lives[name], frozenset(joined[name]), shared)

    def _offers(self) -> Iterator[Source]:
        """What nodes themselves offer to segments that ask for it: system services, and the way to IPv4."""
        asks: dict[tuple[str, str], set[str]] = defaultdict(set)
        for (kind, name), targets in self.whole.cells.items():
            for target in targets:
                if kind == "segment" and target.kind != "segment":
                    asks[(target.kind, target.name)].add(name)
        for each in self.whole.network.anycast:
            tag = Tag(kind="system", number=addresses.value(each.address) & HOST_BITS)
            at = dict.fromkeys(each.nodes, f"{each.address}/128")
            yield Source(each.system, tag, at, frozenset(asks[("system", each.system)]))
        ipv4 = [name for name, reach in self.whole.externals.items() if intervals.intersect(reach, addresses.ALL4)]
        translators = [node.name for node in self.whole.network.intent.nodes if "nat64" in node.serves]
        at = dict.fromkeys(translators, self.whole.network.nat64_prefix)
        yield Source("nat64", NAT64, at, frozenset(segment for name in ipv4 for segment in asks[("external", name)]))

    def _domain_of(self, segment: str) -> Domain:
        return self.domains[self.whole.plans[segment].domain]

    def meeting(self, one: str, other: str) -> Domain | None:
        """The domain in which two segments exchange packets, if there is one."""
        found = meeting(self._domain_of(one).plan, self._domain_of(other).plan)
        return self.domains[found.name] if found is not None else None

    def meet(self, one: str, other: str) -> bool:
        """Whether all nodes of two segments may hold what the two exchange."""
        domain = self.meeting(one, other)
        return domain is not None and {*self.lives[one], *self.lives[other]} <= domain.loopbacks.keys()

    def _meet(self, source: Source) -> None:
        """Routes of a segment, for the nodes of whatever it is joined with and between those that hold the same prefix of it."""
        for segment in source.joined:
            domain = self.meeting(source.name, segment)
            for node in self.lives[segment]:
                if domain is not None:
                    _import(domain, source, node)
        if source.shared and source.name in self._granted:
            for node, prefix in source.at.items():
                for other in (each for each in source.at if source.at[each] == prefix):
                    self._domain_of(source.name).join(node, source, other)

    @cached_property
    def _granted(self) -> frozenset[str]:
        """The segments of which any grant speaks."""
        targets = {(target.kind, target.name) for found in self.whole.cells.values() for target in found}
        return frozenset(name for kind, name in targets | self.whole.cells.keys() if kind == "segment")

    def _offer(self, source: Source) -> None:
        """Routes to what nodes offer, for the nodes of those who ask; and back, for whoever is asked must find those who ask."""
        for segment in source.joined:
            domain, asking = self._domain_of(segment), self.sources[segment]
            for node in asking.at:
                if node not in source.at:
                    _import(domain, source, node)
                    for other in source.at:
                        domain.join(other, asking, node)

    def _guests(self, node: str) -> Iterator[tuple[str, Domain, str]]:
        """Segments here that meet another in a stricter domain than their own: the segment, that domain, the other."""
        for name in sorted(self.here[node]):
            for other in sorted(self.sources[name].joined):
                domain = self.meeting(name, other)
                if domain is not None and domain is not self._domain_of(name) and node in domain.loopbacks:
                    yield name, domain, other

    def held(self, node: str) -> tuple[Held, ...]:
        """What the kernel must hold for BGP to announce it: single hosts of what several nodes hold, and guests of stricter domains."""
        found = set()
        tables = {(name, self._domain_of(name).plan.l3vni) for name in self.here[node]}
        guests = {(name, domain.plan.l3vni) for name, domain, _ in self._guests(node)}
        for name, table in tables | guests:
            prefix = self.lives[name][node]
            hosts = self._hosts(name, node) if prefix in self.sources[name].shared else ()
            whole = (prefix,) if (name, table) in guests else ()
            found |= {(table, each, self.whole.plans[name].interface) for each in (*whole, *hosts)}
        return tuple(Held(prefix=prefix, interface=interface, table=table) for table, prefix, interface in sorted(found))

    def _hosts(self, segment: str, node: str) -> tuple[str, ...]:
        return tuple(f"{addresses.address_text(number)}/128" for home, number in self.whole.endpoints_in(segment) if home == node)

    def detours(self, node: str) -> tuple[Detour, ...]:
        """What a laxer VRF must look up in the table of a stricter one."""
        found = {
            (vrf_name(self._domain_of(name).plan.l3vni), prefix, domain.plan.l3vni)
            for name, domain, other in self._guests(node)
            for prefix in self.lives[other].values()
        }
        return tuple(Detour(vrf=vrf, prefix=prefix, table=table) for vrf, prefix, table in sorted(found))


def _import(domain: Domain, source: Source, node: str) -> None:
    for other in source.at:
        domain.join(node, source, other)
