"""What spreads over flows, hop by hop and in the order of time: the search that `isolated from` and `stays within` share.

Guarantees: a place is reached at the earliest instant at which any chain of h hops reaches it, for h = 1, 2, … in turn, so the first
chain that is found is a shortest one; a hop never happens before the one that led to it. Waiting costs nothing, so arriving earlier
is never worse, and a place is looked at again only when it is reached earlier than before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from ztosc.ir.flow import Place
from ztosc.ir.verdict import Hop
from ztosc.verify import words
from ztosc.verify.questions import NO_LIMITS, Bound, Limits, Passage, Questions
from ztosc.verify.scope import Start, inside


@dataclass(frozen=True, eq=False)
class Reached:
    """When something first got here, from where, and by what; hops are put into words only where they are shown."""

    arrival: int
    before: Reached | None = None
    told: Callable[[], tuple[Hop, ...]] = tuple

    @property
    def hops(self) -> tuple[Hop, ...]:
        """Every hop, from the beginning."""
        parts: list[tuple[Hop, ...]] = []
        reached: Reached | None = self
        while reached is not None:
            parts.append(reached.told())
            reached = reached.before
        return tuple(hop for part in reversed(parts) for hop in part)


State = Mapping[Start, Reached]
Expand = Callable[[Start, Reached], Iterator[tuple[Start, Reached]]]


def rounds(first: State, expand: Expand) -> Iterator[dict[Start, Reached]]:
    """What each further hop reaches for the first time, or earlier than before; ends when nothing does."""
    best = dict(first)
    fresh = dict(first)
    while fresh:
        found: dict[Start, Reached] = {}
        for start, reached in fresh.items():
            for node, there in expand(start, reached):
                known = found.get(node) or best.get(node)
                if known is None or there.arrival < known.arrival:
                    found[node] = there
        best.update(found)
        fresh = found
        if fresh:
            yield fresh


def shortest(explorer: Questions, begin: State, goals: tuple[Place, ...], without: tuple[Place, ...]) -> Reached | None:
    """A shortest chain to one of the goals, of these one that gets there first; `None` where there is none."""
    for bound in explorer.bounds([start.place for start in begin], goals, without):
        search = _Search(explorer, without, bound)
        for fresh in rounds(begin, search.expand):
            search.step += 1
            hits = [fresh[Start(place)] for place in goals if Start(place) in fresh]
            if hits:
                return min(hits, key=lambda each: each.arrival)
    return None


class _Search:
    """A search within bounds."""

    def __init__(self, explorer: Questions, without: tuple[Place, ...], bound: Bound) -> None:
        self.explorer, self.without, self.bound = explorer, without, bound
        self.step = 1

    def expand(self, start: Start, reached: Reached) -> Iterator[tuple[Start, Reached]]:
        """What the next hop leads to."""
        places = [place for place in self.bound.places(start.place, self.step) if place not in self.without]
        return steps(self.explorer, start, reached, places, self.without)


def onward(
    explorer: Questions, start: Start, after: int, place: Place, without: tuple[Place, ...], limits: Limits = NO_LIMITS
) -> Passage | None:
    """The first flow from a start into anything at a place; the ends in `without` do not count."""
    ends = [end for end in inside(explorer.policy, place) if end not in without]
    passages = [passage for end in ends if (passage := explorer.passage(start, end, after, limits))]
    return min(passages, key=lambda passage: passage.instant, default=None)


def recursion(explorer: Questions, start: Start, after: int, without: tuple[Place, ...]) -> Passage | None:
    """The first flow to a resolver that will recurse for it: one that asks from a segment which is granted an external.

    What a resolver looks up travels to name servers that the asker chooses, so it counts as a hop to every external.
    """
    if start.place.kind != "segment" or not explorer.granted_external(start.place):
        return None
    systems = [Place(kind="system", name=each.name) for each in explorer.policy.intent.systems if each.served_by == "resolver"]
    passages = [passage for end in systems if end not in without and (passage := explorer.passage(start, end, after))]
    return min(passages, key=lambda passage: passage.instant, default=None)


def steps(
    explorer: Questions, start: Start, reached: Reached, places: Iterable[Place], without: tuple[Place, ...]
) -> Iterator[tuple[Start, Reached]]:
    """Which of these places one more hop from a start gets to: by a flow, or through a resolver that recurses."""
    places = tuple(places)
    for place in places:
        passage = onward(explorer, start, reached.arrival, place, without)
        if passage is not None:
            yield Start(place), Reached(passage.instant, reached, partial(_told, explorer, passage))
    externals = [place for place in places if place.kind == "external"]
    asked = recursion(explorer, start, reached.arrival, without) if externals else None
    for place in externals if asked else ():
        if asked is not None:
            yield Start(place), Reached(asked.instant, reached, partial(_told, explorer, asked, place))


def _told(explorer: Questions, passage: Passage, asked_about: Place | None = None) -> tuple[Hop, ...]:
    hop = words.hop(explorer, passage.flow)
    if asked_about is None:
        return (hop,)
    return hop, Hop(text=f"the resolver passes the question on to name servers in `{asked_about.name}`")
