"""Evidence for `A reaches B despite k failures`: flows and paths that no failure breaks together, or what shuts or cuts the way.

Guarantees: uses what `reaches` and `topology` decide by; a way of which the paths cannot be told apart from here raises `Unsupported`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ztosc.ir.assertions import Reaches
from ztosc.ir.certificate import Cut, NodePaths, Paths, Shut, Way
from ztosc.ir.flow import Flow, Place
from ztosc.ir.values import Ref
from ztosc.verify.region import Regions
from ztosc.verify.scope import Start, Unsupported, destinations, starts
from ztosc.verify.topology import Part, Topology

if TYPE_CHECKING:
    import networkx as nx

ANSWERS = ("", "answers")
"""The node behind every instance, which no network has."""


class Roads:
    """One claim on one network."""

    def __init__(self, regions: Regions, claim: Reaches) -> None:
        self.regions, self.claim = regions, claim
        self.policy, self.topology = regions.policy, Topology(regions.network)

    def paths(self) -> Paths:
        """How every start of A reaches every target. Raises `Unsupported`, `Undecided`."""
        claim = self.claim
        found = [
            self._way(subject, start, target)
            for subject in claim.subjects
            for target in claim.targets
            for start in starts(self.policy, subject)
        ]
        return Paths(ways=tuple(found))

    def broken(self) -> Shut | Cut:
        """What refutes the claim. Raises `Unsupported`, `Undecided`."""
        for subject in self.claim.subjects:
            begin = starts(self.policy, subject)
            for target in self.claim.targets:
                if not begin:
                    return Shut(subject=subject, start=None, target=target, instant=self.regions.network.at)
                found = (each for start in begin if (each := self._broken(subject, start, target)))
                if (broken := next(found, None)) is not None:
                    return broken
        raise Unsupported(
            "the claim names nobody" if not self.claim.subjects or not self.claim.targets else "what refutes it was not found again"
        )

    def _moments(self, ends: tuple[Place, ...]) -> tuple[int, ...]:
        return self.regions.times.after(rule for end in ends for rule in self.policy.about(end))

    def _at(self, start: Start, end: Place, instant: int) -> Flow | None:
        return self.regions.first(self.regions.at([start]), (end,), (instant,))

    def _way(self, subject: Ref, start: Start, target: Ref) -> Way:
        """Flows of which some one is allowed at each instant; one that is allowed later as well is not said twice."""
        ends = destinations(self.policy, target)
        flows: list[Flow] = []
        open_: dict[tuple[Place, ...], None] = {}
        for instant in self._moments(ends):
            here = []
            for end in ends:
                known = (flow for flow in flows if flow.destination == end)
                moved = (flow.model_copy(update={"instant": instant}) for flow in known)
                flow = next((flow for flow in moved if self.policy.decide(flow).allowed), None)
                if flow is None and (flow := self._at(start, end, instant)) is not None:
                    flows.append(flow)
                here += [end] if flow is not None else []
            open_[tuple(here)] = None
        nodes = self._nodes(start.place, tuple(open_)) if start.place.kind == "segment" else ()
        return Way(subject=subject, start=start.place, target=target, flows=tuple(flows), nodes=nodes)

    def _nodes(self, start: Place, sets: tuple[tuple[Place, ...], ...]) -> tuple[NodePaths, ...]:
        """Paths from each node to ends that are allowed at every instant."""
        always = [end for end in sets[0] if all(end in each for each in sets)]
        if not always:
            raise Unsupported("what answers changes with time: no one end is allowed at every instant")
        homes = self.topology.segment_nodes(start.name)
        return tuple(NodePaths(node=here, paths=tuple(_disjoint(self.topology, self.claim, here, start, always))) for here in homes)

    def _broken(self, subject: Ref, start: Start, target: Ref) -> Shut | Cut | None:
        ends = destinations(self.policy, target)
        for instant in self._moments(ends):
            open_ = [end for end in ends if self._at(start, end, instant)]
            if not open_:
                return Shut(subject=subject, start=start.place, target=target, instant=instant)
            for here in self.topology.segment_nodes(start.place.name) if start.place.kind == "segment" else ():
                failed = _failed(self.topology, self.claim, start.place, here, open_)
                if failed is not None:
                    return Cut(subject=subject, start=start.place, target=target, instant=instant, node=here, failed=failed)
        return None


def _disjoint(topology: Topology, claim: Reaches, here: str, start: Place, ends: list[Place]) -> Iterator[tuple[str, ...]]:
    import networkx as nx

    by_domains: dict[tuple[str, ...], set[str]] = {}
    for end in ends:
        by_domains.setdefault(topology.domains(start, end), set()).update(topology.instances(end))
    if any(here in nodes for nodes in by_domains.values()):
        yield (here,)
        return
    for domains, nodes in by_domains.items():
        graph = _joined(topology, domains)
        reached = [node for node in sorted(nodes) if node in graph]
        if here not in graph or not reached:
            continue
        by_links = claim.failing == "links"
        for node in reached:  # where links alone fail, several paths may end at one instance
            for gate in ((node, str(number)) for number in range(claim.failures + 1 if by_links else 1)):
                graph.add_edges_from([(node, gate), (gate, ANSWERS)])
        try:
            many = nx.edge_disjoint_paths if by_links else nx.node_disjoint_paths
            found = sorted((tuple(each) for each in many(graph, here, ANSWERS)), key=lambda each: (len(each), str(each)))
        except nx.NetworkXNoPath:
            continue
        if len(found) > claim.failures:
            yield from (tuple(step for step in each if isinstance(step, str)) for each in found[: claim.failures + 1])
            return
    raise Unsupported(f"no {claim.failures + 1} paths of one kind lead from node `{here}`: the way holds for a reason of several parts")


def _joined(topology: Topology, domains: tuple[str, ...]) -> nx.Graph[object]:
    """The nodes and links that are in each of some domains."""
    import networkx as nx

    graphs = [topology.graph(domain) for domain in domains]
    joined: nx.Graph[object] = nx.Graph()
    joined.add_nodes_from(sorted(set(graphs[0]).intersection(*graphs[1:])))
    joined.add_edges_from((a, b) for a, b in sorted(graphs[0].edges) if all(graph.has_edge(a, b) for graph in graphs))
    return joined


def _failed(topology: Topology, claim: Reaches, start: Place, here: str, ends: list[Place]) -> tuple[Part, ...] | None:
    """The first failures after which none of these ends answers."""
    by_domains: dict[tuple[str, ...], set[str]] = {}
    for end in ends:
        by_domains.setdefault(topology.domains(start, end), set()).update(topology.instances(end))
    nodes = {node for each in by_domains.values() for node in each}
    if claim.failures and claim.failing != "links" and len(nodes) == 1:
        return (("node", min(nodes)),)
    for failed in topology.failures(here, sorted({name for names in by_domains for name in names}), claim.failures, claim.failing):
        if not any(topology.connected(here, there, names, failed) for names, there in by_domains.items()):
            return failed
    return None
