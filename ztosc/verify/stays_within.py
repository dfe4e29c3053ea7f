"""`L stays within J`: what carries the label rests, travels and is answered to inside J only.

Guarantees: the data is followed from every segment that carries L, with each flow and against it (answers), in order of time, over any
number of hops; a grant that `releases L` carries nothing further. Every place then counts: nodes that segments and
endpoints live on, every node that some set of failures makes a relay between two of them, segments that the flows are logged
to, and, for the label `personal`, the nodes that serve the directory. A region without a country is inside nothing, and so
is every external. Questions to resolvers hold names and are not counted as the data itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ztosc.ir.assertions import StaysWithin
from ztosc.ir.flow import Place
from ztosc.ir.verdict import Hop, Verdict
from ztosc.verify.chains import Reached, State, rounds
from ztosc.verify.outcome import refuted, unless_observed
from ztosc.verify.questions import Questions
from ztosc.verify.scope import inside
from ztosc.verify.spread import Spread

DIRECTORY_LABEL = "personal"
"""The directory holds people, so it carries this label (`std.gdpr`)."""


@dataclass(frozen=True)
class Leak:
    """Where the label leaves the jurisdiction, and the hops that brought it there."""

    reason: str
    reached: Reached

    @property
    def hops(self) -> tuple[Hop, ...]:
        """Every step, the leak the last."""
        return *self.reached.hops, Hop(text=self.reason)


class _Places:
    """The places that count, wherever the data of the label goes."""

    def __init__(self, explorer: Questions, claim: StaysWithin) -> None:
        self.explorer, self.claim = explorer, claim
        self.spread = Spread(explorer, claim.label)
        self.topology = explorer.topology

    def leaks(self, fresh: State) -> Iterator[Leak]:
        """What of the newly reached places, and of the ways there, lies outside."""
        for start, reached in fresh.items():
            yield from self._resting(start.place, reached)
        for here, there, reached in self.spread.moves:
            yield from self._relaying(here, there, reached)
        self.spread.moves.clear()

    def _resting(self, place: Place, reached: Reached) -> Iterator[Leak]:
        label = self.claim.label
        if place.kind != "segment" and self.spread.released_at(place):
            return
        if place.kind != "segment":
            yield self._leak(f"`{label}` reaches the external `{place.name}`, which is inside no jurisdiction", reached)
            return
        services = {end.service for end in inside(self.explorer.policy, place) if end.service}
        endpoints = {each.node for each in self.explorer.network.endpoints if each.service in services} if services else set()
        for node in sorted({*self.topology.segment_nodes(place.name), *endpoints}):
            if self._outside(node):
                yield self._leak(f"`{label}` rests in `{place.name}` on node `{node}`, {self._where(node)}", reached)
        yield from self._relaying(place, place, reached)

    def _relaying(self, here: Place, there: Place, reached: Reached) -> Iterator[Leak]:
        if "external" in (here.kind, there.kind):
            return
        pairs = [(a, b) for a in self.topology.segment_nodes(here.name) for b in self.topology.segment_nodes(there.name)]
        for domain in self.topology.domains(here, there):
            for a, b in pairs:
                for node in self.topology.relays(domain, a, b):
                    if self._outside(node):
                        ends = f"`{a}` (`{here.name}`) and `{b}` (`{there.name}`)"
                        way = f"over node `{node}`, {self._where(node)}, between {ends}"
                        yield self._leak(f"`{self.claim.label}` may travel {way}", reached)

    def directory(self) -> Iterator[Leak]:
        """The nodes that hold people's records, where the label is theirs."""
        serving = self.topology.serving("directory", "replica") if self.claim.label.split(".")[-1] == DIRECTORY_LABEL else ()
        for node in serving:
            if self._outside(node):
                yield self._leak(f"the directory on node `{node}` holds `{self.claim.label}`, {self._where(node)}", Reached(0))

    def _leak(self, reason: str, reached: Reached) -> Leak:
        return Leak(reason, reached)

    def _outside(self, node: str) -> bool:
        return not self.claim.jurisdiction.holds(self.topology.country[node])

    def _where(self, node: str) -> str:
        country = self.topology.country[node]
        inside = f"which is not inside {self.claim.jurisdiction.text}"
        return f"in {country}, {inside}" if country else f"in a region without a country, {inside}"


def check(explorer: Questions, claim: StaysWithin) -> Verdict:
    """The verdict on one claim. Raises `Undecided`."""
    places = _Places(explorer, claim)
    begin = places.spread.begin()
    leak = next(iter((*places.directory(), *places.leaks(begin))), None)
    found = rounds(begin, places.spread.expand)
    while leak is None and (fresh := next(found, None)) is not None:
        leak = next(places.leaks(fresh), None)
    leak = leak or next(places.leaks({}), None)
    if leak is not None:
        return refuted(claim, leak.reason + _way(leak.hops[:-1]), leak.hops)
    inside = f"everything that carries `{claim.label}`, and every way between, lies inside {claim.jurisdiction.text}"
    return unless_observed(claim, explorer.policy, explorer.places, inside)


def _way(hops: tuple[Hop, ...]) -> str:
    return f": {'; then '.join(hop.text for hop in hops)}" if hops else ""
