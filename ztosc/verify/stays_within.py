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
from ztosc.ir.clock import is_over
from ztosc.ir.flow import Place
from ztosc.ir.intent import Rule
from ztosc.ir.values import Ref
from ztosc.ir.verdict import Hop, Verdict
from ztosc.verify import words
from ztosc.verify.chains import Reached, onward, rounds
from ztosc.verify.explorer import Explorer, Limits
from ztosc.verify.outcome import refuted, unless_observed
from ztosc.verify.scope import Start, everywhere, segment, segments_of, starts
from ztosc.verify.topology import Topology

DIRECTORY_LABEL = "personal"
"""The directory holds people, so it carries this label (`std.gdpr`)."""


@dataclass(frozen=True)
class Leak:
    """Where the label leaves the jurisdiction, and the hops that brought it there."""

    reason: str
    hops: tuple[Hop, ...]


class _Spread:
    """The flows that the data of one label takes."""

    def __init__(self, explorer: Explorer, claim: StaysWithin) -> None:
        self.explorer, self.claim = explorer, claim
        self.topology = Topology(explorer.network)
        self.limits = Limits(releases=claim.label)
        self.moves: list[tuple[Place, Place, Reached]] = []

    def expand(self, start: Start, reached: Reached) -> Iterator[tuple[Start, Reached]]:
        """Where one more hop takes the data; each move is noted, for what may relay it."""
        for place in everywhere(self.explorer.policy):
            for there in self._with_and_against(start.place, place, reached):
                self.moves.append((start.place, place, there))
                yield Start(place), there
        for place, there in self._logs(start.place, reached):
            self.moves.append((start.place, place, there))
            yield Start(place), there

    def _with_and_against(self, here: Place, there: Place, reached: Reached) -> Iterator[Reached]:
        for begin, end, note in ((here, there, ""), (there, here, "; what it is answered flows back")):
            flow = onward(self.explorer, Start(begin), reached.arrival, end, (), self.limits)
            if flow is not None:
                hop = words.hop(self.explorer, flow, self.claim.label)
                yield Reached(flow.instant, (*reached.hops, hop.model_copy(update={"text": hop.text + note})))

    def _logs(self, place: Place, reached: Reached) -> Iterator[tuple[Place, Reached]]:
        """The segments to which rules about what is here log."""
        policy = self.explorer.policy
        for rule in policy.intent.rules:
            sink = policy.services.get(rule.governance.log_to or "")
            if sink and not is_over(rule.validity, reached.arrival) and self._about(rule, place):
                hop = Hop(text=f"flows of `{place.name}` are logged to `{sink.name}`{words.at(rule.origin)}", rule=rule.origin)
                yield segment(sink.segment), Reached(reached.arrival, (*reached.hops, hop))

    def _about(self, rule: Rule, place: Place) -> bool:
        return any(self._stands_for(ref, place) for ref in (*rule.subjects, *rule.targets))

    def _stands_for(self, ref: Ref, place: Place) -> bool:
        if ref.kind in ("external", "system") or place.kind != "segment":
            return (ref.kind, ref.name) == (place.kind, place.name)
        return place.name in segments_of(self.explorer.policy, ref)

    # Places

    def leaks(self, fresh: dict[Start, Reached]) -> Iterator[Leak]:
        """What of the newly reached places, and of the ways there, lies outside."""
        for start, reached in fresh.items():
            yield from self._resting(start.place, reached)
        for here, there, reached in self.moves:
            yield from self._relaying(here, there, reached)
        self.moves.clear()

    def _resting(self, place: Place, reached: Reached) -> Iterator[Leak]:
        label = self.claim.label
        if place.kind != "segment":
            yield self._leak(f"`{label}` reaches the external `{place.name}`, which is inside no jurisdiction", reached)
            return
        services = [each.name for each in self.explorer.policy.intent.services if each.segment == place.name]
        endpoints = {each.node for each in self.explorer.network.endpoints if each.service in services}
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
                yield self._leak(f"the directory on node `{node}` holds `{self.claim.label}`, {self._where(node)}", Reached(0, ()))

    def _leak(self, reason: str, reached: Reached) -> Leak:
        return Leak(reason, (*reached.hops, Hop(text=reason)))

    def _outside(self, node: str) -> bool:
        return not self.claim.jurisdiction.holds(self.topology.country[node])

    def _where(self, node: str) -> str:
        country = self.topology.country[node]
        inside = f"which is not inside {self.claim.jurisdiction.text}"
        return f"in {country}, {inside}" if country else f"in a region without a country, {inside}"


def check(explorer: Explorer, claim: StaysWithin) -> Verdict:
    """The verdict on one claim. Raises `Undecided`."""
    policy = explorer.policy
    spread = _Spread(explorer, claim)
    carriers = starts(policy, Ref(kind="label", name=claim.label))
    begin = {start: Reached(explorer.network.at, ()) for start in carriers}
    leak = next(iter((*spread.directory(), *spread.leaks(begin))), None)
    found = rounds(begin, spread.expand)
    while leak is None and (fresh := next(found, None)) is not None:
        leak = next(spread.leaks(fresh), None)
    leak = leak or next(spread.leaks({}), None)
    if leak is not None:
        return refuted(claim, leak.reason + _way(leak.hops[:-1]), leak.hops)
    inside = f"everything that carries `{claim.label}`, and every way between, lies inside {claim.jurisdiction.text}"
    return unless_observed(claim, policy, everywhere(policy), inside)


def _way(hops: tuple[Hop, ...]) -> str:
    return f": {'; then '.join(hop.text for hop in hops)}" if hops else ""
