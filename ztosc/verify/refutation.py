"""Why a claim does not hold, for whoever has to mend it: one sentence, all that is affected, the rules on the way, what is allowed close
by, and a test to paste.

Guarantees: nothing here changes a verdict; what cannot be said within the budget of the diagrams is left out, never guessed. Every flow
that is told was decided by `decide`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from ztosc.ir.assertions import Assertion, Isolated, NeverReaches, OnlyReach, Reaches
from ztosc.ir.flow import Flow, Place
from ztosc.ir.network import Network
from ztosc.ir.values import Ref
from ztosc.ir.verdict import Hop, Refutation, Region, Verdict
from ztosc.logic.diagrams import TooLarge
from ztosc.source import Source
from ztosc.verify import words
from ztosc.verify.region import Regions, Who
from ztosc.verify.scope import Start, Undecided, destinations, everywhere, held, inside, starts
from ztosc.verify.slices import Slices
from ztosc.verify.testable import Blocks, Untestable

TRIES = 10_000
"""The most combinations that are tried to find what is allowed close by."""
SHIFTED = "no test says that links or nodes fail, or where data rests: mend the placement or the links"


def explained(
    network: Network, verdicts: Iterable[Verdict], sources: Mapping[str, Source] | None = None, slices: Slices | None = None
) -> tuple[Verdict, ...]:
    """The verdicts, each that refutes an assertion with its explanation.

    `sources` tell which names a file imports; `slices` are the network's, where they are made already.
    """
    verdicts = tuple(verdicts)
    if not any(verdict.kind == "assert" and verdict.verdict == "refuted" for verdict in verdicts):
        return verdicts
    teller = _Teller(network, sources or {}, slices)
    return tuple(verdict if verdict.verdict != "refuted" else teller.told(verdict) for verdict in verdicts)


class _Teller:
    def __init__(self, network: Network, sources: Mapping[str, Source], slices: Slices | None) -> None:
        self.network = network
        self.regions = Regions(network, slices)
        self.policy = self.regions.policy
        self.blocks = Blocks(self.policy, sources)
        self.claims = {(claim.origin, claim.statement): claim for claim in network.intent.assertions}

    def told(self, verdict: Verdict) -> Verdict:
        claim = self.claims.get((verdict.origin, verdict.statement)) if verdict.origin and verdict.kind == "assert" else None
        if claim is None:
            return verdict
        flows = [hop.flow for hop in verdict.witness.hops if hop.flow]
        test, untestable = self._test(claim, verdict.witness.hops)
        try:
            region, nearest = self._region(claim, flows), self._nearest(claim, flows)
        except (TooLarge, Undecided):
            region, nearest = (), ""
        explanation = Refutation(
            sentence=_sentence(claim, verdict),
            region=region,
            ways=verdict.witness.hops,
            nearest=nearest,
            test=test,
            untestable=untestable,
        )
        return verdict.model_copy(update={"explanation": explanation})

    # All that is affected

    def _region(self, claim: Assertion, flows: list[Flow]) -> tuple[Region, ...]:
        match claim:
            case NeverReaches():
                begin = [start for ref in claim.subjects for start in starts(self.policy, ref)]
                return self.regions.region(self.regions.at(begin), self._ends(claim.targets))
            case OnlyReach():
                found = (self._others(claim, target) for target in claim.targets)
                return tuple(dict.fromkeys(region for regions in found for region in regions))
            case Reaches():
                return () if flows else tuple(self._shut(claim))
            case _:
                steps = [step for flow in flows for step in self._between(flow.source, flow.destination)]
                return tuple(dict.fromkeys(steps))

    def _others(self, claim: OnlyReach, target: Ref) -> tuple[Region, ...]:
        return self.regions.region(self.regions.is_none_of((*claim.subjects, target)), destinations(self.policy, target))

    def _shut(self, claim: Reaches) -> Iterator[Region]:
        """What is missing: everything that no grant opens at every instant."""
        for target in claim.targets:
            for start in (start for ref in claim.subjects for start in starts(self.policy, ref)):
                ends = destinations(self.policy, target)
                open_ = {region.time for region in self.regions.region(self.regions.at([start]), ends)}
                if "" not in open_:
                    time = f"at all times but {' or '.join(sorted(open_))}" if open_ else ""
                    who = start.ref.name if start.ref else "anyone"
                    yield Region(who=(who,), sources=(start.place.name,), targets=(target.name,), ports="any port", time=time)

    def _between(self, source: Place, end: Place) -> tuple[Region, ...]:
        """One hop of a chain: whatever leads from the one place into the other."""
        ends = (end,) if end.kind == "system" else inside(self.policy, Place(kind=end.kind, name=end.name))
        return self.regions.region(self.regions.at([Start(source)]), ends)

    def _ends(self, refs: Iterable[Ref]) -> tuple[Place, ...]:
        return tuple(end for ref in refs for end in destinations(self.policy, ref))

    # What is allowed close by

    def _nearest(self, claim: Assertion, flows: list[Flow]) -> str:
        """The first of: others at the same target, the same subject elsewhere; where the claim wants more, what there is of it."""
        for who, ends in self._candidates(claim, flows):
            flow = self.regions.first(who, ends, most=TRIES)
            if flow is not None:
                return self._though(flow)
        return ""

    def _candidates(self, claim: Assertion, flows: list[Flow]) -> Iterator[tuple[Who, tuple[Place, ...]]]:
        regions = self.regions
        match claim:
            case NeverReaches():
                yield regions.is_none_of((*claim.subjects, *_within(claim.targets))), self._ends(claim.targets)
                yield regions.is_one_of(claim.subjects), self._elsewhere(claim.targets)
            case OnlyReach():
                yield regions.is_one_of(claim.subjects), self._ends(claim.targets)
            case Isolated():
                begin = [Start(start.place) for ref in claim.subjects for start in starts(self.policy, ref)]
                hops = {(flow.destination.kind, flow.destination.name) for flow in flows}
                ends = (end for end in self._elsewhere(claim.targets) if (end.kind, end.name) not in hops)
                yield regions.at(begin), tuple(ends)
                yield regions.is_none_of((*claim.subjects, *claim.targets)), self._ends(claim.targets)
            case Reaches():
                yield regions.is_one_of(claim.subjects), self._ends(claim.targets)
                yield regions.is_one_of(claim.subjects), self._elsewhere(claim.targets)
            case _:
                sources = [Start(flow.source) for flow in flows[:1]]
                lost = {(flow.destination.kind, flow.destination.name) for flow in flows}
                ends = (end for _, ends in self._everywhere for end in ends if (end.kind, end.name) not in lost)
                yield regions.at(sources), tuple(ends) if sources else ()

    def _elsewhere(self, targets: Iterable[Ref]) -> tuple[Place, ...]:
        """Every end that is not in a place of the targets; what the nodes offer is no answer to what somebody wants."""
        refs = [ref for ref in targets if ref.kind != "system"]
        own = held(self.policy, refs)
        return tuple(end for place, ends in self._everywhere for end in ends if place not in own)

    @cached_property
    def _everywhere(self) -> tuple[tuple[Place, tuple[Place, ...]], ...]:
        """Every place, and what is in it."""
        return tuple((place, tuple(inside(self.policy, place))) for place in everywhere(self.policy))

    def _though(self, flow: Flow) -> str:
        rule = self.policy.decide(flow).rule
        who = f"{words.principal(self.policy, flow.principal)} in {words.place(flow.source)}"
        what = f"{words.port(flow.protocol, flow.port)} to {words.place(flow.destination)}"
        return f"{who} may open {what}{words.at(rule.origin if rule else None)}"

    # A test to paste

    def _test(self, claim: Assertion, hops: tuple[Hop, ...]) -> tuple[str, str]:
        """The block, or nothing and why."""
        try:
            if isinstance(claim, Reaches):
                return self._missing(claim), ""
            flows = [hop.flow for hop in hops if hop.flow]
            chosen = [flow for flow in flows if flow.destination.kind != "system"] or flows
            if not chosen:
                return "", SHIFTED
            return self.blocks.expecting_deny(claim.statement, chosen[-1], claim.origin, _remarks(hops, chosen[-1])), ""
        except (Untestable, Undecided, TooLarge) as reason:
            return "", str(reason)

    def _missing(self, claim: Reaches) -> str:
        """Somebody who satisfies what the subject requires, at an instant at which nothing lets them in. Raises `Untestable`."""
        for target in claim.targets:
            ends = destinations(self.policy, target)
            for start in (start for ref in claim.subjects for start in starts(self.policy, ref)):
                who = self.regions.at([start])
                for instant in self.regions.times.after(rule for end in ends for rule in self.policy.about(end)):
                    if ends and self.regions.first(who, ends, (instant,)) is None:
                        flow = self.regions.first(who, ends)
                        if flow is None or len(getattr(flow.principal, "roles", ())) > 1:
                            flow = self._anybody(start, ends[0], instant)
                        return self.blocks.expecting_allow(claim.statement, flow.model_copy(update={"instant": instant}), claim.origin)
        if not self._ends(claim.targets) or not any(starts(self.policy, ref) for ref in claim.subjects):
            raise Untestable("no test speaks of what is nowhere: give it a place")
        raise Untestable("no test says that links or nodes fail: mend the placement or the links")

    def _anybody(self, start: Start, end: Place, instant: int) -> Flow:
        """The least initiator of a start who fulfils what its role requires."""
        regions = self.regions
        slices, bit = regions.slices, regions.slices.bit[start.place.kind, start.place.name]
        ref = start.ref
        kind = next(kind for kind in slices.kinds(start.place) if ref is None or regions.at([start]).among(bit, kind) > 0)
        who = regions.at([start]).among(bit, kind)
        if ref is not None and ref.kind == "role":
            required = slices.reading.truth(self.policy.roles[ref.name].requires, instant)[0]
            who = slices.diagrams.all([who, required, slices.reading.apart(start.place.name)])
        least = slices.diagrams.least(who)
        if least is None:
            raise Untestable(f"nobody can fulfil what `{ref.name if ref else start.place.name}` requires")
        return Flow(source=start.place, principal=slices.principal(kind, least), destination=end, protocol=6, port=443, instant=instant)


def _sentence(claim: Assertion, verdict: Verdict) -> str:
    """The verdict's reason without the steps, which stand below."""
    text = verdict.reason if isinstance(claim, Reaches) or not verdict.witness.hops else verdict.reason.split(": ", 1)[0]
    return text[:1].upper() + text[1:] + "."


def _within(targets: Iterable[Ref]) -> tuple[Ref, ...]:
    return tuple(ref for ref in targets if ref.kind not in ("external", "system"))


def _remarks(hops: tuple[Hop, ...], chosen: Flow) -> Iterator[str]:
    """The other hops of a chain: whoever cuts one of those instead tests that one."""
    others = [hop for hop in hops if hop.flow != chosen]
    if others:
        yield "one hop of a chain; the others, any of which may be cut instead:"
    yield from (f"  {hop.text}" for hop in others)
