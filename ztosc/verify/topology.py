"""Where things live and over which nodes they may talk: the network as graphs, one for each isolation domain.

Guarantees: an edge stands for a link whose tunnel admits the domain, a node for one that may hold it; nothing else carries a packet.
Answers are the same on every machine: everything is sorted before it is enumerated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, Literal

from ztosc.ir.domains import meeting
from ztosc.ir.flow import Place
from ztosc.ir.network import Network
from ztosc.verify.scope import Undecided, Unsupported

if TYPE_CHECKING:
    import networkx as nx

BUDGET = 50_000
"""The most combinations of failures that are tried from one node."""

Failing = Literal["any", "links", "nodes"]
Part = tuple[str, str]
"""("link", name) or ("node", name)."""
Ways = dict[str, dict[str, str]]
"""By node, its neighbours with the links to them."""


class Topology:
    """The nodes and links of one network."""

    def __init__(self, network: Network) -> None:
        self.network = network
        regions = {region.name: region.country for region in network.intent.regions}
        sites = {site.name: regions[site.region] for site in network.intent.sites}
        self.country = {node.name: sites[node.site] for node in network.intent.nodes}
        self.plans = {plan.segment: plan for plan in network.segments}
        self._domains = {domain.name: domain for domain in network.domains}
        self._graphs: dict[str, nx.Graph[str]] = {}
        self._ways: dict[str, Ways] = {}
        self._relays: dict[tuple[str, str, str], tuple[str, ...]] = {}

    @cached_property
    def egress(self) -> tuple[str, ...]:
        """The nodes through which externals are reached: those that serve `nat64`."""
        return self.serving("nat64")

    def serving(self, *roles: str) -> tuple[str, ...]:
        """The nodes that serve any of the roles, sorted."""
        return tuple(sorted(node.name for node in self.network.intent.nodes if set(roles) & set(node.serves)))

    def ways(self, domain: str) -> Ways:
        """The nodes and links of an isolation domain."""
        if domain not in self._ways:
            found: Ways = {name: {} for name in sorted(name for each in self.network.domains if each.name == domain for name in each.nodes)}
            admitted = {tunnel.link for tunnel in self.network.tunnels if domain in tunnel.domains}
            for link in self.network.intent.links:
                if link.name in admitted and link.a in found and link.b in found:
                    found[link.a][link.b] = found[link.b][link.a] = link.name
            self._ways[domain] = found
        return self._ways[domain]

    def graph(self, domain: str) -> nx.Graph[str]:
        """The same for the graph library, which is loaded for blocks alone."""
        if domain not in self._graphs:
            import networkx as nx

            graph: nx.Graph[str] = nx.Graph()
            graph.add_nodes_from(self.ways(domain))
            graph.add_edges_from((a, b) for a, others in self.ways(domain).items() for b in others)
            self._graphs[domain] = graph
        return self._graphs[domain]

    def segment_nodes(self, segment: str) -> tuple[str, ...]:
        """The nodes that a segment lives on, sorted."""
        return tuple(sorted({node for each in self.plans[segment].places for node in each.nodes}))

    def instances(self, end: Place) -> tuple[str, ...]:
        """The nodes at which some instance of an end answers. Raises `Unsupported` where no node carries an external."""
        if end.kind == "system":
            return tuple(sorted(node for each in self.network.anycast if each.system == end.name for node in each.nodes))
        if end.kind == "external":
            if not self.egress:
                raise Unsupported(f"no node serves `nat64`, so it is not said by which node `{end.name}` is reached")
            return self.egress
        if end.service:
            return tuple(sorted({each.node for each in self.network.endpoints if each.service == end.service}))
        return self.segment_nodes(end.name)

    def domains(self, start: Place, end: Place) -> tuple[str, ...]:
        """The domains that a flow and its answers travel in: the stricter of those of the two ends."""
        found = [self._domains[self.plans[place.name].domain] for place in (end, start) if place.kind == "segment"]
        met = meeting(*found) if len(found) == 2 else None
        return (met.name,) if met is not None else tuple(dict.fromkeys(each.name for each in found))

    def relays(self, domain: str, a: str, b: str) -> tuple[str, ...]:
        """The nodes that some set of failures can put on the way between two nodes: those in the biconnected block of the edge a-b."""
        key = (domain, min(a, b), max(a, b))
        if key not in self._relays:
            self._relays[key] = self._block(self.graph(domain), a, b)
        return self._relays[key]

    def _block(self, graph: nx.Graph[str], a: str, b: str) -> tuple[str, ...]:
        import networkx as nx

        if a == b or a not in graph or b not in graph:
            return ()
        joined = graph.copy()
        joined.add_edge(a, b)
        blocks: Iterator[set[str]] = iter(nx.biconnected_components(joined))  # type: ignore[arg-type]  # sets, in spite of its stub
        return tuple(sorted(next(block for block in blocks if a in block and b in block) - {a, b}))

    # Failures

    def failures(self, here: str, domains: Iterable[str], count: int, failing: Failing) -> Iterator[tuple[Part, ...]]:
        """Every combination of at most `count` links and nodes, fewest first; `here` never fails. Raises `Undecided` over budget."""
        graphs = [self.ways(domain) for domain in domains]
        links = sorted({("link", name) for graph in graphs for others in graph.values() for name in others.values()})
        nodes = sorted({("node", name) for graph in graphs for name in graph if name != here})
        parts = {"any": [*links, *nodes], "links": links, "nodes": nodes}[failing]
        total = sum(comb(len(parts), size) for size in range(min(count, len(parts)) + 1))
        if total > BUDGET:
            raise Undecided(f"{total} combinations of failures are more than the {BUDGET} that are tried")
        return (each for size in range(min(count, len(parts)) + 1) for each in combinations(parts, size))

    def connected(self, here: str, there: Collection[str], domains: Iterable[str], failed: Collection[Part]) -> bool:
        """Whether some node of `there` still exchanges packets with `here`: there and back, each in its domain."""
        left = [node for node in there if ("node", node) not in failed]
        for domain in domains:
            around = self.around(domain, here, failed)
            left = [node for node in left if node in around]
        return bool(left)

    def around(self, domain: str, here: str, failed: Collection[Part]) -> dict[str, str]:
        """The nodes that are still reached from one, each with the node before it on a shortest way."""
        graph = self.ways(domain)
        found = {here: here} if here in graph else {}
        queue = list(found)
        for node in queue:
            for other, link in graph[node].items():
                if other not in found and ("node", other) not in failed and ("link", link) not in failed:
                    found[other] = node
                    queue.append(other)
        return found


def failure_text(parts: Iterable[Part]) -> str:
    """The failed links and nodes in words."""
    from ztosc.verify.words import listing

    return listing(f"{kind} `{name}`" for kind, name in parts)
