"""Which failures cut a start off: the fewest, and of these the first, without trying those that change nothing.

Guarantees: the answer is the one of `Topology.failures` tried in turn. A failure matters only where it hits a way that still stands, so a
search that finds a way branches on the links and nodes of that way alone: whatever cuts all ways must hold one of them. Past its budget,
`Undecided`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ztosc.verify.scope import Undecided
from ztosc.verify.topology import Failing, Part, Topology

BUDGET = 10_000
"""The most ways that are looked for from one node."""

Instances = Mapping[tuple[str, ...], set[str]]
"""By the domains that packets there and back travel in, the nodes of which one has to answer."""


def first_cut(topology: Topology, here: str, instances: Instances, count: int, failing: Failing) -> tuple[Part, ...] | None:
    """The first of the smallest sets of at most `count` failures after which no instance answers; `None` where there is none."""
    search = _Search(topology, here, instances, failing)
    for size in range(count + 1):
        found = search.of_size(size)
        if found:
            return min(found, key=_order)
    return None


def _order(parts: Iterable[Part]) -> list[Part]:
    """Links before nodes, both by name."""
    return sorted(parts)


class _Search:
    def __init__(self, topology: Topology, here: str, instances: Instances, failing: Failing) -> None:
        self.topology, self.here, self.instances, self.failing = topology, here, instances, failing
        self._ways: dict[frozenset[Part], frozenset[Part] | None] = {}

    def of_size(self, size: int) -> list[tuple[Part, ...]]:
        """Every set of that many failures that cuts all ways, given that no smaller one does."""
        found: list[tuple[Part, ...]] = []
        seen: set[frozenset[Part]] = set()
        pending: list[frozenset[Part]] = [frozenset()]
        while pending:
            failed = pending.pop()
            way = self._way(failed)
            if way is None:
                found.append(tuple(sorted(failed)))
            elif len(failed) < size:
                further = {failed | {part} for part in way} - seen
                seen |= further
                pending += further
        return found

    def _way(self, failed: frozenset[Part]) -> frozenset[Part] | None:
        """The parts of a way that still stands, of the kinds that can fail; `None` where none stands."""
        if failed not in self._ways:
            if len(self._ways) >= BUDGET:
                raise Undecided(f"more combinations of failures matter than the {BUDGET} that are tried")
            self._ways[failed] = self._standing(failed)
        return self._ways[failed]

    def _standing(self, failed: frozenset[Part]) -> frozenset[Part] | None:
        for domains, nodes in self.instances.items():
            around = [self.topology.around(domain, self.here, failed) for domain in domains]
            for node in sorted(nodes):
                if ("node", node) not in failed and all(node in each for each in around):
                    parts = {part for domain, each in zip(domains, around, strict=True) for part in self._parts(domain, each, node)}
                    return frozenset(part for part in parts if self.failing == "any" or part[0] + "s" == self.failing)
        return None

    def _parts(self, domain: str, before: Mapping[str, str], node: str) -> Iterable[Part]:
        """The links and nodes of the way to a node, but for the start."""
        ways = self.topology.ways(domain)
        while node != self.here:
            yield "node", node
            yield "link", ways[before[node]][node]
            node = before[node]
