"""What a chain may pass, as bits: where a search for one need not look.

Guarantees: whatever lies on some chain of at most as many hops as a bound is made for lies within the bound, so a search within it reaches
a goal by the same chain, at the same time, as one without; the last bound holds every chain there is. Where grants do not join the two
sides at all there is no bound, and nothing to search.
"""

from __future__ import annotations

from ztosc.ir.flow import Place
from ztosc.logic.closure import bits, layers
from ztosc.verify.questions import Bound
from ztosc.verify.structure import Structure


class Within(Bound):
    """At most `hops` hops in all; of each place it is known how many it is from a goal."""

    def __init__(self, structure: Structure, rows: dict[int, int], near: list[int], hops: int) -> None:
        self.structure, self.rows, self.near, self.hops = structure, rows, near, hops

    def places(self, start: Place, step: int) -> list[Place]:
        """Where the n-th hop may lead so that those left are enough."""
        left = min(self.hops - step, len(self.near) - 1)
        if left < 0:
            return []
        slices = self.structure.slices
        mark = 1 << slices.bit[start.kind, start.name]
        return [slices.places[index] for index in bits(self.near[left]) if self.rows[index] & mark]


def bounds(structure: Structure, begin: int, goals: int, without: tuple[Place, ...]) -> tuple[int, list[Bound]]:
    """All places from which a goal may ever be reached; and the bound of the shortest chains, then that of all, if any."""
    inward = structure.inward_without(without)
    steps = layers(inward, goals)
    nearest = next((distance for distance, there in enumerate(steps) if there & begin), None)
    near: list[int] = []
    found = 0
    for there in steps:
        found |= there
        near.append(found)
    rows = {index: inward[index] for index in bits(found)}
    if nearest is None:
        return found, []
    return found, [Within(structure, rows, near, hops) for hops in (nearest, len(structure.slices.places) + 1)]
