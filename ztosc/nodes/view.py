"""What every projection looks at, computed once: cells, reaches, and which addresses stand for which hosts.

Guarantees: only reads the network; the addresses of two different targets never overlap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from itertools import chain

from ztosc.ir.intent import Link, Node
from ztosc.ir.network import Network, SitePrefix, Tunnel
from ztosc.ir.spaces import loopback_pool, vtep_pool
from ztosc.ir.values import AttributeType
from ztosc.keyplan import current_keys, psk_links
from ztosc.logic import addresses, intervals
from ztosc.logic.intervals import Intervals
from ztosc.nodes import records, sizes
from ztosc.nodes.conditions import intern
from ztosc.nodes.grants import Cell, Target, grants, managers
from ztosc.nodes.reach import as_ipv6, of_prefixes, outlines, overlay
from ztosc.nodes.spec import ranges


def points(found: Iterable[int]) -> Intervals:
    """Single addresses as a set."""
    return intervals.normalize((each, each) for each in found)


class Whole:
    """The network at hand."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.cells, self.bars = grants(network)
        self.managers = managers(network)
        by_target = (cells for targets in self.cells.values() for cells in targets.values())
        found = (cell.condition for cells in chain(by_target, self.managers.values()) for cell in cells)
        self.conditions = {condition.id: condition for condition in intern(condition for condition in found if condition)}
        ours = overlay(network)
        self.externals = outlines(network, ours)
        """Outlines: with the underlay addresses that `targets/underlay` withholds."""
        self.ours = ranges(ours)
        self.nodes = {node.name: node for node in network.intent.nodes}
        self.segments = {segment.name: segment for segment in network.intent.segments}
        self.plans = {plan.segment: plan for plan in network.segments}
        self.node_plans = {plan.node: plan for plan in network.nodes}
        self.places_at: dict[str, list[tuple[str, SitePrefix]]] = defaultdict(list)
        """By node: segments and their places, in the network's order."""
        for plan in network.segments:
            for place in plan.places:
                for node in place.nodes:
                    self.places_at[node].append((plan.segment, place))
        self.tunnels_at: dict[str, list[tuple[Link, Tunnel]]] = defaultdict(list)
        """By node: its links with their tunnels, by name."""
        links = {link.name: link for link in network.intent.links}
        for tunnel in sorted(network.tunnels, key=lambda tunnel: tunnel.link):
            for end in (links[tunnel.link].a, links[tunnel.link].b):
                self.tunnels_at[end].append((links[tunnel.link], tunnel))
        self.types: dict[str, AttributeType] = {attribute.name: attribute.type for attribute in network.intent.attributes}
        self.endpoints: dict[str, list[tuple[str, int]]] = defaultdict(list)
        """By service: the node and address of each replica."""
        for endpoint in network.endpoints:
            self.endpoints[endpoint.service].append((endpoint.node, addresses.value(endpoint.address)))
        self.services_on: dict[str, list[str]] = defaultdict(list)
        for service in network.intent.services:
            self.services_on[service.segment].append(service.name)
        self.pools = {each.name: (loopback_pool(network.prefix, each.index), vtep_pool(each.index)) for each in network.domains}
        self.mtus = sizes.overlays(network)
        self.keys = current_keys(network)
        self.psk_links = psk_links(network)
        self._hosts: dict[Target, Intervals] = {}
        self.zones = records.zones(network) if any("resolver" in node.serves for node in network.intent.nodes) else ()

    @cached_property
    def exchanging(self) -> dict[str, set[str]]:
        """By segment: the externals with which a grant joins it, either way."""
        found: dict[str, set[str]] = defaultdict(set)
        for (kind, name), targets in self.cells.items():
            for target, cells in targets.items():
                if cells and (kind, target.kind) == ("segment", "external"):
                    found[name].add(target.name)
                elif cells and (kind, target.kind) == ("external", "segment"):
                    found[target.name].add(name)
        return found

    @cached_property
    def reaching(self) -> dict[tuple[str, str], list[tuple[str, Target, Cell]]]:
        """By kind and name of a target: which segments reach it, and by which cells."""
        found: dict[tuple[str, str], list[tuple[str, Target, Cell]]] = defaultdict(list)
        for (kind, name), targets in self.cells.items():
            for target, cells in targets.items() if kind == "segment" else ():
                found[(target.kind, target.name)].extend((name, target, cell) for cell in cells)
        return found

    def endpoints_in(self, segment: str) -> list[tuple[str, int]]:
        """The node and address of every endpoint in a segment."""
        return [endpoint for service in self.services_on[segment] for endpoint in self.endpoints[service]]

    def hosts(self, target: Target) -> Intervals:
        """Every address of a target, as a host in a segment writes it."""
        if target not in self._hosts:
            self._hosts[target] = self._hosts_of(target)
        return self._hosts[target]

    def _hosts_of(self, target: Target) -> Intervals:
        if target.kind == "external":
            return as_ipv6(self.externals[target.name], self.network.nat64_prefix)
        if target.kind == "system":
            return of_prefixes(service.address for service in self.network.anycast if service.system == target.name)
        if target.service is not None:
            return points(address for _, address in self.endpoints[target.service])
        whole = of_prefixes(place.prefix for place in self.plans[target.name].places)
        return intervals.subtract(whole, points(address for _, address in self.endpoints_in(target.name)))


class Local:
    """The network as one node stands in it."""

    def __init__(self, whole: Whole, node: Node) -> None:
        self.whole = whole
        self.node = node
        self.places: dict[str, SitePrefix] = {}
        """By segment that lives here: its place at this node's site."""
        for segment, place in whole.places_at[node.name]:
            self.places.setdefault(segment, place)
        self.systems = frozenset(service.system for service in whole.network.anycast if node.name in service.nodes)

    def endpoints(self, segment: str, *, here: bool) -> Intervals:
        """The endpoints of a segment that live on this node, or all the others."""
        return points(address for node, address in self.whole.endpoints_in(segment) if (node == self.node.name) is here)

    def behind_ports(self, segment: str) -> Intervals:
        """Addresses that may sit behind this node's ports of a segment: not the gateway's, not those of endpoints elsewhere."""
        place = self.places[segment]
        gateway = of_prefixes((place.gateway,))
        return intervals.subtract(of_prefixes((place.prefix,)), intervals.union(self.endpoints(segment, here=False), gateway))

    def hosts(self, target: Target) -> Intervals:
        """The addresses of a target that live on this node; of a segment's other hosts, all that the site has."""
        if target.kind == "segment" and target.name in self.places:
            found = self.whole.hosts(target)
            if target.service is None:
                return intervals.intersect(found, of_prefixes((self.places[target.name].prefix,)))
            return intervals.intersect(found, self.endpoints(target.name, here=True))
        return self.whole.hosts(target) if target.kind == "system" and target.name in self.systems else ()
