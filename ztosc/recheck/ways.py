"""Nodes, links and paths, read from the network itself.

Guarantees: an edge is a link whose tunnel admits the isolation domain, between nodes that may hold it; a node may relay between two others
if some simple path between those, in their domain, passes it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import pairwise

from ztosc.ir.domains import meeting
from ztosc.ir.flow import Place
from ztosc.ir.network import Network

Graph = dict[str, dict[str, str]]
"""By node: its neighbours, and the link to each."""


class Ways:
    """One network's nodes and links."""

    def __init__(self, network: Network) -> None:
        self.network = network
        regions = {each.name: each.country for each in network.intent.regions}
        sites = {each.name: regions[each.region] for each in network.intent.sites}
        self.country = {each.name: sites[each.site] for each in network.intent.nodes}
        self.plans = {each.segment: each for each in network.segments}
        self.domains = {each.name: each for each in network.domains}
        self._graphs: dict[str, Graph] = {}
        self._relays: dict[tuple[str, str, str, str], bool] = {}

    def serving(self, *roles: str) -> tuple[str, ...]:
        """Nodes that serve one of these."""
        return tuple(sorted(each.name for each in self.network.intent.nodes if set(roles) & set(each.serves)))

    def nodes(self, place: Place) -> tuple[str, ...]:
        """The nodes that a segment and the endpoints in it are on."""
        if place.kind != "segment":
            return ()
        services = {each.name for each in self.network.intent.services if each.segment == place.name}
        endpoints = {each.node for each in self.network.endpoints if each.service in services}
        return tuple(sorted(endpoints | set(self.homes(place.name))))

    def homes(self, segment: str) -> tuple[str, ...]:
        """The nodes that a segment lives on."""
        return tuple(sorted({node for each in self.plans[segment].places for node in each.nodes}))

    def instances(self, end: Place) -> tuple[str, ...]:
        """The nodes where an end answers."""
        if end.kind == "system":
            return tuple(sorted({node for each in self.network.anycast if each.system == end.name for node in each.nodes}))
        if end.kind == "external":
            return self.serving("nat64")
        if end.service:
            return tuple(sorted({each.node for each in self.network.endpoints if each.service == end.service}))
        return self.homes(end.name)

    def between(self, one: Place, other: Place) -> tuple[str, ...]:
        """The domains that packets between two places are in."""
        found = [self.domains[self.plans[each.name].domain] for each in (other, one) if each.kind == "segment"]
        met = meeting(*found) if len(found) == 2 else None
        return (met.name,) if met is not None else tuple(dict.fromkeys(each.name for each in found))

    def graph(self, domain: str) -> Graph:
        """The nodes and links of a domain."""
        if domain not in self._graphs:
            graph: Graph = {node: {} for each in self.network.domains if each.name == domain for node in each.nodes}
            admitted = {each.link for each in self.network.tunnels if domain in each.domains}
            for link in self.network.intent.links:
                if link.name in admitted and link.a in graph and link.b in graph:
                    graph[link.a][link.b] = graph[link.b][link.a] = link.name
            self._graphs[domain] = graph
        return self._graphs[domain]

    def relays(self, one: Place, other: Place, among: Collection[str]) -> Iterator[str]:
        """Which of some nodes may lie on the way between two segments, other than their own."""
        if one.kind != "segment" or other.kind != "segment":
            return
        pairs = [(a, b) for a in self.homes(one.name) for b in self.homes(other.name) if a != b]
        for domain in self.between(one, other):
            graph = self.graph(domain)
            known = [(a, b) for a, b in pairs if a in graph and b in graph]
            yield from (node for a, b in known for node in among if node in graph and self._passed(domain, node, a, b))

    def _passed(self, domain: str, node: str, a: str, b: str) -> bool:
        key = (domain, node, min(a, b), max(a, b))
        if key not in self._relays:
            self._relays[key] = node not in (a, b) and passes(self.graph(domain), node, a, b)
        return self._relays[key]

    def reached(self, domain: str, here: str, failed: Collection[tuple[str, str]]) -> set[str]:
        """The nodes that a node still exchanges packets with."""
        graph = self.graph(domain)
        found = {here} & set(graph)
        queue = deque(found)
        while queue:
            for other, link in graph[queue.popleft()].items():
                if other not in found and ("node", other) not in failed and ("link", link) not in failed:
                    found.add(other)
                    queue.append(other)
        return found


State = tuple[str, str]
SINK: State = ("", "sink")


def passes(graph: Graph, node: str, a: str, b: str) -> bool:
    """Whether a simple path from a to b passes a node: two ways from it, one to a and one to b, that share nothing but the node itself.

    By flow: every other node is split in two with one arc between, so that it is used once; each way is one unit.
    """

    def arcs(state: State) -> list[State]:
        name, side = state
        if side == "out":
            return [(other, "in") for other in graph[name] if other != node]
        return [SINK] if name in (a, b) else [(name, "out")]

    used: set[tuple[State, State]] = set()
    return _push((node, "out"), arcs, used) and _push((node, "out"), arcs, used)


def _push(start: State, arcs: Callable[[State], list[State]], used: set[tuple[State, State]]) -> bool:
    """One unit more from a node to the sink, taking back what is in the way."""
    came: dict[State, State] = {}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        onward = [there for there in arcs(here) if (here, there) not in used] if here != SINK else []
        for there in (*onward, *(one for one, other in used if other == here)):
            if there not in came and there != start:
                came[there] = here
                queue.append(there)
    if SINK not in came:
        return False
    here = SINK
    while here != start:
        step = (came[here], here)
        used.discard(step[::-1]) if step[::-1] in used else used.add(step)
        here = came[here]
    return True


def disjoint(paths: Iterable[tuple[str, ...]], graph: Graph, failing: str) -> bool:
    """Whether no single failure breaks two of some paths that start at one node."""
    seen: set[str] = set()
    for path in paths:
        links = [graph[a][b] for a, b in pairwise(path)]
        parts = [f"link {link}" for link in links] + ([f"node {node}" for node in path[1:]] if failing != "links" else [])
        if len(set(parts)) != len(parts) or seen & set(parts):
            return False
        seen |= set(parts)
    return True
