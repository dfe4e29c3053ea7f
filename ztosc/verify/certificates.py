"""Verdicts to certificates: the evidence by which somebody else can check each of them again.

Guarantees: a certificate holds what the checker needs and no more; where there is no such evidence it says so and why, and is then no
proof. Evidence is found anew from the network: a verdict that it does not bear out gets none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ztosc import __version__
from ztosc.ir.assertions import Assertion, Isolated, NeverFlowsDown, NeverReaches, OnlyReach, Reaches, StaysWithin
from ztosc.ir.base import Model, canonical
from ztosc.ir.certificate import Arrival, Certificate, Closed, Evidence, Flows, Nothing, Slices, SliceText
from ztosc.ir.flow import Flow, Place
from ztosc.ir.intent import Rule
from ztosc.ir.network import Network, network_digest
from ztosc.ir.values import Ref
from ztosc.ir.verdict import Verdict
from ztosc.logic.closure import bits
from ztosc.logic.diagrams import TooLarge
from ztosc.verify import case_text, isolated
from ztosc.verify.closed import Arrivals, Hopping, spreading
from ztosc.verify.region import Regions
from ztosc.verify.roads import Roads
from ztosc.verify.scope import Start, Undecided, Unsupported, destinations, held, starts
from ztosc.verify.slices import PERSON, Entry, Kind, PortClass, principal
from ztosc.verify.symbolic import Case

NETWORK = "network.json"
MOST = 20_000
"""Texts of one certificate."""


def certificates(network: Network, verdicts: Iterable[Verdict]) -> dict[str, bytes]:
    """Files by name: the network, and one certificate for each verdict on an assertion, in their order."""
    maker = _Maker(network)
    claims = {(claim.origin, claim.statement): claim for claim in network.intent.assertions}
    found = [(claims.get((each.origin, each.statement)), each) for each in verdicts if each.kind == "assert" and each.origin]
    made = {f"{number:04}-{each.property}.json": maker.certificate(claim, each) for number, (claim, each) in enumerate(found, 1) if claim}
    return {NETWORK: canonical(network, provenance=True) + b"\n", **{name: _bytes(each) for name, each in made.items()}}


def _bytes(model: Model) -> bytes:
    return canonical(model, provenance=True) + b"\n"


class _Maker:
    def __init__(self, network: Network) -> None:
        self.network, self.digest = network, network_digest(network)
        self.regions = Regions(network)
        self.slices, self.policy, self.times = self.regions.slices, self.regions.policy, self.regions.times
        self.hopping = Hopping(self.slices, self.times)

    def certificate(self, claim: Assertion, verdict: Verdict) -> Certificate:
        try:
            evidence = self._evidence(claim, verdict)
        except (Unsupported, Undecided, TooLarge) as reason:
            evidence = Nothing(reason=str(reason))
        return Certificate(
            ztosc=__version__, network=self.digest, at=self.network.at, claim=claim, outcome=verdict.verdict, evidence=evidence
        )

    def _evidence(self, claim: Assertion, verdict: Verdict) -> Evidence:
        match verdict.verdict, claim:
            case "refuted", Reaches():
                return Roads(self.regions, claim).broken()
            case "refuted", _:
                return Flows(flows=tuple(hop.flow for hop in verdict.witness.hops if hop.flow))
            case "proved", NeverReaches() | OnlyReach():
                return Slices(slices=tuple(self._texts(claim)))
            case "proved", Isolated():
                return self._closed(self._isolated(claim))
            case "proved", StaysWithin() | NeverFlowsDown():
                signed = tuple(ref.name for ref in claim.through) if isinstance(claim, NeverFlowsDown) else ()
                begin = (start.place for start in starts(self.policy, Ref(kind="label", name=claim.label)))
                return self._closed(spreading(begin, self.network.at, self.hopping.data(claim.label, signed)))
            case "proved", Reaches():
                return Roads(self.regions, claim).paths()
        return Nothing(reason=verdict.reason)

    def _closed(self, reached: Arrivals) -> Closed:
        known = sorted(reached.items(), key=lambda pair: (pair[0].kind, pair[0].name))
        return Closed(places=tuple(Arrival(place=place, arrival=arrival) for place, arrival in known))

    def _isolated(self, claim: Isolated) -> Arrivals:
        goals = held(self.policy, claim.targets)
        without = tuple(place for ref in claim.through for place in isolated.removed(self.policy, ref) if place not in goals)
        begin = [start.place for ref in claim.subjects for start in starts(self.policy, ref)]
        return spreading(begin, self.network.at, self.hopping.chain(without))

    # Texts

    def _texts(self, claim: NeverReaches | OnlyReach) -> Iterator[SliceText]:
        seen: set[tuple[object, ...]] = set()
        for start, end, outside in self._pairs(claim):
            for text in self._pair(start, end, outside):
                key = (text.source, text.who, text.destination, text.allows, text.denies, text.free, text.outside)
                if key not in seen:
                    seen.add(key)
                    yield text
                if len(seen) > MOST:
                    raise Undecided(f"more than {MOST} texts would be needed")

    def _pairs(self, claim: NeverReaches | OnlyReach) -> Iterator[tuple[Start, Place, tuple[Ref, ...]]]:
        if isinstance(claim, NeverReaches):
            begin = [start for ref in claim.subjects for start in starts(self.policy, ref)]
            ends = dict.fromkeys(end for ref in claim.targets for end in destinations(self.policy, ref))
            yield from ((start, end, ()) for end in ends for start in begin if self._granted(start, end))
            return
        for target in claim.targets:
            for end in destinations(self.policy, target):
                for bit in bits(self.slices.slice(end).sources):
                    yield Start(self.slices.places[bit]), end, (*claim.subjects, target)

    def _granted(self, start: Start, end: Place) -> bool:
        return bool(self.slices.slice(end).sources >> self.slices.bit[start.place.kind, start.place.name] & 1)

    def _pair(self, start: Start, end: Place, outside: tuple[Ref, ...]) -> Iterator[SliceText]:
        """A text for each kind of initiator, each way to treat a port, and each set of rules that is in force together."""
        bit = self.slices.bit[start.place.kind, start.place.name]
        ref = start.ref
        kinds = self.slices.kinds(start.place)
        if ref is not None:
            kinds = (PERSON,) if ref.kind == "role" else (Kind(ref.kind, ref.name),)
        for kind in kinds:
            for part in self.slices.slice(end).classes:
                named = [entry for entry in (*part.allows, *part.denies) if entry.fits(bit, kind)]
                free = part.listens and self.slices.is_replica(start.place, kind, end)
                for allows, denies in self._together(named):
                    if allows or free:
                        yield self._text(start, kind, end, part, allows, denies, free, outside)

    def _together(self, entries: Iterable[Entry]) -> Iterator[tuple[tuple[Rule, ...], tuple[Rule, ...]]]:
        rules = list({id(entry.rule): entry.rule for entry in entries}.values())
        seen: set[tuple[bool, ...]] = set()
        for instant in self.times.after(rules):
            force = tuple(self.slices.in_force(rule.validity, instant) for rule in rules)
            if force not in seen:
                seen.add(force)
                active = [rule for rule, holds in zip(rules, force, strict=True) if holds]
                yield tuple(rule for rule in active if rule.effect == "allow"), tuple(rule for rule in active if rule.effect == "deny")

    def _text(
        self,
        start: Start,
        kind: Kind,
        end: Place,
        part: PortClass,
        allows: tuple[Rule, ...],
        denies: tuple[Rule, ...],
        free: bool,
        outside: tuple[Ref, ...],
    ) -> SliceText:
        must = (start.ref.name,) if start.ref is not None and start.ref.kind == "role" else ()
        probe = Flow(
            source=start.place,
            principal=principal(kind, must, ()),
            destination=end,
            protocol=part.protocol,
            port=part.port,
            instant=self.network.at,
        )
        return SliceText(
            source=start.place,
            who=f"person as {must[0]}" if must else " ".join(filter(None, kind)),
            destination=end,
            allows=tuple(sorted(rule.id for rule in allows)),
            denies=tuple(sorted(rule.id for rule in denies)),
            outside=tuple(ref.name for ref in outside),
            free=free,
            smt2=case_text.text(self.policy, Case(probe, allows, denies, free, outside), must),
        )
