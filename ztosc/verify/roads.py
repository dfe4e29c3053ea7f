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
from ztosc.verify.explorer import Explorer
from ztosc.verify.scope import Start, Unsupported, destinations, starts
from ztosc.verify.topology import Part, Topology

if TYPE_CHECKING:
    import networkx as nx

ANSWERS = ("", "answers")
"""The node behind every instance, which no network has."""


def paths(explorer: Explorer, claim: Reaches) -> Paths:
    """How every start of A reaches every target. Raises `Unsupported`, `Undecided`."""
    topology = Topology(explorer.network)
    found = [
        _way(explorer, topology, claim, subject, start, target)
        for subject in claim.subjects
        for target in claim.targets
        for start in starts(explorer.policy, subject)
    ]
    return Paths(ways=tuple(found))


def _way(explorer: Explorer, topology: Topology, claim: Reaches, subject: Ref, start: Start, target: Ref) -> Way:
    flows: dict[Flow, None] = {}
    ends: dict[tuple[Place, ...], None] = {}
    for instant in explorer.timeline.moments:
        here = [flow for end in destinations(explorer.policy, target) if (flow := explorer.at(start, end, instant))]
        ends[tuple(flow.destination for flow in here)] = None
        flows.update(dict.fromkeys(flow.model_copy(update={"instant": explorer.network.at}) for flow in here))
    first: dict[Flow, Flow] = {}
    for instant in explorer.timeline.moments:
        for flow in flows:
            moved = flow.model_copy(update={"instant": instant})
            if flow not in first and explorer.policy.decide(moved).allowed:
                first[flow] = moved
    nodes = _nodes(topology, claim, start.place, tuple(ends)) if start.place.kind == "segment" else ()
    return Way(subject=subject, start=start.place, target=target, flows=tuple(first.values()), nodes=nodes)


def _nodes(topology: Topology, claim: Reaches, start: Place, sets: tuple[tuple[Place, ...], ...]) -> tuple[NodePaths, ...]:
    """Paths from each node; the ends that are allowed at one instant must answer by themselves, so those allowed at all of them count."""
    always = [end for end in sets[0] if all(end in each for each in sets)]
    if not always:
        raise Unsupported("what answers changes with time: no one end is allowed at every instant")
    return tuple(
        NodePaths(node=here, paths=tuple(_disjoint(topology, claim, here, start, always))) for here in topology.segment_nodes(start.name)
    )


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


def cut_or_shut(explorer: Explorer, claim: Reaches) -> Shut | Cut:
    """What refutes the claim. Raises `Unsupported`, `Undecided`."""
    topology = Topology(explorer.network)
    for subject in claim.subjects:
        begin = starts(explorer.policy, subject)
        for target in claim.targets:
            if not begin:
                return Shut(subject=subject, start=None, target=target, instant=explorer.network.at)
            found = (each for start in begin if (each := _broken(explorer, topology, claim, subject, start, target)))
            if (broken := next(found, None)) is not None:
                return broken
    raise Unsupported("what refutes it was not found again")


def _broken(explorer: Explorer, topology: Topology, claim: Reaches, subject: Ref, start: Start, target: Ref) -> Shut | Cut | None:
    for instant in explorer.timeline.moments:
        open_ = [end for end in destinations(explorer.policy, target) if explorer.at(start, end, instant)]
        if not open_:
            return Shut(subject=subject, start=start.place, target=target, instant=instant)
        for here in topology.segment_nodes(start.place.name) if start.place.kind == "segment" else ():
            failed = _failed(topology, claim, start.place, here, open_)
            if failed is not None:
                return Cut(subject=subject, start=start.place, target=target, instant=instant, node=here, failed=failed)
    return None


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
